#include <lapse/engine/plugin/ports.hpp>

#include <array>
#include <string_view>
#include <utility>

#include <lapse/engine/plugin/failure.hpp>

namespace lapse::plugin {
namespace {

struct TypeFacts {
  std::string_view name;
  std::size_t size;
};

// In the order of lapse_dtype.
constexpr std::array<TypeFacts, LAPSE_FLOAT64 + 1> kTypes = {{{"unknown", 0},
                                                              {"bool", 1},
                                                              {"uint8", 1},
                                                              {"int8", 1},
                                                              {"uint16", 2},
                                                              {"int16", 2},
                                                              {"uint32", 4},
                                                              {"int32", 4},
                                                              {"uint64", 8},
                                                              {"int64", 8},
                                                              {"float16", 2},
                                                              {"bfloat16", 2},
                                                              {"float32", 4},
                                                              {"float64", 8}}};

const TypeFacts& facts(std::int32_t dtype) noexcept {
  const auto index = static_cast<std::size_t>(dtype);
  return dtype < 0 || index >= kTypes.size() ? kTypes[LAPSE_DTYPE_UNKNOWN] : kTypes[index];
}

std::string describe(std::int32_t dtype, std::span<const std::int64_t> dims, std::span<const std::string> names) {
  std::string text(facts(dtype).name);
  text += dims.empty() ? " scalar" : " [";
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (i > 0) text += ", ";
    if (dims[i] >= 0) {
      text += std::to_string(dims[i]);
    } else {
      text += i < names.size() && !names[i].empty() ? names[i] : "?";
    }
  }
  if (!dims.empty()) text += ']';
  return text;
}

std::string wanted(const Port& port) {
  return port.dims ? describe(port.dtype, *port.dims, port.dim_names) : std::string(facts(port.dtype).name);
}

bool fits(const Port& port, std::int32_t dtype, std::span<const std::int64_t> dims) {
  if (port.dtype != LAPSE_DTYPE_UNKNOWN && port.dtype != dtype) return false;
  // ONNX Runtime tells no dims both of a scalar and where the model has no shape, so none refuse nothing here: the engine will.
  if (!port.dims || port.dims->empty()) return true;
  if (port.dims->size() != dims.size()) return false;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if ((*port.dims)[i] >= 0 && (*port.dims)[i] != dims[i]) return false;
  }
  return true;
}

// Bytes of a dense tensor; nothing when a dimension is negative or the product does not fit.
std::optional<std::uint64_t> dense_bytes(std::int32_t dtype, std::span<const std::int64_t> dims) {
  std::uint64_t bytes = size_of(dtype);
  for (const auto dim : dims) {
    if (dim < 0 || __builtin_mul_overflow(bytes, static_cast<std::uint64_t>(dim), &bytes)) return std::nullopt;
  }
  return bytes;
}

void check_one(const Port& port, const lapse_tensor& tensor) {
  const std::string input = "input '" + port.name + "' ";
  if (tensor.rank < 0 || (tensor.rank > 0 && tensor.dims == nullptr)) throw Failure(LAPSE_BAD_INPUT, input + "has no dims");
  const std::span dims(tensor.dims, static_cast<std::size_t>(tensor.rank));
  if (size_of(tensor.dtype) == 0) throw Failure(LAPSE_BAD_INPUT, input + "has no type");
  const auto bytes = dense_bytes(tensor.dtype, dims);
  if (!bytes || *bytes != tensor.bytes || (tensor.data == nullptr && tensor.bytes > 0)) {
    throw Failure(LAPSE_BAD_INPUT,
                  input + "is " + describe(tensor.dtype, dims, {}) + ", but has " + std::to_string(tensor.bytes) + " bytes");
  }
  if (!fits(port, tensor.dtype, dims)) {
    throw Failure(LAPSE_BAD_INPUT, input + "must be " + wanted(port) + ", not " + describe(tensor.dtype, dims, {}));
  }
}

}  // namespace

std::size_t size_of(std::int32_t dtype) noexcept { return facts(dtype).size; }

Ports::Ports(std::vector<Port> ports) : ports_(std::move(ports)) {
  dim_names_.reserve(ports_.size());
  views_.reserve(ports_.size());
  for (const auto& port : ports_) {
    auto& names = dim_names_.emplace_back();
    for (const auto& name : port.dim_names) names.push_back(name.empty() ? nullptr : name.c_str());
    lapse_port view{};
    view.name = port.name.c_str();
    view.dtype = port.dtype;
    view.rank = port.dims ? static_cast<std::int32_t>(port.dims->size()) : -1;
    view.dims = port.dims ? port.dims->data() : nullptr;
    view.dim_names = names.empty() ? nullptr : names.data();
    views_.push_back(view);
  }
}

void Ports::check(std::span<const lapse_tensor> tensors) const {
  if (tensors.size() != ports_.size()) {
    throw Failure(LAPSE_BAD_INPUT, "the model takes " + std::to_string(ports_.size()) + (ports_.size() == 1 ? " input" : " inputs") +
                                       ", not " + std::to_string(tensors.size()));
  }
  for (std::size_t i = 0; i < tensors.size(); ++i) check_one(ports_[i], tensors[i]);
}

lapse_session_info session_info(const Ports& inputs, const Ports& outputs, const char* device, bool asynchronous, bool concurrent,
                                int threads) noexcept {
  lapse_session_info info{};
  info.inputs = inputs.views().data();
  info.input_count = inputs.size();
  info.outputs = outputs.views().data();
  info.output_count = outputs.size();
  info.device = device;
  info.transfers = "";
  info.asynchronous = asynchronous ? 1 : 0;
  info.concurrent = concurrent ? 1 : 0;
  info.threads = threads;
  return info;
}

}  // namespace lapse::plugin
