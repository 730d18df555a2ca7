#include <fmt/format.h>

#include <lapse/engine/session.hpp>

namespace lapse::engine {
namespace {

// The C enumeration and the C++ one are the same numbers, so a cast converts between them.
static_assert(static_cast<int>(tensor::DType::Bool) == LAPSE_BOOL);
static_assert(static_cast<int>(tensor::DType::Float16) == LAPSE_FLOAT16);
static_assert(static_cast<int>(tensor::DType::Float64) == LAPSE_FLOAT64);

ErrorCode code_of(lapse_status status) {
  switch (status) {
    case LAPSE_BAD_INPUT:
      return ErrorCode::BadInput;
    case LAPSE_BAD_MODEL:
      return ErrorCode::BadModel;
    case LAPSE_UNSUPPORTED:
      return ErrorCode::Unsupported;
    case LAPSE_OUT_OF_MEMORY:
      return ErrorCode::OutOfMemory;
    case LAPSE_ENGINE_UNUSABLE:
      return ErrorCode::EngineUnusable;
    case LAPSE_DEVICE_UNUSABLE:
      return ErrorCode::DeviceUnusable;
    case LAPSE_OK:
    case LAPSE_INTERNAL:
      break;
  }
  return ErrorCode::Internal;
}

Error last_error(const lapse_engine_api& api, lapse_status status) {
  const char* message = api.error();
  const char* hint = api.hint();
  std::string text = message != nullptr ? message : "";
  if (text.empty()) text = fmt::format("the engine {} failed without a reason (status {})", api.name, static_cast<int>(status));
  return {code_of(status), std::move(text), hint != nullptr ? hint : ""};
}

std::string text_of(const char* text) { return text != nullptr ? text : ""; }

std::vector<lapse_option> to_c(const Options& options) {
  std::vector<lapse_option> result;
  for (const auto& [key, value] : options) result.push_back({key.c_str(), value.c_str()});
  return result;
}

Port from_c(const lapse_port& port) {
  Port result{text_of(port.name), static_cast<tensor::DType>(port.dtype), std::nullopt};
  if (port.rank < 0) return result;
  result.dims.emplace();
  for (int i = 0; i < port.rank; ++i) {
    Dimension dimension{port.dims[i] < 0 ? -1 : port.dims[i], {}};
    if (dimension.size < 0 && port.dim_names != nullptr) dimension.name = text_of(port.dim_names[i]);
    result.dims->push_back(std::move(dimension));
  }
  return result;
}

}  // namespace

Result<Engine> Engine::open(const lapse_engine_api& api, const Options& options) {
  const auto c_options = to_c(options);
  lapse_engine* handle = nullptr;
  if (const auto status = api.open(c_options.data(), c_options.size(), &handle); status != LAPSE_OK) {
    return tl::unexpected(last_error(api, status));
  }
  Engine engine{&api, handle};
  lapse_engine_info info{};
  if (const auto status = api.engine_info(handle, &info); status != LAPSE_OK) return tl::unexpected(last_error(api, status));
  engine.version_ = text_of(info.version);
  engine.library_ = text_of(info.library);
  engine.devices_ = text_of(info.devices);
  return engine;
}

Result<Session> Engine::load(const std::string& model, const Options& options) {
  const auto c_options = to_c(options);
  lapse_session* handle = nullptr;
  if (const auto status = api_->load(handle_.get(), model.c_str(), c_options.data(), c_options.size(), &handle); status != LAPSE_OK) {
    Error error = last_error(*api_, status);
    if (error.code == ErrorCode::BadModel && error.hint.empty())
      error.hint = "export or download it again, or name another engine: --engine";
    return tl::unexpected(std::move(error));
  }
  Session session{api_, handle};
  lapse_session_info info{};
  if (const auto status = api_->session_info(handle, &info); status != LAPSE_OK) return tl::unexpected(last_error(*api_, status));
  for (std::size_t i = 0; i < info.input_count; ++i) session.inputs_.push_back(from_c(info.inputs[i]));
  for (std::size_t i = 0; i < info.output_count; ++i) session.outputs_.push_back(from_c(info.outputs[i]));
  session.device_ = text_of(info.device);
  session.asynchronous_ = info.asynchronous != 0;
  session.concurrent_ = info.concurrent != 0;
  session.threads_ = info.threads;
  session.staged_ = info.staged != 0;
  session.transfers_ = text_of(info.transfers);
  if (session.staged_ && api_->stage == nullptr) {
    return fail(ErrorCode::EngineUnusable,
                fmt::format("the engine {} calls a session staged, but has no function for a stage", api_->name));
  }
  return session;
}

Result<Binding> Session::bind(std::span<const tensor::TensorView> inputs) {
  std::vector<lapse_tensor> c_inputs;
  std::vector<std::span<std::byte>> bound;
  for (const auto& input : inputs) {
    // An engine only reads its inputs; the C struct serves for outputs too, hence the cast.
    c_inputs.push_back({static_cast<std::int32_t>(input.dtype), static_cast<std::int32_t>(input.shape.size()), input.shape.data(),
                        const_cast<std::byte*>(input.data), input.bytes});
    bound.emplace_back(const_cast<std::byte*>(input.data), input.bytes);
  }
  lapse_binding* handle = nullptr;
  if (const auto status = api_->bind(handle_.get(), c_inputs.data(), c_inputs.size(), &handle); status != LAPSE_OK) {
    return tl::unexpected(last_error(*api_, status));
  }
  return Binding{api_, handle, std::move(bound)};
}

Result<std::vector<std::span<std::byte>>> Binding::inputs() {
  const bool there = api_->struct_size >= offsetof(lapse_engine_api, inputs) + sizeof(api_->inputs) && api_->inputs != nullptr;
  const lapse_tensor* inputs = nullptr;
  std::size_t count = 0;
  if (there) {
    if (const auto status = api_->inputs(handle_.get(), &inputs, &count); status != LAPSE_OK) {
      return tl::unexpected(last_error(*api_, status));
    }
  }
  if (count == 0) return bound_;
  std::vector<std::span<std::byte>> own;
  for (std::size_t i = 0; i < count; ++i) own.emplace_back(static_cast<std::byte*>(inputs[i].data), inputs[i].bytes);
  return own;
}

Error Binding::error(lapse_status status) const { return last_error(*api_, status); }

Result<std::vector<tensor::TensorView>> Binding::outputs() {
  const lapse_tensor* outputs = nullptr;
  std::size_t count = 0;
  if (const auto status = api_->outputs(handle_.get(), &outputs, &count); status != LAPSE_OK) {
    return tl::unexpected(last_error(*api_, status));
  }
  std::vector<tensor::TensorView> views;
  for (std::size_t i = 0; i < count; ++i) {
    const lapse_tensor& output = outputs[i];
    views.push_back({static_cast<tensor::DType>(output.dtype),
                     {output.dims, static_cast<std::size_t>(output.rank)},
                     static_cast<const std::byte*>(output.data),
                     output.bytes});
  }
  return views;
}

}  // namespace lapse::engine
