#include <algorithm>
#include <lapse/report/outline.hpp>
#include <lapse/report/render.hpp>
#include <lapse/report/terminal.hpp>

namespace lapse::report {
namespace {

constexpr std::size_t kColumns = 80;
constexpr std::size_t kValueColumn = 16;  // where values begin
constexpr std::size_t kValueWidth = 8;    // "5.053 ms"
constexpr std::size_t kGap = 3;
constexpr std::size_t kIndent = 2;

/// Collects lines that fit, safe to print, and in ASCII where that is asked for.
class Page {
 public:
  explicit Page(bool unicode) : unicode_(unicode) {}

  void line(std::string_view text, std::size_t hanging_indent) {
    const std::string safe = printable(text);
    text_ += wrapped(unicode_ ? safe : to_ascii(safe), kColumns, hanging_indent);
  }
  void blank() { text_ += '\n'; }
  void row(const Row& row) { line(padded(std::string(kIndent, ' ') + row.label, kValueColumn) + row.value, kValueColumn); }
  void rows(const std::vector<Row>& rows) {
    for (const Row& each : rows) row(each);
  }
  std::string take() { return std::move(text_); }

 private:
  bool unicode_;
  std::string text_;
};

void put_latency(Page& page, const Latency& latency) {
  const std::string gap(kGap, ' ');
  const std::size_t interval_column = kValueColumn + kValueWidth + kGap;
  std::size_t interval_width = display_width(latency.interval);
  bool intervals = false;
  for (const LatencyRow& row : latency.rows) {
    if (row.error.empty()) continue;
    intervals = true;
    interval_width = std::max(interval_width, display_width(row.interval));
  }
  const std::string heading = padded(std::string(kIndent, ' ') + latency.heading, interval_column - kGap);
  page.line(intervals ? heading + gap + latency.interval : heading, kValueColumn);
  for (const LatencyRow& row : latency.rows) {
    const std::string label(kIndent * (row.nested ? 3 : 2), ' ');
    const std::string value = padded(padded(label + row.label, kValueColumn) + row.value, interval_column - kGap);
    page.line(value + gap + padded(row.interval, interval_width) + gap + row.error, kValueColumn);
  }
  if (!latency.histogram.empty()) {
    page.line(std::string(2 * kIndent, ' ') + '|' + latency.histogram + '|' + gap + latency.range, kValueColumn);
  }
}

void put_warnings(Page& page, const std::vector<Message>& warnings) {
  if (warnings.empty()) return;
  page.blank();
  for (const Message& warning : warnings) {
    page.line("  ! " + warning.message, 2 * kIndent);
    if (!warning.hint.empty()) page.line("    → " + warning.hint, 3 * kIndent);
  }
}

}  // namespace

std::string to_text(const Report& report, Language language, bool unicode) {
  const Outline content = outline(report, unicode ? language : Language::English);  // there is no Korean in ASCII
  Page page(unicode);
  for (const std::string& alert : content.alerts) page.line("!! " + alert, 3);
  page.line(content.title, kIndent);
  page.rows(content.setup);
  page.blank();
  page.rows(content.before);
  page.blank();
  if (content.throughput_first) {
    page.row(content.throughput);
    page.blank();
  }
  put_latency(page, content.latency);
  if (!content.latency.submit_alone.empty()) page.line("  ! " + content.latency.submit_alone, 2 * kIndent);
  page.blank();
  if (!content.throughput_first) page.row(content.throughput);
  page.rows(content.after);
  put_warnings(page, content.warnings);
  return page.take();
}

}  // namespace lapse::report
