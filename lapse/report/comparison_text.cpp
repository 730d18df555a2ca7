#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <lapse/report/comparison.hpp>
#include <lapse/report/latency.hpp>
#include <lapse/report/markdown.hpp>
#include <lapse/report/outline.hpp>
#include <lapse/report/quantity.hpp>
#include <lapse/report/terminal.hpp>
#include <lapse/report/text_page.hpp>

namespace lapse::report {
namespace {

using stats::Basis;
using stats::Change;

constexpr Phrase kTitle{"compare", "비교"};
constexpr Phrase kForced{"compared all the same (--force): {what}", "그래도 비교했습니다(--force): {what}"};
constexpr Phrase kProcesses{"{processes} processes, {runs}", "프로세스 {processes}개, {runs}"};
constexpr Phrase kProcess{"1 process, {runs}", "프로세스 1개, {runs}"};
constexpr Phrase kDiffers{"differs", "다른 점"};
constexpr Phrase kMeasured{"measured", "측정"};
constexpr Phrase kTurns{"A and B in turns, in {n} pairs of processes", "A와 B를 번갈아, 프로세스 {n}쌍으로"};
constexpr Phrase kOneAfterTheOther{"one after the other: what changed in between counts as a difference",
                                   "차례로 따로 측정: 그사이에 바뀐 것도 차이로 잡힙니다"};
constexpr Phrase kMargin{"margin", "허용 폭"};
constexpr Phrase kMarginValue{"± {margin}: what lies within it is equivalent[; processes differ by {noise}, as told]",
                              "± {margin}: 이 안이면 동등으로 봅니다[. 프로세스 간 잡음은 지정한 {noise}]"};
constexpr Phrase kInterval{"interval", "신뢰구간"};
constexpr Phrase kVerdict{"verdict", "판정"};
constexpr std::array kChanges{Phrase{"faster", "빨라짐"}, Phrase{"slower", "느려짐"}, Phrase{"equivalent", "동등"},
                              Phrase{"undecided", "판단 불가"}};
constexpr Phrase kThisProcess{
    "this process only: of one process a side nobody knows how much processes differ (lapse time --processes 6, or --noise)",
    "이 프로세스만의 결과입니다: 프로세스가 하나뿐이면 프로세스끼리 얼마나 다른지 알 수 없습니다 (lapse time --processes 6 또는 --noise)"};
constexpr Phrase kFewProcesses{"fewer than {n} processes a side decide nothing (lapse time --processes {more}, or --noise)",
                               "한쪽 프로세스가 {n}개보다 적으면 판정하지 않습니다 (lapse time --processes {more} 또는 --noise)"};
constexpr Phrase kNearClock{"near what reading the clock costs: a difference could hide in its steps, so nothing is called equivalent",
                            "시계를 읽는 비용에 가깝습니다: 시계 눈금에 차이가 가려질 수 있어 동등이라고 하지 않습니다"};
constexpr Phrase kNoTail{"no tail: a percentile needs {n} runs of each process",
                         "꼬리 없음: 백분위에는 프로세스마다 {n}회 실행이 필요합니다"};
constexpr Phrase kMoreProcesses{"{metric}: about {n} processes a side would tell a difference of {margin}",
                                "{metric}: 한쪽에 프로세스 {n}개 정도면 {margin} 차이를 가릴 수 있습니다"};
constexpr Phrase kUnsteady{"{n} of {of} processes of {side} had no steady state",
                           "{side}의 프로세스 {of}개 중 {n}개는 안정 상태에 이르지 못했습니다"};
constexpr Phrase kOnly{"only in {side}, not compared: {names}", "{side}에만 있어 비교하지 않음: {names}"};
constexpr Phrase kResult{"result", "결과"};
constexpr Phrase kSlower{"REGRESSION, B is slower: {what}", "성능 저하, B가 더 느립니다: {what}"};
constexpr Phrase kUndecided{"undecided: {what}; nothing is shown to be slower", "판단 불가: {what}. 느려졌다고 확인된 것은 없습니다"};
constexpr Phrase kNoneSlower{"no regression", "성능 저하 없음"};

// With the half that several intervals at once make of it: "97.5 %".
std::string confidence(double share) { return fmt::format("{:.4g} %", 100.0 * share); }

constexpr std::size_t kColumns = 6;
using Cells = std::array<std::string, kColumns>;

/// Everything in words and in order, before it is laid out.
struct Content {
  struct Model {
    std::string name;
    std::vector<Row> rows;
    std::vector<Cells> table;  // its heading first
    std::vector<std::string> remarks;
  };
  std::vector<std::string> alerts;
  std::string title;
  std::vector<Model> models;
  std::vector<Row> rows;
};

class Writer {
 public:
  Writer(const Comparison& comparison, Language language) : comparison_(comparison), language_(language) {}

  Content operator()() const {
    Content out;
    if (comparison_.interrupted) out.alerts.push_back(say(Text::Interrupted, language_));
    out.title = text(kTitle) + " · A = " + comparison_.a + " · B = " + comparison_.b;
    for (const ComparedModel& model : comparison_.models) {
      for (const Obstacle& each : model.forced) out.alerts.push_back(named(model, text(kForced, {{"what", say(each, language_)}})));
      out.models.push_back({model.name, rows(model), table(model), remarks(model)});
    }
    Facts margin{{"margin", percent(comparison_.rules.margin)}};
    if (comparison_.rules.noise) margin["noise"] = percent(*comparison_.rules.noise);
    out.rows.push_back({text(kMargin), text(kMarginValue, margin)});
    if (std::string where = machine(comparison_.environment, language_); !where.empty()) {
      out.rows.push_back({say(Text::Machine, language_), std::move(where)});
    }
    for (const auto& [side, names] : {std::pair{"A", &comparison_.only_a}, std::pair{"B", &comparison_.only_b}}) {
      if (!names->empty()) out.rows.push_back({"!", text(kOnly, {{"side", side}, {"names", fmt::format("{}", fmt::join(*names, ", "))}})});
    }
    out.rows.push_back({text(kResult), result()});
    return out;
  }

 private:
  std::string text(const Phrase& phrase, const Facts& facts = {}) const { return say(phrase, language_, facts); }
  static std::string named(const ComparedModel& model, const std::string& what) {
    return model.name.empty() ? what : model.name + ": " + what;
  }

  std::string word(const ComparedMetric& metric) const { return metric.name == "median" ? say(Text::Median, language_) : metric.name; }

  std::string side(const ComparedSide& side) const {
    const std::string runs = counted_runs(side.runs, language_);
    const std::string counted =
        side.processes == 1 ? text(kProcess, {{"runs", runs}}) : text(kProcesses, {{"processes", grouped(side.processes)}, {"runs", runs}});
    return title(side.subject, language_) + " · " + counted + " · " + side.created;
  }

  std::vector<Row> rows(const ComparedModel& model) const {
    std::vector<Row> out{{"A", side(model.a)}, {"B", side(model.b)}};
    std::string differences;
    for (const Difference& each : model.differences) {
      const auto shown = [](const std::string& value) { return value.empty() ? std::string("?") : value; };
      differences += fmt::format("{}{}: {} → {}", differences.empty() ? "" : ", ", each.key, shown(each.a), shown(each.b));
    }
    if (!differences.empty()) out.push_back({text(kDiffers), differences});
    out.push_back({text(kMeasured), model.turns ? text(kTurns, {{"n", grouped(model.a.processes)}}) : text(kOneAfterTheOther)});
    return out;
  }

  std::vector<Cells> table(const ComparedModel& model) const {
    std::vector<Cells> out{{"", "A", "B", "B / A", text(kInterval), text(kVerdict)}};
    for (const ComparedMetric& metric : model.metrics) {
      const stats::Decision& decision = metric.decision;
      std::string interval = "?";
      if (decision.low > 0.0 && std::isfinite(decision.high)) {
        interval = fmt::format("{:.4f} … {:.4f} ({})", decision.low, decision.high, confidence(decision.confidence));
      }
      out.push_back({word(metric), duration(metric.a_ns), duration(metric.b_ns), fmt::format("{:.4f}", decision.ratio), std::move(interval),
                     text(kChanges[static_cast<std::size_t>(decision.change)])});
    }
    return out;
  }

  std::vector<std::string> remarks(const ComparedModel& model) const {
    std::vector<std::string> out;
    const Basis basis = model.metrics.front().contrast.basis;
    if (basis == Basis::ThisProcess) out.push_back(text(kThisProcess));
    if (basis == Basis::FewProcesses) {
      out.push_back(text(kFewProcesses, {{"n", grouped(stats::kFewestProcesses)}, {"more", grouped(stats::kFewestProcesses + 1)}}));
    }
    if (model.near_clock) out.push_back(text(kNearClock));
    if (model.tail_needs > 0) out.push_back(text(kNoTail, {{"n", grouped(model.tail_needs)}}));
    for (const ComparedMetric& metric : model.metrics) {
      if (metric.processes_needed == 0) continue;
      out.push_back(
          text(kMoreProcesses,
               {{"metric", word(metric)}, {"n", grouped(metric.processes_needed)}, {"margin", percent(comparison_.rules.margin)}}));
    }
    for (const auto& [side, of] : {std::pair{"A", &model.a}, std::pair{"B", &model.b}}) {
      if (of->unsteady > 0) out.push_back(text(kUnsteady, {{"n", grouped(of->unsteady)}, {"of", grouped(of->processes)}, {"side", side}}));
    }
    return out;
  }

  std::string with(Change change) const {
    std::string out;
    for (const ComparedModel& model : comparison_.models) {
      for (const ComparedMetric& metric : model.metrics) {
        if (metric.decision.change != change) continue;
        out += (out.empty() ? "" : ", ") + (model.name.empty() ? "" : model.name + ' ') + word(metric);
      }
    }
    return out;
  }

  std::string result() const {
    if (comparison_.regressed()) return text(kSlower, {{"what", with(Change::Slower)}});
    if (comparison_.undecided()) return text(kUndecided, {{"what", with(Change::Undecided)}});
    return text(kNoneSlower);
  }

  const Comparison& comparison_;
  Language language_;
};

/// Columns as wide as they have to be, in `unicode` or ASCII: some symbols are wider there.
std::vector<std::string> lines(const std::vector<Cells>& table, bool unicode) {
  std::vector<std::string> out(table.size(), " ");
  for (std::size_t column = 0; column < kColumns; ++column) {
    std::vector<std::string> cells;
    std::size_t width = 0;
    for (const Cells& row : table) {
      cells.push_back(unicode ? printable(row[column]) : to_ascii(printable(row[column])));
      width = std::max(width, display_width(cells.back()));
    }
    for (std::size_t i = 0; i < cells.size(); ++i) out[i] += (column == 0 ? " " : "  ") + padded(cells[i], width);
  }
  return out;
}

std::string markdown_row(const Cells& cells) {
  std::string out = "|";
  for (const std::string& each : cells) out += ' ' + escaped(each) + " |";
  return out + '\n';
}

}  // namespace

std::string to_text(const Comparison& comparison, Language language, bool unicode) {
  const Content content = Writer(comparison, unicode ? language : Language::English)();  // there is no Korean in ASCII
  TextPage page(unicode);
  for (const std::string& alert : content.alerts) page.alert(alert);
  page.line(content.title, 2);
  for (const Content::Model& model : content.models) {
    page.blank();
    if (!model.name.empty()) page.line(model.name, 2);
    page.rows(model.rows);
    page.blank();
    for (const std::string& line : lines(model.table, unicode)) page.line(line, 4);
    for (const std::string& remark : model.remarks) page.remark(remark);
  }
  page.blank();
  page.rows(content.rows);
  return page.take();
}

std::string to_markdown(const Comparison& comparison, Language language) {
  const Content content = Writer(comparison, language)();
  std::string out;
  for (const std::string& alert : content.alerts) out += fmt::format("**{}**\n\n", escaped(alert));
  out += fmt::format("**{}**\n", escaped(content.title));
  for (const Content::Model& model : content.models) {
    if (!model.name.empty()) out += fmt::format("\n### {}\n", escaped(model.name));
    out += '\n' + markdown_row(model.table.front()) + "|:--|--:|--:|--:|:--|:--|\n";
    for (std::size_t i = 1; i < model.table.size(); ++i) out += markdown_row(model.table[i]);
    out += '\n';
    for (const Row& row : model.rows) out += fmt::format("- {}: {}\n", escaped(row.label), escaped(row.value));
    for (const std::string& remark : model.remarks) out += fmt::format("- {}\n", escaped(remark));
  }
  out += '\n';
  for (const Row& row : content.rows) out += fmt::format("- {}: {}\n", escaped(row.label), escaped(row.value));
  return out;
}

}  // namespace lapse::report
