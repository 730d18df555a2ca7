#include <algorithm>
#include <lapse/report/terminal.hpp>
#include <lapse/report/text_page.hpp>

namespace lapse::report {
namespace {

constexpr std::size_t kColumns = 80;
constexpr std::size_t kValueColumn = 16;  // where values begin
constexpr std::size_t kValueWidth = 8;    // "5.053 ms"
constexpr std::size_t kGap = 3;
constexpr std::size_t kIndent = 2;

}  // namespace

void TextPage::line(std::string_view text, std::size_t hanging_indent) {
  const std::string safe = printable(text);
  text_ += wrapped(unicode_ ? safe : to_ascii(safe), kColumns, hanging_indent);
}

void TextPage::row(const Row& row) { line(padded(std::string(kIndent, ' ') + row.label, kValueColumn) + row.value, kValueColumn); }

void TextPage::latency(const Latency& latency) {
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
  line(intervals ? heading + gap + latency.interval : heading, kValueColumn);
  for (const LatencyRow& row : latency.rows) {
    const std::string label(kIndent * (row.nested ? 3 : 2), ' ');
    const std::string value = padded(padded(label + row.label, kValueColumn) + row.value, interval_column - kGap);
    line(value + gap + padded(row.interval, interval_width) + gap + row.error, kValueColumn);
  }
  if (!latency.histogram.empty()) {
    line(std::string(2 * kIndent, ' ') + '|' + latency.histogram + '|' + gap + latency.range, kValueColumn);
  }
}

void TextPage::table(const Table& table) {
  std::vector<std::vector<std::string>> rows{table.head};
  rows.insert(rows.end(), table.rows.begin(), table.rows.end());
  std::vector<std::size_t> widths(table.head.size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i]));
  }
  line(std::string(kIndent, ' ') + table.heading, 2 * kIndent);
  for (const auto& row : rows) {
    std::string text(2 * kIndent, ' ');
    for (std::size_t i = 0; i < row.size(); ++i) text += i + 1 < row.size() ? padded(row[i], widths[i] + kIndent) : row[i];
    line(text, 4 * kIndent);
  }
}

void TextPage::warnings(const std::vector<Message>& warnings) {
  if (warnings.empty()) return;
  blank();
  for (const Message& warning : warnings) {
    remark(warning.message);
    if (!warning.hint.empty()) line("    → " + warning.hint, 3 * kIndent);
  }
}

}  // namespace lapse::report
