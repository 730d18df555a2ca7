#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <filesystem>
#include <lapse/base/time.hpp>
#include <lapse/engine/builtin.hpp>
#include <lapse/host/fingerprint.hpp>
#include <lapse/report/html.hpp>
#include <lapse/report/json_parts.hpp>
#include <lapse/report/messages.hpp>
#include <lapse/report/sweep.hpp>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "cli/console.hpp"
#include "cli/output_forms.hpp"
#include "cli/sweep_axes.hpp"
#include "cli/sweep_folder.hpp"
#include "cli/sweep_points.hpp"

namespace lapse::cli {
namespace {

constexpr const char* kFooter =
    "Every combination is a point, measured as `lapse time` does, in a process of its own. LIST is 1,2,4 or a\n"
    "range that doubles: 1..32. A folder as MODEL is measured with its own test data; with --batch it is the\n"
    "model file in it (model.onnx, model.pt for torch).\n"
    "\n"
    "Each point is saved as it ends. The same command goes on where it was stopped; with longer lists, a\n"
    "finer --precision, a longer --budget or more runs it measures what is new, or not good enough. A point\n"
    "that runs out of memory is recorded as such and not tried again; one that failed is. Another model\n"
    "file, machine or option in the same folder is refused.\n"
    "\n"
    "Of the points that keep --slo, the one with the largest batch is named. A point keeps it when the upper\n"
    "end of the percentile's 95 % interval does, and not when the lower end is over; else it is undecided.\n"
    "\n"
    "Exit status: 0 when the sweep is complete, points out of memory or failed included; where every point\n"
    "failed, that of the first one; 130 when it was interrupted.\n"
    "\n"
    "Examples:\n"
    "  lapse sweep model.onnx --batch 1..32 --slo 50ms\n"
    "  lapse sweep model.onnx --batch 1,8 --threads 1,2 --inflight 1,2 --html sweep.html\n"
    "  lapse sweep models/demo --engine onnxruntime,torch --batch 1..8 --shape x=1x1x96x96";

// Options of `lapse time` that all points have in common and that say what is measured, handed on as they are.
struct Passed {
  const char* name;
  const char* type;
  const char* group;
  const char* text;
  bool repeatable = false;
};
constexpr Passed kPassed[] = {
    {"--warmup", "N", "Measuring", "Runs to discard first (default: until the times settle)"},
    {"--pin", "CPUS", "Measuring", "CPUs to run on: 0, 0,2 or 0-3"},
    {"--transfers", "KIND", "Device", "What is timed of the copies: pinned, pageable or none (default: pinned)"},
    {"--audit", "on|off", "Device", "Look for what would make the numbers wrong (default: on)"},
    {"--shape", "NAME[:TYPE]=DIMS", "Inputs", "Shape of an input: its first dimension, if it is 1, becomes the batch", true},
    {"--dim", "NAME=N", "Inputs", "Size of a dynamic dimension by the model's name for it: sequence=384", true},
    {"--fill", "[NAME=]KIND", "Inputs", "Made-up data: normal, uniform, zeros, ints:LOW..HIGH", true},
    {"--seed", "N", "Inputs", "Seed of the made-up data (default: 0)"},
    {"--rotate", "N", "Inputs", "Number of differently seeded input sets to go round (default: 1)"},
    {"--input", "NAME=FILE", "Inputs", "Input data from a .npy file", true},
    {"--engine-opt", "KEY=VALUE", "Engine", "Setting of the engine; `lapse engines` lists them", true},
    {"--engine-lib", "PATH", "Engine", "Library to measure"},
};

constexpr double kMostRuns = 100'000'000;  // as for `lapse time`

struct Options {
  std::string model, slo, folder;
  std::string budget = "30s", timeout = "60s";
  double precision = 0.01;
  std::size_t min_runs = 1, max_runs = 1'000'000;
  bool fresh = false;
  SweepAxes axes;
  std::map<std::string, std::vector<std::string>> passed;
  OutputForms outputs;

  void add_to(CLI::App& command) {
    const CLI::Validator not_empty{[](const std::string& text) { return text.empty() ? "the list is empty" : std::string(); }, ""};
    command.add_option("MODEL", model, "Model file or folder, null, or sim:SETTINGS")->required()->type_name("");
    const auto axis = [&](const char* name, std::string& list, const char* text) {
      command.add_option(name, list, text)->type_name("LIST")->group("Points")->check(not_empty);
    };
    axis("--batch", axes.batches, "First dimension of every input (default: 1, or what the model fixes)");
    axis("--threads", axes.threads, "CPU threads of one inference (default: the usable CPUs, shared by those in flight)");
    axis("--inflight", axes.in_flight, "Inferences in flight; with more than one, latency is that under load (default: 1)");
    axis("--engine", axes.engines, "Engines, by name or path (default: by the ending of the file)");
    axis("--device", axes.devices, "Devices, as cpu,cuda (default: the engine's own choice)");
    const auto option = [&](const char* name, std::string& value, const char* type, const char* text) {
      command.add_option(name, value, text)->type_name(type)->group("Sweep");
    };
    option("--slo", slo, "[pNN:]TIME", "Name the largest batch whose p99 is within this: 50ms, p90:20ms (p50, p90, p95, p99, p99.9)");
    option("--out", folder, "DIR", "Where the points are saved (default: lapse-sweep-MODEL)");
    command.add_flag("--fresh", fresh, "Start over: throw away what another sweep left there")->group("Sweep");
    const auto measuring = [&](const char* name, auto& value, const char* type, const char* text) {
      return command.add_option(name, value, text)->type_name(type)->group("Measuring");
    };
    measuring("--precision", precision, "SHARE", "Stop when the median is known within ± this share (default: 0.01)")
        ->check(number_between(1e-9, 1));
    measuring("--budget", budget, "TIME", "Time of one point at the most: warm-up and timed runs (default: 30s)");
    measuring("--timeout", timeout, "TIME", "End a point when a call or the device has not come back for this time (default: 60s)");
    measuring("--min-runs", min_runs, "N", "Timed runs of a point to do whatever the budget says (default: 1)")
        ->check(number_between(1, kMostRuns));
    measuring("--max-runs", max_runs, "N", "Timed runs of a point at the most (default: 1000000)")->check(number_between(1, kMostRuns));
    for (const Passed& each : kPassed) {
      CLI::Option* handed_on = command.add_option(each.name, passed[each.name], each.text)->type_name(each.type)->group(each.group);
      each.repeatable ? handed_on->allow_extra_args(false) : handed_on->expected(1);
    }
    outputs.add(command, "--json", "All figures (docs/json.md); - is stdout instead of the text");
    outputs.add(command, "--csv", "A row a point");
    outputs.add(command, "--html", "A page with charts, which opens from disk");
    command.footer(kFooter);
  }

  /// What is measured, as `lapse time` takes it …
  std::vector<std::string> subject() const {
    std::vector<std::string> out;
    for (const Passed& each : kPassed) {
      for (const std::string& value : passed.at(each.name)) out.insert(out.end(), {each.name, value});
    }
    return out;
  }
  /// … and how well.
  std::vector<std::string> effort(const std::optional<report::Slo>& limit) const {
    std::vector<std::string> out{
        "--precision", fmt::format("{}", precision), "--budget", budget, "--timeout", timeout, "--min-runs", std::to_string(min_runs),
        "--max-runs",  std::to_string(max_runs)};
    if (limit && limit->quantile != "p50") out.insert(out.end(), {"--percentile", limit->quantile});
    return out;
  }
};

Result<std::optional<report::Slo>> parse_slo(const std::string& text) {
  if (text.empty()) return std::nullopt;
  report::Slo slo;
  const std::size_t colon = text.find(':');
  if (colon != text.npos) slo.quantile = text.substr(0, colon);
  if (stats::find_quantile(slo.quantile) == nullptr) {
    std::vector<std::string_view> names;
    for (const auto& each : stats::kQuantiles) names.push_back(each.name);
    return fail(ErrorCode::BadUse, fmt::format("--slo {}: '{}' is no percentile", text, slo.quantile),
                fmt::format("there are: {}", fmt::join(names, ", ")));
  }
  LAPSE_TRY(const Duration limit, parse_duration(text.substr(colon == text.npos ? 0 : colon + 1)));
  if (limit.count() == 0) return fail(ErrorCode::BadUse, fmt::format("--slo {}: nothing takes no time", text), "for example: --slo 50ms");
  slo.limit_ns = static_cast<double>(limit.count());
  return slo;
}

/// What every point would complain of is said once, before the first.
Result<void> check_model(const std::string& model) {
  std::error_code failed;
  const bool builtin = model == "null" || model == "sim" || model.starts_with("null:") || model.starts_with("sim:");
  if (builtin || std::filesystem::exists(model, failed) || engine::names_subject(model)) return {};
  return fail(ErrorCode::BadModel, fmt::format("{}: no such file", model),
              "give a model file, a folder with model.onnx and test_data_set_*, null, or sim:submit=50us,device=5ms");
}

/// After the file, or after its folder where all files are called model.onnx.
std::string default_folder(const std::string& model) {
  std::filesystem::path path = model.substr(0, model.find(':'));
  if (!path.has_filename()) path = path.parent_path();  // "models/demo/"
  std::error_code failed;
  const bool common = path.stem() == "model" && std::filesystem::exists(path, failed);
  std::string name = (common ? std::filesystem::absolute(path, failed).parent_path().filename() : path.stem()).string();
  for (char& c : name) {
    if (static_cast<unsigned char>(c) < 0x80 && std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '_') c = '-';
  }
  return "lapse-sweep-" + (name.empty() || name == "." || name == ".." ? "model" : name);
}

std::string time_left(double seconds, bool korean) {
  if (seconds < 90) return fmt::format("{:.0f} {}", seconds, korean ? "초" : "s");
  if (seconds < 90 * 60) return fmt::format("{:.0f} {}", seconds / 60, korean ? "분" : "min");
  return fmt::format("{:.1f} {}", seconds / 3600, korean ? "시간" : "h");
}

/// The sweep itself: takes what is there, measures the rest, and says how far it is.
class Sweeper {
 public:
  Sweeper(std::vector<std::string> options, Sufficient sufficient, const SweepFolder& folder, const Context& context)
      : options_(std::move(options)),
        sufficient_(sufficient),
        folder_(folder),
        korean_(context.language == report::Language::Korean),
        progress_(context.language) {}

  report::Sweep sweep;
  std::vector<Error> errors;  // of the points that failed

  Result<void> operator()(const std::vector<SweepRequest>& requests) {
    std::vector<std::optional<report::SweepPoint>> points;
    for (const SweepRequest& request : requests) {
      points.push_back(folder_.finished(request.file_name(), sufficient_));
      if (points.back()) *points.back() = as_requested(request, std::move(*points.back()));
      if (stop_) break;
    }
    points.resize(requests.size());
    sweep.planned = requests.size();
    sweep.reused = static_cast<std::size_t>(std::ranges::count_if(points, [](const auto& point) { return point.has_value(); }));
    to_do_ = sweep.planned - sweep.reused;
    for (std::size_t i = 0; i < requests.size() && !stop_; ++i) {
      if (!points[i]) LAPSE_CHECK(measure(requests[i], points[i]));
    }
    progress_.clear();
    for (auto& point : points) {
      if (point) sweep.points.push_back(std::move(*point));
    }
    return {};
  }

 private:
  using Clock = std::chrono::steady_clock;

  Result<void> measure(const SweepRequest& request, std::optional<report::SweepPoint>& point) {
    const Clock::time_point begin = Clock::now();
    LAPSE_TRY(auto outcome, measure_point(sweep.model, request, options_, folder_, [&] {
                if (!stop_) show(request, Clock::now() - begin);
                return !stop_.load();
              }));
    if (!outcome) return {};
    point = std::move(outcome->point);
    if (outcome->error) errors.push_back(std::move(*outcome->error));
    ++done_;
    spent_ += Clock::now() - begin;
    return {};
  }

  void show(const SweepRequest& request, Duration here) {
    std::string line = fmt::format("{} {} / {}", korean_ ? "스윕" : "sweep", sweep.reused + done_ + 1, sweep.planned);
    const auto add = [&](auto value, const char* english, const char* korean) {
      line += fmt::format(" · {} {}", korean_ ? korean : english, value);
    };
    if (request.batch > 0) add(request.batch, "batch", "배치");
    if (request.threads > 0) add(request.threads, "threads", "스레드");
    if (request.in_flight > 1) add(request.in_flight, "in flight", "동시 진행");
    for (const std::string& name : {request.engine, request.device}) {
      if (!name.empty()) line += " · " + name;
    }
    // By what the points so far took; before the first has ended, by what they may take.
    const auto seconds = [](Duration duration) { return std::chrono::duration<double>(duration).count(); };
    const double each = done_ > 0 ? seconds(spent_) / static_cast<double>(done_) : sufficient_.budget_ns / 1e9;
    const double left = std::max(each * static_cast<double>(to_do_ - done_) - seconds(here), 1.0);
    const char* about = done_ > 0 ? (korean_ ? "약" : "about") : (korean_ ? "최대" : "at most");
    line += fmt::format(" · {} {}{}", about, time_left(left, korean_), korean_ ? " 남음" : " left");
    progress_.show(line);
  }

  const std::vector<std::string> options_;
  const Sufficient sufficient_;
  const SweepFolder& folder_;
  const bool korean_;
  const std::atomic<bool>& stop_ = stop_on_signal();
  ProgressLine progress_;
  std::size_t to_do_ = 0, done_ = 0;  // points to be measured, and measured, by this run
  Duration spent_{};
};

/// The one thing that every point failed of, if that is so: then there is no table worth showing.
std::optional<Error> common_failure(const Sweeper& sweeper) {
  const std::vector<Error>& errors = sweeper.errors;
  if (errors.empty() || errors.size() < sweeper.sweep.planned) return std::nullopt;
  const auto same = [&](const Error& error) { return error.message == errors.front().message; };
  return std::ranges::all_of(errors, same) ? std::optional(errors.front()) : std::nullopt;
}

Result<void> write(OutputForms& outputs, const report::Sweep& sweep, report::Language language) {
  outputs.put("--json", [&] { return report::to_json_text(sweep); });
  outputs.put("--csv", [&] { return report::to_csv(sweep); });
  outputs.put("--html", [&] { return report::to_html(report::to_json(sweep), language); });
  if (!outputs.takes_stdout()) fmt::print("{}", report::to_text(sweep, language, unicode_terminal()));
  return outputs.outcome();
}

Result<int> run(Options& options, const Context& context) {
  LAPSE_TRY(const auto requests, options.axes.points());
  LAPSE_TRY(const auto slo, parse_slo(options.slo));
  LAPSE_TRY(const Duration budget, parse_duration(options.budget));
  if (options.min_runs > options.max_runs) {
    return fail(ErrorCode::BadUse, fmt::format("--min-runs {} is more than --max-runs {}", options.min_runs, options.max_runs));
  }
  LAPSE_CHECK(check_model(options.model));
  LAPSE_CHECK(options.outputs.open({options.model}));
  const std::string path = options.folder.empty() ? default_folder(options.model) : options.folder;
  const std::vector<std::string> subject = options.subject();
  LAPSE_TRY(const SweepFolder folder, SweepFolder::open(path, identify(options.model, subject), options.fresh));

  std::vector<std::string> arguments = options.effort(slo);
  arguments.insert(arguments.end(), subject.begin(), subject.end());
  const Sufficient sufficient{options.precision, static_cast<double>(budget.count()), slo ? stats::runs_needed(slo->which().p) : 0,
                              options.min_runs, options.max_runs};
  Sweeper sweeper{std::move(arguments), sufficient, folder, context};
  sweeper.sweep.argv = context.argv;
  sweeper.sweep.model = options.model;
  sweeper.sweep.environment = host::fingerprint();
  sweeper.sweep.folder = path;
  sweeper.sweep.slo = slo;
  LAPSE_CHECK(sweeper(requests));
  sweeper.sweep.created = report::created_now();
  if (const auto failure = common_failure(sweeper)) return tl::unexpected(*failure);
  LAPSE_CHECK(write(options.outputs, sweeper.sweep, context.language));
  if (sweeper.sweep.points.size() < requests.size()) return exit_status(ErrorCode::Interrupted);
  return sweeper.errors.size() == requests.size() ? exit_status(sweeper.errors.front().code) : 0;
}

}  // namespace

Command add_sweep(CLI::App& app, Context& context) {
  const auto options = std::make_shared<Options>();
  options->add_to(*app.add_subcommand("sweep", "Measure a model over batches, threads, engines …: what throughput costs which latency"));
  return [options, &context] {
    const auto status = run(*options, context);
    return status ? *status : print_error(status.error(), context.language);
  };
}

}  // namespace lapse::cli
