#include "session.hpp"

#include <optional>
#include <string_view>
#include <utility>

#include <lapse/engine/plugin/model_file.hpp>
#include "cuda.hpp"
#include "dtype.hpp"
#include "owned.hpp"

namespace lapse::plugin::onnxruntime {
namespace {

// Its own texts never reach the terminal: what matters comes back in a status.
void discard_log(void* /*unused*/, OrtLoggingLevel /*severity*/, const char* /*category*/, const char* /*id*/, const char* /*place*/,
                 const char* /*text*/) {}

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
    : library_(std::move(library)),
      env_(make_owned<OrtEnv>(
          api(), api().ReleaseEnv, Stage::Open, library_.path,
          [this](OrtEnv** out) { return api().CreateEnvWithCustomLogger(discard_log, nullptr, ORT_LOGGING_LEVEL_FATAL, "lapse", out); })),
      devices_(device_list(cuda_devices(library_))) {}

std::unique_ptr<Session> Engine::load(const std::string& model, Options& options) {
  int threads = 0;
  const Device device = read_device(options);
  if (device.cuda) require_cuda(library_, device);
  const auto native_options = session_options(api(), options, threads);
  const CudaOptions cuda{
      options.choice<std::string>("conv_search", {{"exhaustive", "EXHAUSTIVE"}, {"heuristic", "HEURISTIC"}, {"default", "DEFAULT"}}),
      options.flag("tf32")};
  options.refuse_unknown();
  open_model_file(model);
  const auto create = [&](const OrtSessionOptions* with) {
    return make_owned<OrtSession>(api(), api().ReleaseSession, Stage::Load, model,
                                  [&](OrtSession** out) { return api().CreateSession(env_.get(), model.c_str(), with, out); });
  };
  std::vector<Owned<OrtSession>> sessions;
  if (!device.cuda) sessions.push_back(create(native_options.get()));
  for (void* const stream : device.streams) {
    const auto on_stream = make_owned<OrtSessionOptions>(api(), api().ReleaseSessionOptions, Stage::Load, {},
                                                         [&](auto** out) { return api().CloneSessionOptions(native_options.get(), out); });
    run_on_cuda(library_, *on_stream, device, stream, cuda);
    sessions.push_back(create(on_stream.get()));
  }
  return std::make_unique<Session>(api(), std::move(sessions), device, threads, model);
}

Session::Session(const OrtApi& api, std::vector<Owned<OrtSession>> natives, const Device& device, int threads, const std::string& model)
    : api_(api),
      natives_(std::move(natives)),
      inputs_(describe(api, native(), {api.SessionGetInputCount, api.SessionGetInputName, api.SessionGetInputTypeInfo})),
      outputs_(describe(api, native(), {api.SessionGetOutputCount, api.SessionGetOutputName, api.SessionGetOutputTypeInfo})),
      device_(device),
      threads_(threads) {
  for (const auto& port : inputs_.views()) {
    if (port.dtype != LAPSE_DTYPE_UNKNOWN) continue;
    throw Failure(LAPSE_UNSUPPORTED,
                  model + ": input '" + port.name + "' is " + (port.rank < 0 ? "no tensor" : "of a type that lapse can't pass"),
                  "lapse feeds dense tensors of bool, integers and floats");
  }
}

lapse_session_info Session::info() const noexcept { return session_info(inputs_, outputs_, device_, threads_); }

std::unique_ptr<Binding> Session::bind(std::span<const lapse_tensor> tensors) {
  inputs_.check(tensors);
  if (device_.cuda) return bind_on_cuda(*this, tensors);
  return std::make_unique<HostBinding>(*this, tensors);
}

}  // namespace lapse::plugin::onnxruntime
