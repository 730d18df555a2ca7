#include <algorithm>
#include <cmath>
#include <functional>
#include <lapse/report/outline.hpp>
#include <lapse/report/quantity.hpp>
#include <lapse/report/sweep.hpp>
#include <lapse/report/terminal.hpp>
#include <map>
#include <set>

namespace lapse::report {
namespace {

constexpr std::size_t kColumns = 80;       // a table too wide for it leaves out what can be left out …
constexpr std::size_t kMostColumns = 100;  // … and is not broken below this
constexpr std::size_t kValueColumn = 20;   // of what stands below the table
constexpr std::size_t kPointsNamed = 8;
constexpr const char* kGap = "  ";

std::string counted_points(std::size_t n, Language language) {
  return n == 1 ? say(Text::SweepPoint, language) : say(Text::SweepPoints, language, {{"n", grouped(n)}});
}

std::string counted_threads(int n, Language language) {
  return n == 1 ? say(Text::Thread, language) : say(Text::Threads, language, {{"n", std::to_string(n)}});
}

std::string with_error(const std::string& value, double error) { return std::isfinite(error) ? value + " ± " + percent(error) : value; }

/// What the points differ in. What is the same for all of them belongs into the title.
struct Varied {
  explicit Varied(const std::vector<SweepPoint>& points) {
    std::set<int> thread_counts;
    std::set<std::int64_t> in_flight_counts;
    std::set<std::string> engines, devices;
    for (const SweepPoint& point : points) {
      batch_unknown |= point.batch == 0;
      if (point.threads > 0) thread_counts.insert(point.threads);
      in_flight_counts.insert(point.in_flight);
      if (!point.engine.empty()) engines.insert(point.engine);
      if (!point.device.empty()) devices.insert(point.device);
    }
    threads = thread_counts.size() > 1;
    in_flight = in_flight_counts.size() > 1;
    engine = engines.size() > 1;
    device = devices.size() > 1;
  }
  bool batch_alone() const { return !batch_unknown && !threads && !in_flight && !engine && !device; }

  bool batch_unknown = false;  // of a point at least
  bool threads, in_flight, engine, device;
};

struct Column {
  std::string heading;
  std::function<std::string(const SweepPoint&)> cell;
  bool axis = false;    // says which point it is, and not what was measured
  bool number = false;  // to the right
};

class Page {
 public:
  Page(const Sweep& sweep, Language language, bool unicode)
      : sweep_(sweep), findings_(find(sweep)), varied_(sweep.points), language_(language), unicode_(unicode) {}

  std::string operator()() {
    if (sweep_.points.size() < sweep_.planned) {
      line("!! " + text(Text::SweepInterrupted, {{"n", grouped(sweep_.points.size())}, {"of", grouped(sweep_.planned)}}), 3);
    }
    line(title(), 2);
    if (const std::string where = machine(sweep_.environment, language_); !where.empty()) row(text(Text::Machine), where);
    out_ += '\n';
    if (!sweep_.points.empty()) {
      table();
      out_ += '\n';
      put_findings();
    }
    put_troubles();
    Facts facts{{"folder", sweep_.folder}};
    if (sweep_.reused > 0) facts["n"] = grouped(sweep_.reused);
    row(text(Text::SweepFolder), text(Text::SweepFolderValue, facts));
    return std::move(out_);
  }

 private:
  using Points = std::vector<std::size_t>;

  std::string text(Text which, const Facts& facts = {}) const { return say(which, language_, facts); }
  std::string safe(std::string_view utf8) const { return unicode_ ? printable(utf8) : to_ascii(printable(utf8)); }
  void line(std::string_view content, std::size_t indent, std::size_t columns = kColumns) {
    out_ += wrapped(safe(content), columns, indent);
  }
  void row(std::string_view label, std::string_view value) {
    line(padded("  " + safe(label), kValueColumn) + std::string(value), kValueColumn);
  }

  std::string title() const {
    std::string out = text(Text::SweepTitle) + " · " + sweep_.model;
    const auto add = [&out](const std::string& part) { out += " · " + part; };
    const auto measured = std::ranges::find(sweep_.points, PointState::Measured, &SweepPoint::state);
    if (measured != sweep_.points.end()) {
      if (!varied_.engine) add(measured->engine + (measured->engine_version.empty() ? "" : " " + measured->engine_version));
      if (!varied_.device) add(measured->device + (measured->device_name.empty() ? "" : " (" + measured->device_name + ')'));
      if (!varied_.threads && measured->threads > 0) add(counted_threads(measured->threads, language_));
      if (!varied_.in_flight && measured->in_flight > 1) add(text(Text::InFlight, {{"n", std::to_string(measured->in_flight)}}));
    }
    add(counted_points(sweep_.points.size(), language_));
    return out;
  }

  /// "batch 8, 2 threads": the point among the others.
  std::string label(const SweepPoint& point) const {
    std::string out;
    const auto add = [&out](const std::string& part) { out += out.empty() ? part : ", " + part; };
    if (point.batch > 0) add(text(Text::Batch, {{"n", std::to_string(point.batch)}}));
    if (varied_.threads && point.threads > 0) add(counted_threads(point.threads, language_));
    if (varied_.in_flight) add(text(Text::InFlight, {{"n", std::to_string(point.in_flight)}}));
    if (varied_.engine && !point.engine.empty()) add(point.engine);
    if (varied_.device && !point.device.empty()) add(point.device);
    return out.empty() ? sweep_.model : out;
  }

  std::string labels(const Points& points) const {
    if (points.size() > 1 && points.size() == sweep_.points.size()) return text(Text::SweepAllPoints);
    const auto batch = [this](std::size_t i) { return std::to_string(sweep_.points[i].batch); };
    if (varied_.batch_alone()) return text(Text::Batch, {{"n", joined(points, ", ", batch)}});
    return joined(points, "; ", [this](std::size_t i) { return label(sweep_.points[i]); });
  }

  std::string joined(const Points& points, const char* between, const std::function<std::string(std::size_t)>& each) const {
    std::string out;
    for (std::size_t i = 0; i < points.size(); ++i) {
      out += out.empty() ? "" : between;
      if (i == kPointsNamed && points.size() > kPointsNamed + 1) {
        return out + text(Text::MoreInputs, {{"n", std::to_string(points.size() - i)}});
      }
      out += each(points[i]);
    }
    return out;
  }

  /// What stands beside the median: the percentile that has the limit, if it is not the median itself.
  const stats::NamedQuantile& percentile() const {
    return sweep_.slo && sweep_.slo->quantile != "p50" ? sweep_.slo->which() : *stats::find_quantile("p99");
  }

  static std::string latency_cell(const stats::QuantileEstimate& estimate, bool with_interval) {
    if (!estimate) return "-";
    const std::string value = duration(estimate->value);
    return with_interval ? with_error(value, estimate->relative_error()) : value;
  }

  std::vector<Column> columns(bool all_intervals) const {
    std::vector<Column> out;
    const auto number = [&](Text heading, auto SweepPoint::*field) {
      const auto cell = [field](const SweepPoint& point) { return point.*field > 0 ? std::to_string(point.*field) : "-"; };
      out.push_back({text(heading), cell, true, true});
    };
    const auto word = [&](Text heading, std::string SweepPoint::*field) {
      out.push_back({text(heading), [field](const SweepPoint& point) { return point.*field; }, true});
    };
    number(Text::SweepBatch, &SweepPoint::batch);
    if (varied_.threads) number(Text::SweepThreads, &SweepPoint::threads);
    if (varied_.in_flight) number(Text::SweepInFlight, &SweepPoint::in_flight);
    if (varied_.engine) word(Text::SweepEngine, &SweepPoint::engine);
    if (varied_.device) word(Text::Device, &SweepPoint::device);
    out.push_back({text(Text::SweepItems),
                   [](const SweepPoint& point) { return with_error(rate(point.throughput.value), point.throughput.relative_error()); }});
    out.push_back({text(Text::Median), [](const SweepPoint& point) { return latency_cell(point.latency.median, true); }});
    out.push_back({std::string(percentile().name), [this, all_intervals](const SweepPoint& point) {
                     return latency_cell(point.latency.*percentile().estimate, all_intervals);
                   }});
    return out;
  }

  std::string remark(std::size_t i) const {
    const SweepPoint& point = sweep_.points[i];
    if (point.state == PointState::OutOfMemory) return text(Text::SweepOutOfMemory);
    if (point.state == PointState::Failed) return text(Text::SweepFailed);
    std::string out = std::ranges::find(findings_.front, i) != findings_.front.end() ? "*" : " ";
    if (findings_.knee == i) out += ' ' + text(Text::SweepKnee);
    if (point.times_wrong) {
      out += " !!";
    } else if (!point.warnings.empty()) {
      out += " !";
    }
    return out;
  }

  std::vector<std::string> table_lines(bool all_intervals) const {
    const std::vector<Column> table = columns(all_intervals);
    std::vector<std::string> lines(sweep_.points.size() + 1);
    for (const Column& column : table) {
      // In ASCII before it is laid out: some symbols are wider there.
      std::vector<std::string> cells{safe(column.heading)};
      for (const SweepPoint& point : sweep_.points) {
        const bool told = column.axis || point.state == PointState::Measured;
        cells.push_back(told ? safe(column.cell(point)) : "");
      }
      std::size_t width = 0;
      for (const std::string& cell : cells) width = std::max(width, display_width(cell));
      for (std::size_t i = 0; i < cells.size(); ++i) {
        if (i > 0 && !column.axis && sweep_.points[i - 1].state != PointState::Measured) continue;
        const std::string blank(width - display_width(cells[i]), ' ');
        lines[i] += kGap + (column.number ? blank + cells[i] : cells[i] + blank);
      }
    }
    for (std::size_t i = 0; i < sweep_.points.size(); ++i) lines[i + 1] += kGap + safe(remark(i));
    return lines;
  }

  void table() {
    std::vector<std::string> lines = table_lines(true);
    const auto too_wide = [](const std::string& each) { return display_width(each) > kColumns; };
    if (std::ranges::any_of(lines, too_wide)) lines = table_lines(false);
    for (const std::string& each : lines) line(each, 4, kMostColumns);
  }

  void put_findings() {
    if (!findings_.front.empty()) {
      row(text(Text::SweepFront), text(Text::SweepFrontValue, {{"n", counted_points(findings_.front.size(), language_)}}));
      row(text(Text::SweepKnee), knee());
    }
    const auto lacks_percentile = [this](const SweepPoint& point) {
      return point.state == PointState::Measured && !(point.latency.*percentile().estimate);
    };
    if (sweep_.slo) {
      put_slo(*sweep_.slo);
    } else if (std::ranges::any_of(sweep_.points, lacks_percentile)) {
      row("-", text(Text::SweepNoPercentile,
                    {{"quantile", std::string(percentile().name)}, {"n", grouped(stats::runs_needed(percentile().p))}}));
    }
  }

  std::string knee() const {
    if (!findings_.knee) return text(Text::SweepNoKnee);
    const SweepPoint& point = sweep_.points[*findings_.knee];
    return text(Text::SweepKneeValue,
                {{"point", label(point)}, {"rate", rate(point.throughput.value)}, {"latency", duration(point.latency.median->value)}});
  }

  void put_slo(const Slo& slo) {
    std::string heading = slo.quantile + " ≤ " + round_duration(slo.limit_ns);
    if (findings_.best) {
      const SweepPoint& point = sweep_.points[*findings_.best];
      const stats::QuantileEstimate& estimate = point.latency.*slo.which().estimate;
      row(heading, text(Text::SweepWithin, {{"point", label(point)},
                                            {"quantile", slo.quantile},
                                            {"range", duration_range(estimate->low, estimate->high)},
                                            {"rate", rate(point.throughput.value)}}));
    } else {
      row(heading, text(Text::SweepNoneWithin));
    }
    Points undecided;
    for (std::size_t i = 0; i < sweep_.points.size(); ++i) {
      const SweepPoint& point = sweep_.points[i];
      const bool asked = point.state == PointState::Measured && !point.times_wrong;
      if (asked && findings_.verdicts[i] == stats::Verdict::Undecided) undecided.push_back(i);
    }
    if (undecided.empty()) return;
    row("", text(Text::SweepUndecided,
                 {{"points", joined(undecided, "; ", [&](std::size_t i) { return why_undecided(sweep_.points[i], slo); })}}));
  }

  std::string why_undecided(const SweepPoint& point, const Slo& slo) const {
    const stats::QuantileEstimate& estimate = point.latency.*slo.which().estimate;
    if (estimate) return label(point) + " (" + duration_range(estimate->low, estimate->high) + ')';
    return text(Text::SweepFewRuns,
                {{"point", label(point)}, {"n", grouped(estimate.error().runs)}, {"runs", grouped(point.latency.count)}});
  }

  /// What happened, in the order in which it first did, and the points that it happened to.
  using Grouped = std::vector<std::pair<std::string, Points>>;
  static void add_to(Grouped& groups, const std::string& what, std::size_t point) {
    const auto known = std::ranges::find(groups, what, &Grouped::value_type::first);
    if (known == groups.end()) {
      groups.push_back({what, {point}});
    } else {
      known->second.push_back(point);
    }
  }

  void put_groups(Text heading, const Grouped& groups) {
    for (const auto& [what, points] : groups) {
      row(&what == &groups.front().first ? text(heading) : "", labels(points) + (what.empty() ? "" : ": " + what));
    }
  }

  void put_troubles() {
    Grouped no_memory, failures, wrong, warnings;
    std::map<std::string, std::set<std::string>> versions;  // of an engine or a device
    for (std::size_t i = 0; i < sweep_.points.size(); ++i) {
      const SweepPoint& point = sweep_.points[i];
      if (point.state == PointState::OutOfMemory) add_to(no_memory, "", i);
      if (point.state == PointState::Failed) add_to(failures, point.reason, i);
      if (point.times_wrong) add_to(wrong, "", i);
      for (const std::string& code : point.warnings) add_to(warnings, code, i);
      if (point.state != PointState::Measured) continue;
      versions[point.engine].insert(point.engine_version);
      versions[point.device].insert(point.device_name);
    }
    put_groups(Text::SweepOutOfMemory, no_memory);
    put_groups(Text::SweepFailed, failures);
    put_groups(Text::SweepTimesWrong, wrong);
    put_groups(Text::SweepWarnings, warnings);
    if (!warnings.empty()) row("", text(Text::SweepShow, {{"folder", sweep_.folder}}));
    for (const auto& [name, seen] : versions) {
      if (seen.size() < 2) continue;
      std::string list;
      for (const std::string& version : seen) list += (list.empty() ? "" : ", ") + version;
      line("  ! " + text(Text::SweepVersions, {{"name", name}, {"versions", list}}), 4);
    }
  }

  const Sweep& sweep_;
  const SweepFindings findings_;
  const Varied varied_;
  const Language language_;
  const bool unicode_;
  std::string out_;
};

}  // namespace

std::string to_text(const Sweep& sweep, Language language, bool unicode) {
  return Page(sweep, unicode ? language : Language::English, unicode)();  // there is no Korean in ASCII
}

}  // namespace lapse::report
