#include <fmt/format.h>

#include <lapse/report/markdown.hpp>
#include <lapse/report/outline.hpp>
#include <lapse/report/render.hpp>
#include <lapse/report/terminal.hpp>

namespace lapse::report {
namespace {

std::string cells(const Row& row) { return fmt::format("| {} | {} |\n", escaped(row.label), escaped(row.value)); }

std::string cells(const std::vector<std::string>& row) {
  std::string out = "|";
  for (const std::string& cell : row) out += fmt::format(" {} |", escaped(cell));
  return out + '\n';
}

std::string cells(const LatencyRow& row) {
  return fmt::format("| {} | {} | {} | {} |\n", escaped(row.label), escaped(row.value), escaped(row.interval), escaped(row.error));
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : printable(text)) {
    if (std::string_view("\\`*_[]<>|#").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string to_markdown(const Report& report, Language language) {
  const Outline content = outline(report, language);
  std::string out;
  for (const std::string& alert : content.alerts) out += fmt::format("**{}**\n\n", escaped(alert));
  out += fmt::format("**{}**\n\n", escaped(content.title));

  const Latency& latency = content.latency;
  out += fmt::format("| {} | {} | {} | |\n|:--|--:|:--|:--|\n", escaped(latency.heading), say(Text::Value, language), latency.interval);
  for (const LatencyRow& row : latency.rows) out += cells(row);
  if (!latency.submit_alone.empty()) out += fmt::format("\n{}\n", escaped(latency.submit_alone));

  if (!content.idle.rows.empty()) {
    out += fmt::format("\n{}\n\n{}|", escaped(content.idle.heading), cells(content.idle.head));
    for (std::size_t i = 0; i < content.idle.head.size(); ++i) out += "--:|";
    out += '\n';
    for (const auto& row : content.idle.rows) out += cells(row);
  }

  out += "\n| | |\n|:--|:--|\n";
  out += cells(content.throughput);
  for (const auto* rows : {&content.setup, &content.before, &content.after}) {
    for (const Row& row : *rows) out += cells(row);
  }

  if (!content.warnings.empty()) out += '\n';
  for (const Message& warning : content.warnings) {
    const std::string hint = warning.hint.empty() ? "" : fmt::format(" → {}", escaped(warning.hint));
    out += fmt::format("- {}{}\n", escaped(warning.message), hint);
  }
  return out;
}

}  // namespace lapse::report
