// The page as text: what is in it, and that nothing in a document gets out of its place. How it looks and works: html_page_test.py.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lapse/report/html.hpp>
#include <lapse/report/outline.hpp>
#include <lapse/report/page_files.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "report/example.hpp"

namespace lapse::report {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using testing::HasSubstr;
using testing::Not;

std::size_t count(const std::string& text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

/// What the script element with that name holds.
json held(const std::string& page, const std::string& name) {
  const std::string open = "<script type=\"application/json\" id=\"" + name + "\">";
  const std::size_t begin = page.find(open) + open.size();
  return json::parse(page.substr(begin, page.find("</script>", begin) - begin));
}

TEST(Html, HoldsTheReportAndItsWordsInBothLanguages) {
  const Report report = example::staged();
  const std::string page = to_html(report, Language::Korean);
  json expected = to_json(report);
  expected["samples"].erase("start_ns");
  EXPECT_EQ(held(page, "document"), expected);
  for (const auto& [name, language] : {std::pair{"en", Language::English}, std::pair{"ko", Language::Korean}}) {
    const Outline outlined = outline(report, language);
    const json words = held(page, "outline")[name];
    EXPECT_EQ(words["title"], outlined.title);
    EXPECT_EQ(words["throughput"]["value"], outlined.throughput.value);
    EXPECT_EQ(words["before"].size(), outlined.before.size());
    EXPECT_EQ(words["latency"]["rows"][0]["value"], outlined.latency.rows[0].value);
    EXPECT_EQ(words["latency"]["rows"].size(), outlined.latency.rows.size());
    ASSERT_EQ(words["warnings"].size(), 2u);
    EXPECT_EQ(words["warnings"][1]["message"], outlined.warnings[1].message);
    EXPECT_EQ(words["warnings"][1]["hint"], outlined.warnings[1].hint);
  }
  EXPECT_EQ(held(to_html(example::wrong(), Language::Korean), "outline")["en"]["alerts"].size(), 1u);
}

TEST(Html, OpensInTheLanguageThatIsAskedFor) {
  EXPECT_THAT(to_html(example::synchronous(), Language::English), HasSubstr("<html lang=\"en\">"));
  EXPECT_THAT(to_html(example::synchronous(), Language::Korean), HasSubstr("<html lang=\"ko\">"));
}

TEST(Html, HoldsOneSeriesOfABlockingSubjectAsTheyAreAllTheSame) {
  const json samples = held(to_html(example::synchronous(), Language::English), "document")["samples"];
  EXPECT_EQ(samples.size(), 2u);
  EXPECT_EQ(samples["count"], 812);
  EXPECT_EQ(samples["end_to_end_ns"].size(), 812u);
}

TEST(Html, IsOneFileThatAsksTheNetworkForNothing) {
  const std::string page = to_html(example::synchronous(), Language::English);
  EXPECT_THAT(page, HasSubstr("content=\"default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:\""));
  EXPECT_EQ(count(page, " src="), 0u);
  EXPECT_EQ(count(page, "<link "), 1u);
  EXPECT_THAT(page, HasSubstr("<link rel=\"icon\" href=\"data:,\">"));
  EXPECT_EQ(count(page, "url("), 0u);
  EXPECT_THAT(page, Not(HasSubstr("{{")));
}

TEST(Html, HoldsTheChartLibraryWithItsLicence) {
  const std::string page = to_html(example::synchronous(), Language::English);
  EXPECT_THAT(page, HasSubstr("Chart.js v"));
  EXPECT_THAT(page, HasSubstr("Released under the MIT License"));
}

TEST(Html, ScriptsEndWhereTheyShould) {
  const std::string page = to_html(example::synchronous(), Language::English);
  std::size_t scripts = 0;
  for (const PageFile& file : page_files()) {
    if (!file.path.ends_with(".js")) continue;
    ++scripts;
    EXPECT_EQ(file.bytes.find("</script"), std::string_view::npos) << file.path;
    EXPECT_EQ(file.bytes.find("<!--"), std::string_view::npos) << file.path;
    EXPECT_THAT(page, HasSubstr(std::string(file.bytes))) << file.path;
  }
  EXPECT_EQ(count(page, "</script>"), scripts + 2) << "and the document and its words";
}

TEST(Html, AHostileNameStaysInItsPlace) {
  Report report = example::synchronous();
  report.subject.model = "</script><script>alert(1)</script><!--<script>{{document}}\u2028 & \"' \\";
  const std::string page = to_html(report, Language::English);
  EXPECT_THAT(page, Not(HasSubstr("alert(1)</script>")));
  EXPECT_EQ(count(page, "</script>"), count(to_html(example::synchronous(), Language::English), "</script>"));
  EXPECT_EQ(held(page, "document")["subject"]["model"], report.subject.model);
}

TEST(Html, BytesThatAreNotUtf8AreReplaced) {
  Report report = example::synchronous();
  report.argv = {"lapse", "\xff.onnx"};
  EXPECT_EQ(held(to_html(report, Language::English), "document")["argv"][1], "\uFFFD.onnx");
  const auto page = to_html(ordered_json{{"schema", "lapse.sweep/1"}, {"model", "\xc3"}}, Language::English);
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_EQ(held(*page, "document")["model"], "\uFFFD");
}

TEST(Html, TakesEverySchemaThatIsSaved) {
  const Report report = example::asynchronous();
  const auto again = to_html(to_json(report), Language::Korean);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, to_html(report, Language::Korean));
  for (const char* schema : {"lapse.pipeline/1", "lapse.sweep/1"}) {
    const ordered_json document{{"schema", schema}, {"created", "2026-03-01T12:00:00Z"}};
    const auto page = to_html(document, Language::English);
    ASSERT_TRUE(page) << page.error().message;
    EXPECT_EQ(held(*page, "document"), json(document));
    EXPECT_TRUE(held(*page, "outline").is_null());
  }
}

TEST(Html, RefusesWhatIsNoneOfThem) {
  ordered_json broken = to_json(example::synchronous());
  broken["samples"]["count"] = 1;
  ordered_json nested{{"schema", "lapse.sweep/1"}};
  for (int i = 0; i < 20; ++i) nested = {{"schema", "lapse.sweep/1"}, {"points", nested}};
  const ordered_json others[]{
      {{"schema", "lapse.truth/1"}}, {{"schema", 7}}, {{"model", "m"}}, ordered_json::array({"schema"}), nullptr, broken, nested};
  for (const ordered_json& document : others) {
    const auto page = to_html(document, Language::English);
    ASSERT_FALSE(page) << document;
    EXPECT_EQ(page.error().code, ErrorCode::BadInput);
  }
}

}  // namespace
}  // namespace lapse::report
