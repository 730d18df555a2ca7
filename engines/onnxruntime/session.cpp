#include "session.hpp"

#include <optional>
#include <string_view>
#include <utility>

#include <lapse/engine/plugin/model_file.hpp>
#include "dtype.hpp"
#include "status.hpp"

namespace lapse::plugin::onnxruntime {
namespace {

// Its own texts never reach the terminal: what matters comes back in a status.
void discard_log(void* /*unused*/, OrtLoggingLevel /*severity*/, const char* /*category*/, const char* /*id*/, const char* /*place*/,
                 const char* /*text*/) {}

// Calls `make(&object)` and owns what it made.
template <class T, class Make>
Owned<T> make_owned(const OrtApi& api, void (*release)(T*), Stage stage, std::string_view subject, Make&& make) {
  T* object = nullptr;
  check(api, make(&object), stage, subject);
  return {object, release};
}

Owned<OrtSessionOptions> session_options(const OrtApi& api, Options& given, int& threads) {
  auto options = make_owned<OrtSessionOptions>(api, api.ReleaseSessionOptions, Stage::Load, {}, api.CreateSessionOptions);
  const auto set = [&](OrtStatus* status) { check(api, status, Stage::Load); };
  set(api.SetSessionLogSeverityLevel(options.get(), ORT_LOGGING_LEVEL_FATAL));
  set(api.SetSessionGraphOptimizationLevel(
      options.get(),
      given
          .choice<GraphOptimizationLevel>(
              "optimization",
              {{"disable", ORT_DISABLE_ALL}, {"basic", ORT_ENABLE_BASIC}, {"extended", ORT_ENABLE_EXTENDED}, {"all", ORT_ENABLE_ALL}})
          .value_or(ORT_ENABLE_ALL)));
  if (const auto count = given.count("threads")) {
    set(api.SetIntraOpNumThreads(options.get(), *count));
    threads = *count;
  }
  if (const auto count = given.count("inter_threads")) set(api.SetInterOpNumThreads(options.get(), *count));
  if (const auto mode = given.choice<ExecutionMode>("execution", {{"sequential", ORT_SEQUENTIAL}, {"parallel", ORT_PARALLEL}})) {
    set(api.SetSessionExecutionMode(options.get(), *mode));
  }
  if (const auto spin = given.flag("spinning")) {
    for (const char* key : {"session.intra_op.allow_spinning", "session.inter_op.allow_spinning"}) {
      set(api.AddSessionConfigEntry(options.get(), key, *spin ? "1" : "0"));
    }
  }
  if (const auto arena = given.flag("arena")) set((*arena ? api.EnableCpuMemArena : api.DisableCpuMemArena)(options.get()));
  return options;
}

Port describe_tensor(const OrtApi& api, const OrtTensorTypeAndShapeInfo* info, std::string name) {
  ONNXTensorElementDataType type{};
  std::size_t rank = 0;
  check(api, api.GetTensorElementType(info, &type), Stage::Load);
  check(api, api.GetDimensionsCount(info, &rank), Stage::Load);
  std::vector<std::int64_t> dims(rank);
  std::vector<const char*> names(rank);
  check(api, api.GetDimensions(info, dims.data(), rank), Stage::Load);
  check(api, api.GetSymbolicDimensions(info, names.data(), rank), Stage::Load);
  return {std::move(name), to_lapse(type), std::move(dims), std::vector<std::string>(names.begin(), names.end())};
}

// An input or output; its type is unknown and its dims are not told when it is no tensor.
struct Side {
  OrtStatus* (*count)(const OrtSession*, std::size_t*);
  OrtStatus* (*name)(const OrtSession*, std::size_t, OrtAllocator*, char**);
  OrtStatus* (*type)(const OrtSession*, std::size_t, OrtTypeInfo**);
};

std::vector<Port> describe(const OrtApi& api, const OrtSession* session, const Side& side) {
  OrtAllocator* allocator = nullptr;
  std::size_t count = 0;
  check(api, api.GetAllocatorWithDefaultOptions(&allocator), Stage::Load);
  check(api, side.count(session, &count), Stage::Load);
  std::vector<Port> ports;
  for (std::size_t i = 0; i < count; ++i) {
    char* text = nullptr;
    check(api, side.name(session, i, allocator, &text), Stage::Load);
    std::string name = text;
    allocator->Free(allocator, text);
    const auto type =
        make_owned<OrtTypeInfo>(api, api.ReleaseTypeInfo, Stage::Load, {}, [&](auto** out) { return side.type(session, i, out); });
    const OrtTensorTypeAndShapeInfo* tensor = nullptr;  // belongs to `type`
    check(api, api.CastTypeInfoToTensorInfo(type.get(), &tensor), Stage::Load);
    ports.push_back(tensor == nullptr ? Port{std::move(name), LAPSE_DTYPE_UNKNOWN, std::nullopt, {}}
                                      : describe_tensor(api, tensor, std::move(name)));
  }
  return ports;
}

}  // namespace

std::unique_ptr<Engine> Engine::open(Options& options) {
  const auto library = options.text("library");
  options.refuse_unknown();
  return std::make_unique<Engine>(open_library(library));
}

Engine::Engine(Library library)
    : library_(std::move(library)), env_(make_owned<OrtEnv>(api(), api().ReleaseEnv, Stage::Open, library_.path, [this](OrtEnv** out) {
        return api().CreateEnvWithCustomLogger(discard_log, nullptr, ORT_LOGGING_LEVEL_FATAL, "lapse", out);
      })) {}

std::unique_ptr<Session> Engine::load(const std::string& model, Options& options) {
  int threads = 0;
  options.require_device("cpu");
  const auto native_options = session_options(api(), options, threads);
  options.refuse_unknown();
  open_model_file(model);
  auto session = make_owned<OrtSession>(api(), api().ReleaseSession, Stage::Load, model, [&](OrtSession** out) {
    return api().CreateSession(env_.get(), model.c_str(), native_options.get(), out);
  });
  return std::make_unique<Session>(api(), std::move(session), threads, model);
}

Session::Session(const OrtApi& api, Owned<OrtSession> session, int threads, const std::string& model)
    : api_(api),
      session_(std::move(session)),
      inputs_(describe(api, session_.get(), {api.SessionGetInputCount, api.SessionGetInputName, api.SessionGetInputTypeInfo})),
      outputs_(describe(api, session_.get(), {api.SessionGetOutputCount, api.SessionGetOutputName, api.SessionGetOutputTypeInfo})),
      threads_(threads) {
  for (const auto& port : inputs_.views()) {
    if (port.dtype != LAPSE_DTYPE_UNKNOWN) continue;
    throw Failure(LAPSE_UNSUPPORTED,
                  model + ": input '" + port.name + "' is " + (port.rank < 0 ? "no tensor" : "of a type that lapse can't pass"),
                  "lapse feeds dense tensors of bool, integers and floats");
  }
}

lapse_session_info Session::info() const noexcept { return session_info(inputs_, outputs_, "cpu", false, true, threads_); }

std::unique_ptr<Binding> Session::bind(std::span<const lapse_tensor> tensors) {
  inputs_.check(tensors);
  return std::make_unique<Binding>(*this, tensors);
}

Binding::Binding(Session& session, std::span<const lapse_tensor> tensors)
    : api_(session.api()), session_(session), output_values_(session.outputs().size()), output_dims_(session.outputs().size()) {
  const auto memory = make_owned<OrtMemoryInfo>(api_, api_.ReleaseMemoryInfo, Stage::Bind, {}, [&](OrtMemoryInfo** out) {
    return api_.CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, out);
  });
  static char nothing = 0;  // an empty tensor still needs an address
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const lapse_tensor& tensor = tensors[i];
    void* const data = tensor.data != nullptr ? tensor.data : &nothing;
    inputs_.push_back(make_owned<OrtValue>(api_, api_.ReleaseValue, Stage::Bind, {}, [&](OrtValue** out) {
      return api_.CreateTensorWithDataAsOrtValue(memory.get(), data, tensor.bytes, tensor.dims, static_cast<std::size_t>(tensor.rank),
                                                 from_lapse(tensor.dtype), out);
    }));
    input_values_.push_back(inputs_.back().get());
    input_names_.push_back(session.inputs()[i].name.c_str());
  }
  for (const auto& port : session.outputs().views()) output_names_.push_back(port.name);
  output_views_.reserve(output_values_.size());
}

Binding::~Binding() { release_outputs(); }

void Binding::release_outputs() noexcept {
  for (OrtValue*& value : output_values_) {
    api_.ReleaseValue(std::exchange(value, nullptr));
  }
}

void Binding::submit(void* /*stream*/) {
  release_outputs();
  check(api_,
        api_.Run(session_.native(), nullptr, input_names_.data(), input_values_.data(), input_values_.size(), output_names_.data(),
                 output_names_.size(), output_values_.data()),
        Stage::Submit);
}

std::span<const lapse_tensor> Binding::outputs() {
  output_views_.clear();
  for (std::size_t i = 0; i < output_values_.size(); ++i) output_views_.push_back(view(i));
  return output_views_;
}

lapse_tensor Binding::view(std::size_t index) {
  OrtValue* const value = output_values_[index];
  const std::string& name = session_.outputs()[index].name;
  if (value == nullptr) throw Failure(LAPSE_BAD_INPUT, "output '" + name + "' is not there: no submit has succeeded");
  int is_tensor = 0;
  check(api_, api_.IsTensor(value, &is_tensor), Stage::Submit);
  if (is_tensor == 0) throw Failure(LAPSE_UNSUPPORTED, "output '" + name + "' is no tensor");
  const auto info = make_owned<OrtTensorTypeAndShapeInfo>(api_, api_.ReleaseTensorTypeAndShapeInfo, Stage::Submit, {},
                                                          [&](auto** out) { return api_.GetTensorTypeAndShape(value, out); });
  ONNXTensorElementDataType type{};
  std::size_t rank = 0;
  std::size_t elements = 0;
  check(api_, api_.GetTensorElementType(info.get(), &type), Stage::Submit);
  check(api_, api_.GetDimensionsCount(info.get(), &rank), Stage::Submit);
  check(api_, api_.GetTensorShapeElementCount(info.get(), &elements), Stage::Submit);
  auto& dims = output_dims_[index];
  dims.resize(rank);
  check(api_, api_.GetDimensions(info.get(), dims.data(), rank), Stage::Submit);
  const lapse_dtype dtype = to_lapse(type);
  if (dtype == LAPSE_DTYPE_UNKNOWN) throw Failure(LAPSE_UNSUPPORTED, "output '" + name + "' is of a type that lapse can't pass");
  void* data = nullptr;
  check(api_, api_.GetTensorMutableData(value, &data), Stage::Submit);
  return {dtype, static_cast<std::int32_t>(rank), dims.data(), data, elements * size_of(dtype)};
}

}  // namespace lapse::plugin::onnxruntime
