#include "cli/time_processes.hpp"

#include <fmt/format.h>
#include <sys/wait.h>

#include <charconv>
#include <chrono>
#include <lapse/report/processes.hpp>
#include <lapse/report/quantity.hpp>

#include "cli/child_process.hpp"
#include "cli/console.hpp"
#include "cli/turn_lines.hpp"

namespace lapse::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostProcesses = 1000;
// Where it is not known how many there will be: so that twice the fewest fit into the budget.
constexpr std::size_t kBudgetParts = 2 * stats::kFewestProcesses;

bool complete(const report::Report& report) { return report.plan.stop != "interrupted" && report.plan.stop != "failed"; }

class Replication {
 public:
  Replication(const ProcessesRequest& request, const Context& context)
      : request_(request), korean_(context.language == report::Language::Korean), progress_(context.language) {
    arguments_ = {"time", "--child=once"};
    arguments_.push_back(fmt::format("--budget={}ns", request.budget.count() / (request.count > 0 ? request.count : kBudgetParts)));
    arguments_.insert(arguments_.end(), request.arguments.begin(), request.arguments.end());
  }

  Result<Replicated> operator()() {
    std::string stop;
    while (stop.empty()) {
      LAPSE_CHECK(measure_one());
      stop = reason_to_stop();
    }
    progress_.clear();
    report::Report report = report::join(std::move(parts_));
    report.plan.stop = stop;
    report.plan.budget_ns = static_cast<double>(request_.budget.count());
    const report::PlanRow& plan = report.plan;
    if (complete(report) && report.processes.size() > 1 && plan.reached > plan.precision) {
      report.warnings.push_back(
          {"precision_not_reached", {{"reached", report::percent(plan.reached)}, {"asked", report::percent(plan.precision)}}});
    }
    if (failure_) report.failure = {std::string(lapse::name(failure_->code)), failure_->message, failure_->hint};
    return Replicated{std::move(report), failure_};
  }

 private:
  Result<void> measure_one() {
    LAPSE_TRY(Child child, Child::start(arguments_, {"LAPSE_ERRORS=json"}));
    const ChildEnd end = child.wait(
        [this] {
          show();
          return !stop_.load();
        },
        SIGINT);
    auto report = report_of(end);
    if (report && complete(*report) && !WIFSIGNALED(end.status)) {
      medians_.push_back(report::median_of(report->samples.end_to_end));
      parts_.push_back(std::move(*report));
      return {};
    }
    if (!end.stopped && !stop_) failure_ = failed(end);
    if (!parts_.empty()) return {};
    if (report && !report->samples.end_to_end.empty()) {
      parts_.push_back(std::move(*report));
      return {};
    }
    if (failure_) return tl::unexpected(*failure_);
    return fail(ErrorCode::Interrupted, "interrupted before the first process had measured anything");
  }

  static Result<report::Report> report_of(const ChildEnd& end) {
    const std::string head = fmt::format("{}\n", kReport);
    if (!end.output.starts_with(head)) return fail(ErrorCode::Internal, "left no report");
    return report::from_json(std::string_view(end.output).substr(head.size()));
  }

  Error failed(const ChildEnd& end) const {
    Error error = end.well() ? Error{ErrorCode::Internal, "left no measurement"} : failure_of(end);
    if (!parts_.empty()) error.message = fmt::format("process {}: {}", parts_.size() + 1, error.message);
    return error;
  }

  /// Empty: there is to be another one.
  std::string reason_to_stop() {
    if (failure_) return "failed";
    if (stop_) return "interrupted";
    const std::size_t count = parts_.size();
    if (request_.count > 0) return count >= request_.count ? "processes" : "";
    if (count < stats::kFewestProcesses) return "";
    if (stats::known_within(medians_, request_.precision)) return "precision";
    const Duration spent = Clock::now() - begin_;
    return spent + spent / static_cast<Duration::rep>(count) > request_.budget || count >= kMostProcesses ? "budget" : "";
  }

  void show() {
    std::string line = fmt::format("{} {}", korean_ ? "프로세스" : "process", parts_.size() + 1);
    if (request_.count > 0) line += fmt::format(" / {}", request_.count);
    if (const auto median = stats::across_processes(medians_)) {
      line += fmt::format(" · {} ± {}", report::duration(median->value), report::percent(median->relative_error()));
    }
    progress_.show(line);
  }

  const ProcessesRequest& request_;
  const bool korean_;
  const std::atomic<bool>& stop_ = stop_on_signal();
  const Clock::time_point begin_ = Clock::now();
  ProgressLine progress_;
  std::vector<std::string> arguments_;
  std::vector<report::Report> parts_;
  std::vector<double> medians_;
  std::optional<Error> failure_;
};

}  // namespace

Result<std::size_t> parse_processes(const std::string& text) {
  if (text == "auto") return 0;
  std::size_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{} || end != text.data() + text.size() || count < 1 || count > kMostProcesses) {
    return fail(ErrorCode::BadUse, fmt::format("--processes {}: a number from 1 to {}, or auto", text, kMostProcesses));
  }
  return count;
}

Result<Replicated> time_in_processes(const ProcessesRequest& request, const Context& context) { return Replication{request, context}(); }

}  // namespace lapse::cli
