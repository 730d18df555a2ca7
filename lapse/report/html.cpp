#include <fmt/format.h>

#include <algorithm>
#include <lapse/report/html.hpp>
#include <lapse/report/outline.hpp>
#include <lapse/report/overlap.hpp>
#include <lapse/report/page_files.hpp>
#include <lapse/report/sweep.hpp>
#include <nlohmann/json.hpp>

namespace lapse::report {
namespace {

using Json = nlohmann::ordered_json;

Json rows(const std::vector<Row>& rows) {
  Json out = Json::array();
  for (const Row& row : rows) out.push_back({{"label", row.label}, {"value", row.value}});
  return out;
}

Json latency(const Latency& latency) {
  Json rows = Json::array();
  for (const LatencyRow& row : latency.rows) {
    rows.push_back({{"label", row.label}, {"value", row.value}, {"interval", row.interval}, {"error", row.error}, {"nested", row.nested}});
  }
  return {{"heading", latency.heading}, {"interval", latency.interval}, {"rows", std::move(rows)}, {"submit_alone", latency.submit_alone}};
}

Json table(const Table& table) { return {{"heading", table.heading}, {"head", table.head}, {"rows", table.rows}}; }

// What the report says in words, as every form says it.
Json words(const Outline& outline) {
  Json warnings = Json::array();
  for (const Message& warning : outline.warnings) warnings.push_back({{"message", warning.message}, {"hint", warning.hint}});
  return {{"alerts", outline.alerts},
          {"title", outline.title},
          {"setup", rows(outline.setup)},
          {"before", rows(outline.before)},
          {"throughput", rows({outline.throughput})[0]},
          {"latency", latency(outline.latency)},
          {"idle", table(outline.idle)},
          {"after", rows(outline.after)},
          {"warnings", std::move(warnings)}};
}

/// As a script element may hold it: without "<", which could end the element or begin a comment.
std::string embedded(const Json& value) {
  std::string out;
  for (const char c : value.dump(-1, ' ', false, Json::error_handler_t::replace)) {
    if (c == '<') {
      out += "\\u003c";
    } else {
      out += c;
    }
  }
  return out;
}

/// Writing a document goes down into it, as far as it nests.
constexpr int kLevels = 16;
bool nests_within(const Json& value, int levels) {
  if (!value.is_structured()) return true;
  return levels > 0 && std::ranges::all_of(value, [levels](const Json& part) { return nests_within(part, levels - 1); });
}

std::string_view file(std::string_view name) {
  const auto files = page_files();
  return std::ranges::find_if(files, [name](const PageFile& page_file) { return page_file.path.substr(1) == name; })->bytes;
}

/// page.html with what it asks for in {{ }}: files by their names, and what is particular to this page.
std::string page(const Json& document, const Json& outline, Language language) {
  std::string out;
  std::string_view rest = file("page.html");
  while (true) {
    const std::size_t open = rest.find("{{"), close = rest.find("}}");
    if (open == std::string_view::npos) break;
    out += rest.substr(0, open);
    const std::string_view name = rest.substr(open + 2, close - open - 2);
    if (name == "language") {
      out += language == Language::Korean ? "ko" : "en";
    } else if (name == "document") {
      out += embedded(document);
    } else if (name == "outline") {
      out += embedded(outline);
    } else {
      out += file(name);
    }
    rest.remove_prefix(close + 2);
  }
  return out.append(rest);
}

}  // namespace

std::string to_html(const Report& report, Language language) {
  Json document = to_json(report);
  Json& samples = document["samples"];
  samples.erase("start_ns");
  if (!report.subject.asynchronous) {  // then these are the same as end_to_end_ns
    samples.erase("submit_ns");
    samples.erase("device_ns");
  }
  if (document.contains("idle")) {
    for (Json& gap : document["idle"]) gap.erase("samples");  // only their summary is drawn
  }
  return page(document, {{"en", words(outline(report, Language::English))}, {"ko", words(outline(report, Language::Korean))}}, language);
}

Result<std::string> to_html(const nlohmann::ordered_json& document, Language language) {
  if (!nests_within(document, kLevels)) return fail(ErrorCode::BadInput, "this is nothing of lapse's: it nests too deeply");
  const auto* schema = document.contains("schema") ? document["schema"].get_ptr<const std::string*>() : nullptr;
  if (schema != nullptr && *schema == kSchema) {
    LAPSE_TRY(const Report report, from_json(document.dump(-1, ' ', false, Json::error_handler_t::replace)));
    return to_html(report, language);
  }
  if (schema != nullptr && (*schema == kPipelineSchema || *schema == kSweepSchema)) return page(document, nullptr, language);
  return fail(ErrorCode::BadInput, "this is nothing that a page can be made of: its schema is not one of lapse's",
              "lapse time, lapse pipeline and lapse sweep save such files with --json");
}

}  // namespace lapse::report
