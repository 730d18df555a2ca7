#include <fmt/format.h>
#include <array>
#include <bit>
#include <cstring>
#include <lapse/tensor/onnx_pb.hpp>
#include <new>
#include <type_traits>
#include <utility>

#include "lapse/tensor/element.hpp"
#include "lapse/tensor/file.hpp"
#include "onnx_tensor.pb.h"

namespace lapse::tensor {
namespace {

static_assert(std::endian::native == std::endian::little, "raw_data is little-endian");

struct Type {
  std::string_view name;
  DType dtype;  // Unknown: lapse does not read it
};

// TensorProto.DataType, by number.
constexpr std::array kTypes{
    Type{"undefined", DType::Unknown},
    Type{"float", DType::Float32},
    Type{"uint8", DType::UInt8},
    Type{"int8", DType::Int8},
    Type{"uint16", DType::UInt16},
    Type{"int16", DType::Int16},
    Type{"int32", DType::Int32},
    Type{"int64", DType::Int64},
    Type{"string", DType::Unknown},
    Type{"bool", DType::Bool},
    Type{"float16", DType::Float16},
    Type{"double", DType::Float64},
    Type{"uint32", DType::UInt32},
    Type{"uint64", DType::UInt64},
    Type{"complex64", DType::Unknown},
    Type{"complex128", DType::Unknown},
    Type{"bfloat16", DType::BFloat16},
    Type{"float8e4m3fn", DType::Unknown},
    Type{"float8e4m3fnuz", DType::Unknown},
    Type{"float8e5m2", DType::Unknown},
    Type{"float8e5m2fnuz", DType::Unknown},
    Type{"uint4", DType::Unknown},
    Type{"int4", DType::Unknown},
    Type{"float4e2m1", DType::Unknown},
};

tl::unexpected<Error> damaged(std::string why) { return fail(ErrorCode::BadInput, "not a sound ONNX tensor: " + why); }
tl::unexpected<Error> unsupported(std::string what) {
  return fail(ErrorCode::Unsupported, std::move(what), "lapse passes dense tensors only");
}

/// Elements of one of the typed fields; `source` may be wider than the element, as the fields are fewer than the types.
template <class Element, class Source>
Result<void> copy_field(Tensor& tensor, const Source& source, std::string_view field, std::size_t count) {
  using Stored = typename Element::Stored;
  if (static_cast<std::size_t>(source.size()) != count) {
    return damaged(fmt::format("{} holds {} values, its shape {}", field, source.size(), count));
  }
  for (std::size_t i = 0; i < count; ++i) {
    const auto value = source.Get(static_cast<int>(i));
    if constexpr (std::is_integral_v<Stored> && sizeof(Stored) < sizeof(value)) {
      if (!std::in_range<Stored>(value)) return damaged(fmt::format("{} in {} does not fit {}", value, field, name(tensor.dtype())));
    }
    const auto stored = static_cast<Stored>(value);
    std::memcpy(tensor.data() + i * sizeof(stored), &stored, sizeof(stored));
  }
  return {};
}

/// float16 and bfloat16 stand in int32_data as their bits.
Result<void> copy_typed(Tensor& tensor, const wire::TensorProto& message, std::size_t count) {
  return visit_element(tensor.dtype(), [&](auto element) {
    using Element = decltype(element);
    using Stored = typename Element::Stored;
    if constexpr (std::is_same_v<Stored, float>) {
      return copy_field<Element>(tensor, message.float_data(), "float_data", count);
    } else if constexpr (std::is_same_v<Stored, double>) {
      return copy_field<Element>(tensor, message.double_data(), "double_data", count);
    } else if constexpr (std::is_same_v<Stored, std::int64_t>) {
      return copy_field<Element>(tensor, message.int64_data(), "int64_data", count);
    } else if constexpr (std::is_same_v<Stored, std::uint32_t> || std::is_same_v<Stored, std::uint64_t>) {
      return copy_field<Element>(tensor, message.uint64_data(), "uint64_data", count);
    } else {
      return copy_field<Element>(tensor, message.int32_data(), "int32_data", count);
    }
  });
}

int typed_count(const wire::TensorProto& message) {
  return message.float_data_size() + message.int32_data_size() + message.int64_data_size() + message.double_data_size() +
         message.uint64_data_size();
}

Shape shape_of(const wire::TensorProto& message) { return {message.dims().begin(), message.dims().end()}; }

/// A SequenceProto or an OptionalProto has its name where a tensor has its dims, a kind where a tensor has its type, and its values where a
/// tensor has a segment or, in some cases, typed data.
bool is_container(const wire::TensorProto& message, std::span<const std::byte> file) {
  constexpr std::byte kBeginsWithText{0x0A};  // most writers put down the dims of a tensor one by one (0x08)
  constexpr int kLastKind = 5;                // SequenceProto.DataType: tensor, sparse tensor, sequence, map, optional
  if (message.has_segment()) return true;
  if (file.front() != kBeginsWithText || message.has_raw_data() || message.data_type() > kLastKind) return false;
  const auto count = element_count(shape_of(message));
  return !count || *count != static_cast<std::size_t>(typed_count(message));
}

Result<DType> element_type(const wire::TensorProto& message) {
  const int number = message.data_type();
  if (number < 0 || static_cast<std::size_t>(number) >= kTypes.size()) return unsupported(fmt::format("a tensor of ONNX type {}", number));
  const Type& type = kTypes[static_cast<std::size_t>(number)];
  if (number == 0) return damaged("it has no element type");
  if (type.dtype == DType::Unknown) return unsupported(fmt::format("a tensor of {}", type.name));
  if (message.has_external_data() || message.data_location() != 0) return unsupported("the data of the tensor lie in another file");
  return type.dtype;
}

Result<NamedTensor> parse(std::span<const std::byte> file) {
  if (file.empty()) return damaged("it is empty");
  if (!std::in_range<int>(file.size())) return damaged("it is larger than 2 GiB, the most of a protobuf");
  wire::TensorProto message;
  if (!message.ParseFromArray(file.data(), static_cast<int>(file.size()))) return damaged("it is damaged, cut short or not a protobuf");
  if (is_container(message, file)) return unsupported("the file holds a sequence, an optional or a part of a tensor");

  LAPSE_TRY(const DType dtype, element_type(message));
  Shape shape = shape_of(message);
  LAPSE_TRY(const std::size_t count, element_count(shape));
  LAPSE_TRY(const std::size_t bytes, byte_size(dtype, shape));
  const std::string& raw = message.raw_data();
  const bool typed = typed_count(message) > 0;
  if (typed && !raw.empty()) return damaged("it holds its data twice");
  // Before the memory is taken: a few bytes can claim any shape.
  if (!typed && raw.size() != bytes) {
    return damaged(fmt::format("it holds {} bytes, its shape {} of {} takes {}", raw.size(), to_string(shape), name(dtype), bytes));
  }
  if (typed && count > file.size()) return damaged("it is shorter than its shape");

  LAPSE_TRY(Tensor tensor, Tensor::make(dtype, std::move(shape)));
  if (typed) {
    LAPSE_CHECK(copy_typed(tensor, message, count));
  } else if (bytes > 0) {
    std::memcpy(tensor.data(), raw.data(), bytes);
  }
  if (dtype == DType::Bool) {  // any other byte than 0 and 1 is undefined behaviour in an engine
    for (std::size_t i = 0; i < count; ++i) set_value<BoolElement>(tensor.data(), i, value_at<BoolElement>(tensor.data(), i));
  }
  return NamedTensor{message.name(), std::move(tensor)};
}

}  // namespace

Result<NamedTensor> parse_tensor_pb(std::span<const std::byte> file) {
  try {
    return parse(file);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::OutOfMemory, "not enough memory to read an ONNX tensor");
  }
}

Result<NamedTensor> read_tensor_pb(const std::filesystem::path& path) {
  LAPSE_TRY(const std::vector<std::byte> file, read_file(path));
  return parse_tensor_pb(file).map_error([&](Error error) { return in_file(path, std::move(error)); });
}

}  // namespace lapse::tensor
