#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <lapse/device/controls.hpp>
#include <lapse/engine/builtin.hpp>
#include <lapse/engine/catalogue.hpp>
#include <lapse/host/affinity.hpp>
#include <lapse/host/memory.hpp>
#include <lapse/measure/model.hpp>
#include <string_view>

namespace lapse::measuring {
namespace {

namespace fs = std::filesystem;

struct Target {
  const lapse_engine_api* engine = nullptr;
  std::string model;               // as the engine takes it
  std::optional<fs::path> folder;  // in the ONNX test-data layout
};

Result<Target> find_file(const ModelRequest& request) {
  const fs::path path = request.model;
  std::error_code failed;
  const auto status = fs::status(path, failed);
  if (!fs::exists(status)) {
    return fail(ErrorCode::BadModel, fmt::format("{}: no such file", request.model),
                "give a model file, a folder with model.onnx and test_data_set_*, null, or sim:submit=50us,device=5ms");
  }
  Target target;
  fs::path file = path;
  if (fs::is_directory(status)) {
    target.folder = path;
    file = path / (request.engine == "torch" ? "model.pt" : "model.onnx");
    if (!fs::exists(file, failed)) {
      return fail(ErrorCode::BadModel, fmt::format("{}: the folder has no {}", request.model, file.filename().string()),
                  "a folder is read in the ONNX test-data layout: model.onnx and test_data_set_*/{input,output}_N.pb");
    }
  } else if (!fs::is_regular_file(status)) {
    return fail(ErrorCode::BadModel, fmt::format("{}: not a file", request.model), "give a model file, or a folder with one");
  }
  LAPSE_TRY(target.engine, request.engine.empty() ? engine::engine_for(file) : engine::find_engine(request.engine));
  target.model = file.string();
  return target;
}

Result<Target> find_target(const ModelRequest& request) {
  for (const std::string_view builtin : {"null", "sim"}) {
    const std::string prefix = fmt::format("{}:", builtin);
    if (request.model != builtin && !request.model.starts_with(prefix)) continue;
    if (!request.engine.empty() && request.engine != builtin) {
      return fail(ErrorCode::BadUse, fmt::format("{} is an engine of its own, not a model for {}", builtin, request.engine),
                  fmt::format("leave --engine out; a file called {0} is ./{0}", builtin));
    }
    Target target;
    LAPSE_TRY(target.engine, engine::find_engine(builtin));
    target.model = request.model.substr(std::min(request.model.size(), prefix.size()));
    return target;
  }
  std::error_code failed;
  if (engine::names_subject(request.model) && !fs::exists(request.model, failed)) {  // an existing file may have any name
    if (!request.engine.empty() && request.engine != "subject") {
      return fail(ErrorCode::BadUse, fmt::format("{} is a subject of a library, not a model for {}", request.model, request.engine),
                  "leave --engine out");
    }
    Target target;
    LAPSE_TRY(target.engine, engine::find_engine("subject"));
    target.model = request.model;
    return target;
  }
  return find_file(request);
}

OutputInfo describe(const tensor::TensorView& output, std::size_t index, const std::vector<engine::Port>& ports) {
  OutputInfo info;
  info.name = index < ports.size() ? ports[index].name : std::to_string(index);
  info.dtype = output.dtype;
  info.shape.assign(output.shape.begin(), output.shape.end());
  info.non_finite = tensor::count_non_finite(output);
  return info;
}

std::size_t fingerprint(const InputSet& set) {
  std::size_t hash = 0;
  for (const tensor::Tensor& input : set.inputs) {
    hash = 31 * hash + std::hash<std::string_view>{}({reinterpret_cast<const char*>(input.data()), input.bytes()});
  }
  return hash;
}

std::uint64_t peak_memory(const PreparedModel& model) {
  const std::uint64_t peak = host::peak_resident();
  return model.peak_was_reset ? peak - std::min(peak, model.resident_before) : peak;
}

Result<void> open_device(LoadedModel& model, const std::string& device, std::size_t streams) {
  LAPSE_TRY(model.timeline, device::open_timeline(device, streams));
  if (device::Controls* controls = model.timeline->controls()) {
    LAPSE_TRY(model.device_memory_before, controls->memory_used());
  }
  return {};
}

Error nothing_travels(const std::string& transfers) {
  return {ErrorCode::BadUse, fmt::format("--transfers {}: this model is not copied to a device and back", transfers),
          "leave --transfers out, or name a device: --device cuda"};
}

// As an engine is told those that it computes on: decimal, with commas between.
std::string addresses(device::Timeline& timeline, std::size_t count) {
  std::vector<std::uintptr_t> streams;
  for (std::size_t i = 0; i < count; ++i) streams.push_back(reinterpret_cast<std::uintptr_t>(timeline.stream(i)));
  return fmt::format("{}", fmt::join(streams, ","));
}

void note_device_memory(PreparedModel& model, ModelTiming& timing) {
  device::Controls* controls = model.timeline->controls();
  if (controls == nullptr) return;
  const auto used = controls->memory_used();
  if (used && *used > model.device_memory_before) timing.device_peak = std::max(timing.device_peak, *used - model.device_memory_before);
}

}  // namespace

Result<LoadedModel> load_model(const ModelRequest& request, const Plan& plan) {
  LoadedModel model;
  model.peak_was_reset = host::reset_peak();
  model.resident_before = host::resident();
  const auto begin = std::chrono::steady_clock::now();
  LAPSE_TRY(const Target target, find_target(request));  // loads the plug-in, and with it the library that it is linked to
  model.folder = target.folder;
  model.threads = request.threads.value_or(std::max(1, host::usable_cpus() / static_cast<int>(plan.in_flight)));

  engine::Options open_options, load_options{{"threads", std::to_string(model.threads)}};
  if (!request.engine_library.empty()) open_options.emplace_back("library", request.engine_library);
  const std::string device = request.device == "cuda" ? "cuda:0" : request.device;
  if (!device.empty()) load_options.emplace_back("device", device);
  const bool copies = device.starts_with("cuda") || target.engine == &engine::sim_engine();
  if (!request.transfers.empty() && !copies) return tl::unexpected(nothing_travels(request.transfers));
  if (!request.transfers.empty()) load_options.emplace_back("transfers", request.transfers);
  load_options.insert(load_options.end(), request.engine_options.begin(), request.engine_options.end());

  // Before the model is loaded, so that what it takes of the device's memory can be told.
  if (device.starts_with("cuda")) {
    LAPSE_CHECK(open_device(model, device, plan.streams + plan.copy_streams));
    load_options.emplace_back("streams", addresses(*model.timeline, plan.streams));
  }
  LAPSE_TRY(auto engine, engine::Engine::open(*target.engine, open_options));
  model.engine = std::make_unique<engine::Engine>(std::move(engine));
  LAPSE_TRY(auto session, model.engine->load(target.model, load_options));
  model.load = std::chrono::steady_clock::now() - begin;
  model.session = std::make_unique<engine::Session>(std::move(session));
  if (model.timeline == nullptr || model.session->device() != device) {
    LAPSE_CHECK(open_device(model, model.session->device(), plan.streams + plan.copy_streams));
  }
  return model;
}

Result<PreparedModel> prepare_model(const ModelRequest& request, const Plan& plan, Watchdog* watchdog) {
  Pulse* const pulse = watchdog != nullptr ? &watchdog->pulse() : nullptr;
  if (request.inputs.batch && *request.inputs.batch < 1) {
    return fail(ErrorCode::BadInput, fmt::format("--batch {}: a batch has at least one item", *request.inputs.batch));
  }
  std::optional<Within> loading(std::in_place, pulse, Step::Load);
  LAPSE_TRY(auto loaded, load_model(request, plan));
  PreparedModel model{std::move(loaded), nullptr, nullptr};

  loading.reset();
  if (!request.transfers.empty() && model.session->transfers().empty()) return tl::unexpected(nothing_travels(request.transfers));
  if (request.inputs.batch && model.session->inputs().empty()) {
    return fail(ErrorCode::BadInput, fmt::format("--batch {}: {} has no inputs", *request.inputs.batch, request.model),
                "leave --batch out");
  }
  if (model.timeline->streams() < plan.streams) {
    return fail(ErrorCode::BadUse, fmt::format("--streams {}: the device '{}' has no streams", plan.streams, model.session->device()),
                "leave --streams out, or name a device: --device cuda");
  }

  if (model.folder && request.inputs != InputRequest{}) {
    return fail(ErrorCode::BadUse, fmt::format("{} is a folder with inputs of its own", request.model),
                "leave --shape, --dim, --batch, --fill, --seed, --rotate, --input and --expect out, or name the model file in it");
  }
  LAPSE_TRY(auto inputs, model.folder ? read_test_data(*model.folder, *model.session) : prepare_inputs(*model.session, request.inputs));
  model.inputs = std::make_unique<Inputs>(std::move(inputs));
  loading.emplace(pulse, Step::Load);
  LAPSE_TRY(auto subject, SessionSubject::make(*model.session, *model.timeline, *model.inputs, plan.in_flight));
  model.subject = std::make_unique<SessionSubject>(std::move(subject));
  model.subject->watch(pulse);
  return model;
}

Result<ModelTiming> time_model(PreparedModel& model, const Plan& plan, const tensor::Tolerance& tolerance, const Hooks& hooks,
                               ModelTiming* so_far) {
  const auto enter_phase = [&](const char* phase) {
    if (hooks.watchdog != nullptr) hooks.watchdog->phase(phase);
  };
  const auto check = [&] { return check_answer(*model.subject, model.session->outputs(), *model.inputs, tolerance, hooks.stop); };
  ModelTiming timing;
  const std::size_t inputs_before = fingerprint(model.inputs->sets.front());
  const auto begin = model.timeline->now();
  enter_phase("the first inference");
  LAPSE_TRY(const auto outputs, model.subject->infer(0));
  timing.first = model.timeline->now() - begin;
  if (fingerprint(model.inputs->sets.front()) != inputs_before) {
    return fail(ErrorCode::BadModel, "the model writes into its own input, so no two runs of it are alike",
                "export it without in-place operations on its inputs (in PyTorch: x = x.clone() first)");
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) timing.outputs.push_back(describe(outputs[i], i, model.session->outputs()));
  enter_phase("the check of the answer");
  LAPSE_TRY(timing.answer, check());
  note_device_memory(model, timing);

  if (so_far != nullptr) *so_far = timing;
  LAPSE_TRY(timing.timing, time_subject(*model.subject, plan, hooks, model.load + (model.timeline->now() - begin)));
  note_device_memory(model, timing);
  timing.peak = peak_memory(model);

  Measurement& measurement = timing.timing.measurement;
  if (measurement.stop == Stop::Interrupted || measurement.stop == Stop::Failed) return timing;
  enter_phase("the check after the measurement");
  auto after = check();
  if (!after && after.error().code == ErrorCode::WrongAnswer) {
    return fail(ErrorCode::WrongAnswer, "right before the measurement, wrong after it: " + after.error().message,
                "the measured times are worthless and were thrown away");
  }
  if (!after && after.error().code != ErrorCode::Interrupted) return tl::unexpected(std::move(after).error());
  if (!after) measurement.stop = Stop::Interrupted;
  return timing;
}

}  // namespace lapse::measuring
