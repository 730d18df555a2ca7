#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <lapse/tensor/npy.hpp>
#include <optional>
#include <system_error>

#include "lapse/tensor/element.hpp"
#include "lapse/tensor/file.hpp"

namespace lapse::tensor {
namespace {

static_assert(std::endian::native == std::endian::little, "the reader reverses big-endian elements only");

constexpr std::string_view kMagic = "\x93NUMPY";

struct Type {
  std::string_view code;  // of numpy's descr, without the byte order
  DType dtype;
};

constexpr std::array kTypes{Type{"b1", DType::Bool},  Type{"u1", DType::UInt8},   Type{"i1", DType::Int8},    Type{"u2", DType::UInt16},
                            Type{"i2", DType::Int16}, Type{"u4", DType::UInt32},  Type{"i4", DType::Int32},   Type{"u8", DType::UInt64},
                            Type{"i8", DType::Int64}, Type{"f2", DType::Float16}, Type{"f4", DType::Float32}, Type{"f8", DType::Float64}};

struct Header {
  DType dtype = DType::Unknown;
  bool big_endian = false;
  bool fortran_order = false;
  Shape shape;
};

tl::unexpected<Error> damaged(std::string why) {
  return fail(ErrorCode::BadInput, "not a sound .npy file: " + why, "save it anew with numpy.save");
}

/// Reads the Python dictionary of a header, as far as numpy writes one: string keys; a string, True or False, a tuple of integers.
class HeaderReader {
 public:
  explicit HeaderReader(std::string_view text) : rest_(text) {}

  Result<Header> read() {
    std::optional<std::string_view> descr;
    std::optional<bool> fortran_order;
    std::optional<Shape> shape;
    if (!take('{')) return damaged("its header is not a dictionary");
    while (!take('}')) {
      const auto key = string();
      if (!key || !take(':')) return damaged("a key of its header can't be read");
      if (*key == "descr" && !descr) {
        if (peek('[')) return fail(ErrorCode::BadInput, "the .npy file holds records, not numbers", "save one field of them");
        descr = string();
        if (!descr) return damaged("its element type can't be read");
      } else if (*key == "fortran_order" && !fortran_order) {
        fortran_order = boolean();
        if (!fortran_order) return damaged("its fortran_order is neither True nor False");
      } else if (*key == "shape" && !shape) {
        shape = tuple();
        if (!shape) return damaged("its shape can't be read");
      } else {
        return damaged(fmt::format("its header has an unknown or repeated key of {} characters", key->size()));
      }
      if (!take(',') && !peek('}')) return damaged("a comma is missing in its header");
    }
    skip_space();
    if (!rest_.empty()) return damaged("something follows the dictionary in its header");
    if (!descr || !fortran_order || !shape) return damaged("its header lacks descr, fortran_order or shape");
    return finish(*descr, *fortran_order, std::move(*shape));
  }

 private:
  static Result<Header> finish(std::string_view descr, bool fortran_order, Shape shape) {
    const char order = descr.empty() ? ' ' : descr.front();
    const std::string_view code = descr.substr(descr.empty() ? 0 : 1);
    const auto type = std::find_if(kTypes.begin(), kTypes.end(), [&](const Type& candidate) { return candidate.code == code; });
    const bool has_order = order == '<' || order == '>' || (order == '|' && code.ends_with('1'));
    if (type == kTypes.end() || !has_order) {
      const bool printable = descr.size() <= 16 && std::all_of(descr.begin(), descr.end(), [](char c) { return c >= ' ' && c <= '~'; });
      return fail(ErrorCode::BadInput, fmt::format("the .npy file holds elements of type '{}'", printable ? descr : "?"),
                  "lapse reads bool, integers of 8 to 64 bits and floats of 16 to 64");
    }
    return Header{type->dtype, order == '>', fortran_order, std::move(shape)};
  }

  void skip_space() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }

  bool peek(char wanted) {
    skip_space();
    return rest_.starts_with(wanted);
  }

  bool take(char wanted) {
    if (!peek(wanted)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool take(std::string_view word) {
    skip_space();
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  /// In either kind of quotes. Nothing that lapse reads needs an escape.
  std::optional<std::string_view> string() {
    const char quote = peek('\'') ? '\'' : '"';
    if (!take(quote)) return std::nullopt;
    const std::size_t length = rest_.find(quote);
    if (length == std::string_view::npos) return std::nullopt;
    const std::string_view text = rest_.substr(0, length);
    rest_.remove_prefix(length + 1);
    return text;
  }

  std::optional<bool> boolean() {
    if (take("True")) return true;
    if (take("False")) return false;
    return std::nullopt;
  }

  /// "()", "(3,)", "(3, 4)"; Python 2 wrote (3L, 4L).
  std::optional<Shape> tuple() {
    if (!take('(')) return std::nullopt;
    Shape shape;
    bool comma = true;
    while (!take(')')) {
      std::int64_t dimension = 0;
      if (!comma || !integer(dimension)) return std::nullopt;
      shape.push_back(dimension);
      comma = take(',');
    }
    if (shape.size() == 1 && !comma) return std::nullopt;  // (3) is a number
    return shape;
  }

  bool integer(std::int64_t& number) {
    skip_space();
    const auto [end, status] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
    if (status != std::errc{} || number < 0) return false;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    take('L');
    return true;
  }

  std::string_view rest_;
};

/// Splits the file into the text of its header and its data.
Result<std::string_view> take_header(std::span<const std::byte>& file) {
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  constexpr std::size_t kVersionEnd = kMagic.size() + 2;
  if (!text.starts_with(kMagic)) return damaged("it does not begin with numpy's signature");
  if (text.size() < kVersionEnd) return damaged("it ends within its header");
  const int version = std::to_integer<int>(file[kMagic.size()]);
  if (version < 1 || version > 3) return damaged(fmt::format("format version {} is unknown", version));
  const std::size_t width = version == 1 ? 2 : 4;
  if (text.size() < kVersionEnd + width) return damaged("it ends within its header");
  std::size_t length = 0;
  for (std::size_t i = 0; i < width; ++i) length |= std::to_integer<std::size_t>(file[kVersionEnd + i]) << (8 * i);
  if (text.size() - kVersionEnd - width < length) return damaged("it ends within its header");
  file = file.subspan(kVersionEnd + width + length);
  return text.substr(kVersionEnd + width, length);
}

/// Copies column-major elements to their row-major places.
void copy_transposed(std::byte* to, const std::byte* from, const Shape& shape, std::size_t element) {
  const std::size_t rank = shape.size();
  std::vector<std::size_t> stride(rank, element);  // of the source, in bytes
  for (std::size_t axis = 1; axis < rank; ++axis) stride[axis] = stride[axis - 1] * static_cast<std::size_t>(shape[axis - 1]);
  std::vector<std::int64_t> index(rank, 0);
  for (std::size_t axis = rank; axis > 0;) {
    std::memcpy(to, from, element);
    to += element;
    for (axis = rank; axis > 0; --axis) {  // on to the next index, with its carry; no axis is left after the last
      from += stride[axis - 1];
      if (++index[axis - 1] < shape[axis - 1]) break;
      from -= stride[axis - 1] * static_cast<std::size_t>(shape[axis - 1]);
      index[axis - 1] = 0;
    }
  }
}

}  // namespace

Result<Tensor> parse_npy(std::span<const std::byte> file) {
  LAPSE_TRY(const std::string_view text, take_header(file));
  LAPSE_TRY(Header header, HeaderReader(text).read());
  LAPSE_TRY(const std::size_t bytes, byte_size(header.dtype, header.shape));
  if (file.size() != bytes)
    return damaged(fmt::format("{} bytes of data follow its header, its shape and type take {}", file.size(), bytes));
  LAPSE_TRY(Tensor tensor, Tensor::make(header.dtype, std::move(header.shape)));
  if (bytes == 0) return tensor;

  const std::size_t element = size_of(header.dtype);
  if (header.fortran_order && tensor.shape().size() > 1) {
    copy_transposed(tensor.data(), file.data(), tensor.shape(), element);
  } else {
    std::memcpy(tensor.data(), file.data(), bytes);
  }
  if (header.big_endian) {
    for (std::byte* at = tensor.data(); at != tensor.data() + bytes; at += element) std::reverse(at, at + element);
  }
  if (header.dtype == DType::Bool) {  // any other byte than 0 and 1 is undefined behaviour in an engine
    std::transform(tensor.data(), tensor.data() + bytes, tensor.data(), [](std::byte b) { return b == std::byte{0} ? b : std::byte{1}; });
  }
  return tensor;
}

Result<Tensor> read_npy(const std::filesystem::path& path) {
  LAPSE_TRY(const std::vector<std::byte> file, read_file(path));
  return parse_npy(file).map_error([&](Error error) { return in_file(path, std::move(error)); });
}

Result<void> write_npy(const std::filesystem::path& path, const TensorView& tensor) {
  const bool widen = tensor.dtype == DType::BFloat16;
  const DType dtype = widen ? DType::Float32 : tensor.dtype;
  const auto type = std::find_if(kTypes.begin(), kTypes.end(), [&](const Type& candidate) { return candidate.dtype == dtype; });
  if (type == kTypes.end()) return fail(ErrorCode::BadInput, fmt::format("a tensor of {} has no .npy type", name(dtype)));

  const std::string_view comma = tensor.shape.size() == 1 ? "," : "";  // (3,) is a tuple, (3) a number
  const std::string dictionary = fmt::format("{{'descr': '{}{}', 'fortran_order': False, 'shape': ({}{}), }}",
                                             size_of(dtype) == 1 ? '|' : '<', type->code, fmt::join(tensor.shape, ", "), comma);
  constexpr std::size_t kPrefix = kMagic.size() + 4;
  const std::size_t size = (kPrefix + dictionary.size()) / 64 * 64 + 64 - kPrefix;  // the data begin at a multiple of 64
  const std::string header = fmt::format("{:<{}}\n", dictionary, size - 1);
  if (header.size() > 0xFFFF) return fail(ErrorCode::BadInput, "the tensor has too many dimensions for a .npy file");

  std::ofstream stream(path, std::ios::binary | std::ios::trunc);
  const std::array<char, 4> version_and_length{1, 0, static_cast<char>(header.size() & 0xFF), static_cast<char>(header.size() >> 8)};
  stream << kMagic;
  stream.write(version_and_length.data(), version_and_length.size());
  stream << header;
  if (widen) {
    for (std::size_t i = 0; i < tensor.bytes / size_of(tensor.dtype); ++i) {
      const float value = value_at<BFloat16Element>(tensor.data, i);
      stream.write(reinterpret_cast<const char*>(&value), sizeof(value));
    }
  } else if (tensor.bytes > 0) {
    stream.write(reinterpret_cast<const char*>(tensor.data), static_cast<std::streamsize>(tensor.bytes));
  }
  stream.close();
  if (stream.fail()) {
    return fail(ErrorCode::BadInput, fmt::format("cannot write {}: {}", path.string(), std::generic_category().message(errno)));
  }
  return {};
}

}  // namespace lapse::tensor
