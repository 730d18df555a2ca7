#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <lapse/report/overlap.hpp>
#include <lapse/report/quantity.hpp>
#include <lapse/report/terminal.hpp>
#include <nlohmann/json.hpp>

namespace lapse::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kColumns = 80;
constexpr std::size_t kValueColumn = 16;
constexpr std::size_t kWayWidth = 17;
constexpr std::size_t kBusyWidth = 9;
constexpr std::size_t kDrawn = 60;        // cells of the figure
constexpr std::size_t kDrawnBatches = 8;  // of the asynchronous way: what the figure shows

struct Words {
  const char* key;
  const char* english;
  const char* korean;
};
constexpr std::array kWords{
    Words{"threads", "{} threads", "스레드 {}개"},
    Words{"thread", "1 thread", "스레드 1개"},
    Words{"batch", "batch {}", "배치 {}"},
    Words{"measured", "measured", "측정"},
    Words{"plan", "{} × {} batches each way, in turns, after one round to warm up", "방식마다 {} × 배치 {}개, 번갈아, 예열 1회 뒤"},
    Words{"how", "preprocess threads {} · queue depth {} · in flight {}", "전처리 스레드 {} · 큐 길이 {} · 동시 진행 {}"},
    Words{"synchronous", "synchronous", "동기"},
    Words{"asynchronous", "asynchronous", "비동기"},
    Words{"throughput", "throughput", "처리량"},
    Words{"per_s", "{} /s", "{} /s"},
    Words{"speedup", "speed-up", "속도 향상"},
    Words{"times", "{:.3f} times", "{:.3f}배"},
    Words{"interval", "95 % interval {} … {}", "95 % 구간 {} … {}"},
    Words{"more_rounds", "an interval needs 6 rounds: --rounds 6", "구간은 6회부터: --rounds 6"},
    Words{"bound", "bound", "상한"},
    Words{"bound_is", "{} /s, by {}: nothing is faster than its slowest stage", "{} /s, 가장 느린 단계인 {} 때문"},
    Words{"reached", "reached", "상한 대비"},
    Words{"latency", "latency", "지연 시간"},
    Words{"of_a_batch", "of a batch, from its preparing to its outputs", "배치 하나, 전처리부터 출력까지"},
    Words{"median", "median", "중앙값"},
    Words{"busy", "busy", "작업 중"},
    Words{"busy_note", "time a batch, and share of the time in which the stage works", "배치당 시간과 단계가 일하는 시간의 비율"},
    Words{"preprocess", "preprocess", "전처리"},
    Words{"h2d", "H2D", "H2D"},
    Words{"forward", "forward", "순전파"},
    Words{"d2h", "D2H", "D2H"},
    Words{"postprocess", "postprocess", "후처리"},
    Words{"answers", "answers", "결과"},
    Words{"equal", "the same in both ways, bit for bit: {} items", "두 방식이 비트까지 같음: {}개"},
    Words{"different", "{} of {} items differ between the two ways", "{1}개 중 {0}개가 두 방식에서 다름"},
    Words{"random", "{} of {} items differ from run to run on the same input: the two ways can't be compared",
          "{1}개 중 {0}개가 같은 입력에도 실행마다 달라 두 방식을 비교할 수 없음"},
    Words{"skipped", "skipped", "건너뜀"},
    Words{"skipped_count", "{} of what should be items", "항목 {}개"},
    Words{"more", "… and {} more", "… 외 {}개"},
    Words{"figure", "one round, {} across", "한 회, 가로 {}"},
    Words{"latency_grew", "overlap is paid for in latency: a batch waits in the queues ({} instead of {})",
          "겹쳐 실행하면 배치가 큐에서 기다려 지연 시간이 늘어남 ({1} → {0})"},
    Words{"ended", "it ended early: {}", "일찍 끝남: {}"},
};

class Text {
 public:
  Text(const Json& document, Language language, bool unicode)
      : document_(document), korean_(unicode && language == Language::Korean), unicode_(unicode) {}

  std::string write() {
    title();
    blank();
    const std::string heading = padded("", kValueColumn) + padded(word("synchronous"), kWayWidth) + word("asynchronous");
    line(heading);
    pair("throughput", [&](const Json& way) { return fmt::format("{} /s", rate(way.at("throughput_per_s").get<double>())); });
    row(word("speedup"), with_interval(
                             document_.at("speedup"), [&](double value) { return fmt::format("{:.3f}", value); },
                             [&](double value) { return filled("times", value); }));
    const Json& bound = document_.at("bound");
    row(word("bound"), filled("bound_is", rate(bound.at("throughput_per_s").get<double>()), word(bound.at("stage").get<std::string>())));
    row(word("reached"), with_interval(bound.at("efficiency"), percent, percent));
    blank();
    latencies();
    blank();
    stages();
    figure();
    remarks();
    return std::move(out_);
  }

 private:
  std::string_view pattern(std::string_view key) const {
    const auto found = std::ranges::find(kWords, key, [](const Words& words) { return std::string_view(words.key); });
    if (found == kWords.end()) return "?";
    return korean_ ? found->korean : found->english;
  }
  /// What a document names is printed as it is where it is no word of ours.
  std::string word(std::string_view key) const {
    const std::string_view text = pattern(key);
    return text == "?" ? std::string(key) : std::string(text);
  }
  template <class... Values>
  std::string filled(std::string_view key, const Values&... values) const {
    return fmt::format(fmt::runtime(pattern(key)), values...);
  }

  void line(std::string_view text, std::size_t indent = kValueColumn) {
    const std::string safe = printable(text);
    out_ += wrapped(unicode_ ? safe : to_ascii(safe), kColumns, indent);
  }
  void blank() { out_ += '\n'; }
  void row(const std::string& label, const std::string& value) { line(padded("  " + label, kValueColumn) + value); }

  const Json& way(const char* name) const { return document_.at("ways").at(name); }
  template <class Cell>
  void pair(std::string_view key, Cell cell, std::string label = {}) {
    if (label.empty()) label = word(key);
    row(label, padded(cell(way("synchronous")), kWayWidth) + cell(way("asynchronous")));
  }

  template <class Bare, class Whole>
  std::string with_interval(const Json& ratio, Bare bare, Whole whole) const {
    const std::string value = padded(whole(ratio.at("value").template get<double>()), kWayWidth);
    if (ratio.at("low").is_null() || ratio.at("high").is_null()) return value + word("more_rounds");
    return value + filled("interval", bare(ratio.at("low").template get<double>()), bare(ratio.at("high").template get<double>()));
  }

  void title() {
    const Json& subject = document_.at("subject");
    const int threads = subject.at("threads").get<int>();
    std::string title = fmt::format("{} · {} {} · {}", subject.at("model").get<std::string>(), subject.at("engine").get<std::string>(),
                                    subject.at("engine_version").get<std::string>(), subject.at("device").get<std::string>());
    if (threads > 0) title += " · " + (threads == 1 ? word("thread") : filled("threads", threads));
    line(title + " · " + filled("batch", subject.at("batch").get<std::int64_t>()), 2);
    const auto rounds = way("synchronous").at("rounds").size();
    row(word("measured"), filled("plan", rounds, subject.at("batches").get<std::size_t>()));
    row("", filled("how", subject.at("workers").get<int>(), subject.at("depth").get<int>(), subject.at("in_flight").get<int>()));
  }

  static std::string quantile_text(const Json& latency, const char* key) {
    const Json& quantile = latency.at(key);
    return quantile.contains("value") ? duration(quantile.at("value").get<double>()) : "-";
  }

  void latencies() {
    row(word("latency"), word("of_a_batch"));
    for (const auto& [key, label] :
         {std::pair{"median_ns", word("median")}, std::pair{"p90_ns", std::string("p90")}, std::pair{"p99_ns", std::string("p99")}}) {
      pair(
          key, [key = key](const Json& way) { return quantile_text(way.at("latency"), key); }, "  " + label);
    }
  }

  void stages() {
    row(word("busy"), word("busy_note"));
    const Json& stages = document_.at("stages");
    for (std::size_t i = 0; i < stages.size(); ++i) {
      const Json& stage = stages.at(i);
      std::string label = "  " + word(stage.at("name").get<std::string>());
      const auto threads = stage.at("threads").get<int>();
      if (threads > 1) label += fmt::format(" ×{}", threads);
      pair(
          "busy",
          [i](const Json& way) {
            return fmt::format("{} {}", padded(duration(way.at("busy_ns").at(i).get<double>()), kBusyWidth),
                               percent(way.at("utilisation").at(i).get<double>()));
          },
          label);
    }
  }

  // One character a cell of time: the last digit of the batch that the stage worked on for most of it.
  std::string drawn(const Json& way, std::size_t stage, double cell_ns) const {
    std::vector<double> most(kDrawn, 0.0);
    std::string cells(kDrawn, '.');
    for (const Json& span : way.at("spans")) {
      if (span.at(0).get<std::size_t>() != stage) continue;
      const double begin = span.at(2).get<double>() / cell_ns, end = begin + span.at(3).get<double>() / cell_ns;
      const auto last = std::min(static_cast<double>(kDrawn) - 1, std::floor(end));
      for (double cell = std::max(0.0, std::floor(begin)); cell <= last; ++cell) {
        const double share = std::min(end, cell + 1) - std::max(begin, cell);
        const auto place = static_cast<std::size_t>(cell);
        if (share < 0.25 || share <= most[place]) continue;
        most[place] = share;
        cells[place] = static_cast<char>('0' + span.at(1).get<std::uint64_t>() % 10);
      }
    }
    return cells;
  }

  // The classic figure, measured: both ways on one axis.
  void figure() {
    double across = 0;
    for (const Json& span : way("asynchronous").at("spans")) {
      if (span.at(1).get<std::size_t>() < kDrawnBatches) across = std::max(across, span.at(2).get<double>() + span.at(3).get<double>());
    }
    if (!(across > 0)) return;
    blank();
    const Json& stages = document_.at("stages");
    for (const char* name : {"synchronous", "asynchronous"}) {
      line("  " + word(name) + (std::string_view(name) == "synchronous" ? " · " + filled("figure", duration(across)) : ""), 2);
      for (std::size_t i = 0; i < stages.size(); ++i) {
        const std::string cells = drawn(way(name), i, across / static_cast<double>(kDrawn));
        if (cells.find_first_not_of('.') == cells.npos) continue;  // too short for a cell
        row("  " + word(stages.at(i).at("name").get<std::string>()), cells);
      }
    }
  }

  void remarks() {
    blank();
    const Json& answer = document_.at("answer");
    const auto verdict = answer.at("verdict").get<std::string>();
    const std::string items = grouped(answer.at("items").get<std::uint64_t>());
    row(word("answers"),
        verdict == "equal" ? filled("equal", items)
                           : filled(verdict, grouped(answer.at(verdict == "random" ? "random" : "different").get<std::uint64_t>()), items));
    skipped();
    const auto median = [&](const char* name) {
      const Json& quantile = way(name).at("latency").at("median_ns");
      return quantile.contains("value") ? quantile.at("value").get<double>() : 0.0;
    };
    if (median("asynchronous") > 1.2 * median("synchronous")) {
      line("  ! " + filled("latency_grew", duration(median("asynchronous")), duration(median("synchronous"))), 4);
    }
    const Json& failure = document_.at("failure");
    if (failure.is_object()) line("  ! " + filled("ended", failure.at("message").get<std::string>()), 4);
  }

  void skipped() {
    const Json& skipped = document_.at("skipped");
    const auto count = skipped.at("count").get<std::size_t>();
    if (count == 0) return;
    row(word("skipped"), filled("skipped_count", grouped(count)));
    constexpr std::size_t kShown = 5;
    std::size_t shown = 0;
    for (const Json& file : skipped.at("files")) {
      if (shown == kShown) break;
      ++shown;
      line(fmt::format("    {}: {}", file.at("file").get<std::string>(), file.at("reason").get<std::string>()), 6);
    }
    if (count > shown) line("    " + filled("more", grouped(count - shown)), 6);
  }

  const Json& document_;
  const bool korean_, unicode_;
  std::string out_;
};

}  // namespace

Result<std::string> overlap_text(const nlohmann::ordered_json& document, Language language, bool unicode) {
  try {
    if (document.at("schema") == kPipelineSchema) return Text(document, language, unicode).write();
  } catch (const nlohmann::json::exception&) {
  } catch (const fmt::format_error&) {
  }
  return fail(ErrorCode::BadInput, "this is no whole document of `lapse pipeline`", "give a file that `lapse pipeline --json FILE` wrote");
}

}  // namespace lapse::report
