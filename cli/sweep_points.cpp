#include "cli/sweep_points.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "cli/child_process.hpp"

namespace lapse::cli {
namespace {

namespace fs = std::filesystem;

/// A folder with test data has inputs of its own, of one batch. With another one it is the model in it that is measured.
std::string model_of(const std::string& model, const SweepRequest& request) {
  std::error_code failed;
  if (request.batch == 0 || !fs::is_directory(model, failed)) return model;
  return (fs::path(model) / (request.engine == "torch" ? "model.pt" : "model.onnx")).string();
}

std::vector<std::string> arguments_of(const std::string& model, const SweepRequest& request, const std::vector<std::string>& options,
                                      const fs::path& part) {
  std::vector<std::string> out{"time", "--json", part.string()};
  const auto add = [&](const char* option, const std::string& value) { out.insert(out.end(), {option, value}); };
  if (request.batch > 0) add("--batch", std::to_string(request.batch));
  if (request.threads > 0) add("--threads", std::to_string(request.threads));
  if (request.in_flight > 1) add("--scenario", "offline");
  if (request.in_flight > 1) add("--in-flight", std::to_string(request.in_flight));
  if (!request.engine.empty()) add("--engine", request.engine);
  if (!request.device.empty()) add("--device", request.device);
  out.insert(out.end(), options.begin(), options.end());
  out.insert(out.end(), {"--", model_of(model, request)});
  return out;
}

}  // namespace

report::SweepPoint as_requested(const SweepRequest& request, report::SweepPoint point) {
  if (request.batch > 0) point.batch = request.batch;
  if (request.threads > 0) point.threads = request.threads;
  point.in_flight = request.in_flight;
  if (!request.engine.empty()) point.engine = request.engine;
  if (!request.device.empty()) point.device = request.device;
  return point;
}

Result<std::optional<PointOutcome>> measure_point(const std::string& model, const SweepRequest& request,
                                                  const std::vector<std::string>& options, const SweepFolder& folder, const GoOn& go_on) {
  const std::string name = request.file_name();
  const fs::path part = folder.part(name);
  LAPSE_TRY(const ChildEnd end, run_child(arguments_of(model, request, options, part), {"LAPSE_ERRORS=json"}, go_on));
  if (const auto report = end.well() ? read_measurement(part) : std::nullopt) {
    LAPSE_CHECK(folder.keep(name));
    return PointOutcome{as_requested(request, report::sweep_point(*report)), std::nullopt};
  }
  std::error_code failed;
  fs::remove(part, failed);
  if (end.stopped || !go_on()) return std::nullopt;

  const Error failure = end.well() ? Error{ErrorCode::Internal, "left no measurement"} : failure_of(end);
  const bool out_of_memory = failure.code == ErrorCode::OutOfMemory;
  PointOutcome outcome;
  outcome.point = as_requested(request, {});
  outcome.point.state = out_of_memory ? report::PointState::OutOfMemory : report::PointState::Failed;
  outcome.point.reason = failure.message;
  if (out_of_memory) {
    LAPSE_CHECK(folder.keep_out_of_memory(name, failure.message));
  } else {
    outcome.error = failure;
  }
  return outcome;
}

}  // namespace lapse::cli
