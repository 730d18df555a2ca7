#pragma once
// The main path: a model, its engine and its inputs made ready, checked and timed.

#include <filesystem>
#include <lapse/engine/session.hpp>
#include <lapse/measure/answer.hpp>
#include <lapse/measure/inputs.hpp>
#include <lapse/measure/session_subject.hpp>
#include <lapse/measure/timing.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lapse::measuring {

struct ModelRequest {
  std::string model;           // file, folder in the ONNX test-data layout, "null", "sim" or "sim:SETTINGS"
  std::string engine;          // name or plug-in path; empty: by the ending of the file
  std::string engine_library;  // empty: the one that the engine finds
  std::string device;          // empty: the engine's own choice
  std::string transfers;       // how data travel to the device: "pinned", "pageable", "none"; empty: the engine's own choice
  std::optional<int> threads;  // of one inference; nothing: the CPUs that are usable, shared among those in flight
  engine::Options engine_options;
  InputRequest inputs;  // not for a folder, which brings its own
  tensor::Tolerance tolerance;
};

/// A model on its engine and device, without inputs yet. Movable.
struct LoadedModel {
  std::unique_ptr<device::Timeline> timeline;  // first: an engine may hold its streams until it is closed
  std::unique_ptr<engine::Engine> engine;
  std::unique_ptr<engine::Session> session;
  std::optional<std::filesystem::path> folder;  // in the ONNX test-data layout, if the model was given as one
  int threads = 0;
  Duration load{};                    // opening the engine, its library included, and loading the model
  std::uint64_t resident_before = 0;  // bytes, before the engine was opened
  bool peak_was_reset = false;
  std::uint64_t device_memory_before = 0;  // bytes of the device's memory in use by everybody, before the model was loaded
};

/// Only what is there once is taken from `request`: its inputs and tolerance are not looked at. Errors: everything that can be wrong with a
/// model or its engine.
Result<LoadedModel> load_model(const ModelRequest& request, const Plan& plan = {});

/// A loaded model with its inputs bound: what can be checked and timed. Movable.
struct PreparedModel : LoadedModel {
  std::unique_ptr<Inputs> inputs;
  std::unique_ptr<SessionSubject> subject;  // last: it borrows all of the above
};

/// As many bindings of every input set as the plan keeps in flight. Errors: everything that can be wrong with a model, its engine or its
/// inputs.
Result<PreparedModel> prepare_model(const ModelRequest& request, const Plan& plan = {}, Watchdog* watchdog = nullptr);

struct OutputInfo {
  std::string name;
  tensor::DType dtype = tensor::DType::Unknown;
  tensor::Shape shape;
  std::size_t non_finite = 0;  // NaN or infinite elements
};

struct ModelTiming {
  Duration first{};                 // first inference, end to end
  std::vector<OutputInfo> outputs;  // of the first inference
  Answer answer;
  Timing timing;
  std::uint64_t peak = 0;         // bytes resident at the most; over what was resident before, if that could be told
  std::uint64_t device_peak = 0;  // bytes of the device's memory at the most, over what was in use before; 0: not known
};

/// First inference, check, warm-up, timed runs, check. `so_far` (may be null) is what is known before the warm-up, for whoever has to
/// report without the rest. Errors: those of the model; WrongAnswer; Interrupted before the first timed run.
Result<ModelTiming> time_model(PreparedModel& model, const Plan& plan, const tensor::Tolerance& tolerance, const Hooks& hooks = {},
                               ModelTiming* so_far = nullptr);

}  // namespace lapse::measuring
