#include "cli/sweep_points.hpp"

#include <fmt/format.h>
#include <sys/wait.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>

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

std::string_view last_line(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  return text.substr(text.rfind('\n') + 1);  // npos + 1 is 0
}

struct Failure {
  Error error;
  bool out_of_memory = false;
};

/// What a child said last, by LAPSE_ERRORS=json.
std::optional<Failure> told(std::string_view errors, int status) {
  const auto line = nlohmann::json::parse(last_line(errors), nullptr, false);
  if (!line.is_object() || !line.contains("code") || !line.contains("message") || !line.contains("hint")) return std::nullopt;
  const auto text = [&](const char* key) { return line[key].is_string() ? line[key].get<std::string>() : std::string(); };
  // The code is for the exit status alone.
  const ErrorCode code = status == exit_status(ErrorCode::BadInput)         ? ErrorCode::BadInput
                         : status == exit_status(ErrorCode::EngineUnusable) ? ErrorCode::EngineUnusable
                         : status == exit_status(ErrorCode::WrongAnswer)    ? ErrorCode::WrongAnswer
                                                                            : ErrorCode::Internal;
  return Failure{{code, text("message"), text("hint")}, text("code") == name(ErrorCode::OutOfMemory)};
}

Failure failure_of(const ChildEnd& end) {
  if (WIFSIGNALED(end.status)) {
    const int signal = WTERMSIG(end.status);
    if (signal == SIGKILL) return {{ErrorCode::OutOfMemory, "killed (SIGKILL), as the kernel does when memory runs out"}, true};
    const bool no_memory = signal == SIGABRT && end.errors.find("std::bad_alloc") != end.errors.npos;
    if (no_memory) return {{ErrorCode::OutOfMemory, "out of memory (std::bad_alloc)"}, true};
    return {{ErrorCode::Internal, fmt::format("crashed: signal {} ({})", signal, strsignal(signal))}, false};
  }
  const int status = WEXITSTATUS(end.status);
  if (auto failure = told(end.errors, status)) return *failure;
  const std::string_view line = last_line(end.errors);
  return {{ErrorCode::Internal, fmt::format("ended with status {}{}{}", status, line.empty() ? "" : ": ", line)}, false};
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
                                                  const std::vector<std::string>& options, const SweepFolder& folder,
                                                  const std::function<bool()>& go_on) {
  const std::string name = request.file_name();
  const fs::path part = folder.part(name);
  LAPSE_TRY(const ChildEnd end, run_child(arguments_of(model, request, options, part), {"LAPSE_ERRORS=json"}, go_on));
  const bool good = WIFEXITED(end.status) && WEXITSTATUS(end.status) == 0;
  if (const auto report = good ? read_measurement(part) : std::nullopt) {
    LAPSE_CHECK(folder.keep(name));
    return PointOutcome{as_requested(request, report::sweep_point(*report)), std::nullopt};
  }
  std::error_code failed;
  fs::remove(part, failed);
  if (end.stopped || !go_on()) return std::nullopt;

  const Failure failure = good ? Failure{{ErrorCode::Internal, "left no measurement"}} : failure_of(end);
  PointOutcome outcome;
  outcome.point = as_requested(request, {});
  outcome.point.state = failure.out_of_memory ? report::PointState::OutOfMemory : report::PointState::Failed;
  outcome.point.reason = failure.error.message;
  if (failure.out_of_memory) {
    LAPSE_CHECK(folder.keep_out_of_memory(name, failure.error.message));
  } else {
    outcome.error = failure.error;
  }
  return outcome;
}

}  // namespace lapse::cli
