#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <lapse/serve/observe/top.hpp>
#include <set>

namespace lapse::serve {
namespace {

/// Counters and histograms between two scrapes.
struct Window {
  const Exposition* before;
  const Exposition& now;
  double seconds;

  double grown(std::string_view name, const Exposition::Wanted& wanted = {}) const {
    return increase(before != nullptr ? before->sum(name, wanted) : 0, now.sum(name, wanted));
  }
  std::optional<double> rate(std::string_view name, const Exposition::Wanted& wanted = {}) const {
    if (before == nullptr || !(seconds > 0)) return std::nullopt;
    return grown(name, wanted) / seconds;
  }
  TopQuantiles quantiles(std::string_view name, const Exposition::Wanted& wanted) const {
    auto buckets = now.buckets(name, wanted);
    if (before != nullptr) buckets = increase(before->buckets(name, wanted), buckets);
    return {quantile(buckets, 0.5), quantile(buckets, 0.99)};
  }
};

TopModel model_view(const Window& window, const std::string& name) {
  const Exposition::Wanted model{{"model", name}};
  const auto with = [&](std::string_view label, std::string_view value) { return Exposition::Wanted{{"model", name}, {label, value}}; };
  TopModel out;
  out.name = name;
  out.queued = window.now.sum("lapse_queue_jobs", with("state", "queued"));
  out.running = window.now.sum("lapse_queue_jobs", with("state", "running"));
  out.workers = window.now.sum("lapse_workers", model);
  for (const char* what : {"crashed", "killed"}) out.restarts += window.now.sum("lapse_worker_events_total", with("what", what));
  out.done_rate = window.rate("lapse_jobs_ended_total", with("state", "done"));
  out.failed_rate = window.rate("lapse_jobs_ended_total", with("state", "failed"));
  out.ack = window.quantiles("lapse_job_accepted_seconds", model);
  out.queue = window.quantiles("lapse_job_queue_seconds", model);
  out.forward = window.quantiles("lapse_batch_forward_seconds", model);
  const double passes = window.grown("lapse_batch_size_count", model);
  if (passes > 0) out.batch = window.grown("lapse_batch_size_sum", model) / passes;
  return out;
}

struct Words {
  std::string_view model, queued, running, done, failed, ack, queue, forward, batch, workers, restarts, memory, connections, requests,
      rejected, none;
};
constexpr Words kEnglish{"model", "queued",  "running",  "done/s", "failed/s",    "ack",        "queue",      "forward",
                         "batch", "workers", "restarts", "memory", "connections", "requests/s", "rejected/s", "no models"};
constexpr Words kKorean{"모델", "대기",   "실행",   "완료/초", "실패/초", "접수",    "대기 시간", "순전파",
                        "배치", "작업자", "재시작", "메모리",  "연결",    "요청/초", "거절/초",   "모델 없음"};

/// Columns on a terminal: Hangul takes two.
std::size_t columns(std::string_view text) {
  std::size_t total = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 || (byte >= 0xc0 && byte < 0xe3)) ++total;  // ASCII, µ, ≤
    if (byte >= 0xe3) total += 2;                               // Hangul and what lies round it
  }
  return total;
}

std::string padded(std::string_view text, std::size_t width, bool right) {
  const std::string gap(width - std::min(width, columns(text)), ' ');
  return right ? gap + std::string(text) : std::string(text) + gap;
}

std::string count(std::optional<double> value) {
  if (!value) return "-";
  if (*value == 0) return "0";
  return *value < 99.95 && *value != std::floor(*value) ? fmt::format("{:.1f}", *value) : fmt::format("{:.0f}", *value);
}

std::string shortly(std::optional<double> seconds) {
  if (!seconds) return "-";
  if (std::isinf(*seconds)) return ">1h";
  if (*seconds < 1e-3) return fmt::format("{:g}us", *seconds * 1e6);
  if (*seconds < 1) return fmt::format("{:g}ms", *seconds * 1e3);
  return *seconds < 3600 ? fmt::format("{:g}s", *seconds) : fmt::format("{:g}h", *seconds / 3600);
}

std::string pair(const TopQuantiles& of) { return of.p50 ? fmt::format("{}/{}", shortly(of.p50), shortly(of.p99)) : "-"; }

std::string at_most(const TopQuantiles& of) { return (of.p50 ? "≤" : "") + pair(of); }

/// A name that steers the terminal, or is longer than there is room.
std::string clean(std::string_view name, std::size_t width) {
  std::string out;
  for (const char c : name.substr(0, width)) out += c >= 0x20 && c < 0x7f ? c : '?';
  return out;
}

using Row = std::vector<std::string>;

std::string table(const TopView& view, const Words& words) {
  const auto under = [](std::string_view word) { return fmt::format("{} ≤p50/p99", word); };
  std::vector<Row> rows{{std::string(words.model), std::string(words.queued), std::string(words.running), std::string(words.done),
                         std::string(words.failed), under(words.ack), under(words.queue), under(words.forward), std::string(words.batch),
                         std::string(words.workers), std::string(words.restarts)}};
  for (const TopModel& model : view.models) {
    rows.push_back({clean(model.name, 24), count(model.queued), count(model.running), count(model.done_rate), count(model.failed_rate),
                    pair(model.ack), pair(model.queue), pair(model.forward), count(model.batch), count(model.workers),
                    count(model.restarts)});
  }
  std::vector<std::size_t> widths(rows.front().size());
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns(row[i]));
  }
  std::string out;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) line += (i > 0 ? "  " : "") + padded(row[i], widths[i], i > 0);
    out += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
  }
  return out;
}

/// The items in lines of at most `width` columns.
std::string flow(const Row& items, std::size_t width, std::string_view indent) {
  std::string out, line;
  for (const std::string& item : items) {
    if (!line.empty() && columns(indent) + columns(line) + 2 + columns(item) > width) {
      out += fmt::format("{}{}\n", indent, std::exchange(line, ""));
    }
    line += (line.empty() ? "" : "  ") + item;
  }
  return out + fmt::format("{}{}\n", indent, line);
}

std::string blocks(const TopView& view, const Words& words, std::size_t width) {
  std::string out;
  for (const TopModel& model : view.models) {
    const auto item = [](std::string_view word, const std::string& value) { return fmt::format("{} {}", word, value); };
    out += clean(model.name, width) + '\n';
    out +=
        flow({item(words.queued, count(model.queued)), item(words.running, count(model.running)), item(words.done, count(model.done_rate)),
              item(words.failed, count(model.failed_rate)), item(words.ack, at_most(model.ack)), item(words.queue, at_most(model.queue)),
              item(words.forward, at_most(model.forward)), item(words.batch, count(model.batch)), item(words.workers, count(model.workers)),
              item(words.restarts, count(model.restarts))},
             width, "  ");
  }
  return out;
}

}  // namespace

TopView view(const Exposition* before, const Exposition& now, double seconds) {
  const Window window{before, now, seconds};
  TopView out;
  for (const Sample& sample : now.of("lapse_build_info")) {
    if (const auto version = sample.labels.find("version"); version != sample.labels.end()) out.version = version->second;
  }
  out.memory = now.sum("process_resident_memory_bytes");
  out.connections = now.sum("lapse_http_connections");
  out.request_rate = window.rate("lapse_http_requests_total");
  out.rejected_rate = window.rate("lapse_rejected_total");
  std::set<std::string> names;
  for (const Sample& sample : now.of("lapse_queue_jobs")) {
    if (const auto name = sample.labels.find("model"); name != sample.labels.end()) names.insert(name->second);
  }
  for (const std::string& name : names) out.models.push_back(model_view(window, name));
  return out;
}

std::string draw(const TopView& view, std::size_t width, bool korean) {
  const Words& words = korean ? kKorean : kEnglish;
  const Row server{fmt::format("lapse {}", clean(view.version, 20)), fmt::format("{} {:.0f} MiB", words.memory, view.memory / (1 << 20)),
                   fmt::format("{} {}", words.connections, count(view.connections)),
                   fmt::format("{} {}", words.requests, count(view.request_rate)),
                   fmt::format("{} {}", words.rejected, count(view.rejected_rate))};
  const std::string head = flow(server, width, "");
  if (view.models.empty()) return head + std::string(words.none) + '\n';
  const std::string wide = table(view, words);
  return head + (columns(wide.substr(0, wide.find('\n'))) <= width ? wide : blocks(view, words, width));
}

}  // namespace lapse::serve
