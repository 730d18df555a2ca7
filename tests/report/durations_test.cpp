#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lapse/report/durations.hpp>
#include <lapse/report/render.hpp>
#include <string>

#include "report/example.hpp"

namespace lapse::report {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Result<Durations> read(std::string_view text, DurationFormat format = {}, std::size_t piece = std::string_view::npos) {
  DurationReader reader(std::move(format));
  while (!text.empty()) {
    LAPSE_CHECK(reader.add(text.substr(0, piece)));
    text.remove_prefix(std::min(piece, text.size()));
  }
  return reader.finish();
}

Result<Durations> column(std::string_view text, std::string name) { return read(text, {.column = std::move(name)}); }

std::vector<double> values(const Result<Durations>& durations) {
  EXPECT_TRUE(durations) << durations.error().message;
  return durations ? durations->ns : std::vector<double>{};
}

std::string complaint(const Result<Durations>& durations) {
  EXPECT_FALSE(durations);
  if (durations) return {};
  EXPECT_EQ(durations.error().code, ErrorCode::BadInput);
  EXPECT_EQ(durations.error().message.find('\n'), std::string::npos);
  EXPECT_FALSE(durations.error().hint.empty());
  return durations.error().message;
}

TEST(Durations, AreReadOneALineEachWithItsUnit) {
  EXPECT_THAT(values(read("12.5ms\n1 s\n50us\n50\u00B5s\n50\u03BCs\n0.25ns\n2min\n")),
              ElementsAre(12.5e6, 1e9, 50e3, 50e3, 50e3, 0.25, 120e9));
  EXPECT_EQ(read("12.5ms\n")->unit, "");
}

TEST(Durations, WithoutUnitAreSecondsOrWhatWasAskedFor) {
  EXPECT_THAT(values(read("0.5\n2\n1e-3")), ElementsAre(5e8, 2e9, 1e6));
  EXPECT_EQ(read("0.5\n")->unit, "s");
  EXPECT_THAT(values(read("0.5\n2\n", {.unit = "ms"})), ElementsAre(5e5, 2e6));
  EXPECT_EQ(read("0.5\n", {.unit = "ms"})->unit, "ms");
}

TEST(Durations, SkipCommentsBlankLinesAndAByteOrderMark) {
  EXPECT_THAT(values(read("\xEF\xBB\xBF\r\n# made by hand\r\n\r\n  1ms  \r\n\t\n #\n2ms")), ElementsAre(1e6, 2e6));
}

TEST(Durations, AreTheSameInPiecesOfAnySize) {
  const std::string lines = "\xEF\xBB\xBF# x\n1.5ms\r\n\n2ms\n3ms";
  const std::string csv = "name,\"a \"\"long\"\"\nname_ms\"\r\n\"x,y\",1\n# \"\n\"x\ny\",2\n";
  const std::string json = " \n" + to_json_text(example::interrupted());
  for (std::size_t piece : {1U, 2U, 3U, 7U, 64U}) {
    EXPECT_THAT(values(read(lines, {}, piece)), ElementsAre(1.5e6, 2e6, 3e6)) << piece;
    EXPECT_THAT(values(read(csv, {.column = "2"}, piece)), ElementsAre(1e6, 2e6)) << piece;
    EXPECT_THAT(values(read(json, {}, piece)), ElementsAre(5e6, 6e6, 5.5e6, 7e6)) << piece;
  }
}

TEST(Durations, AreReadFromAColumnByItsNameOrNumber) {
  const std::string csv = "run, latency ,\"with, comma\"\n1,2ms,\"3ms\"\n2,\"4ms\",5ms\n";
  EXPECT_THAT(values(column(csv, "latency")), ElementsAre(2e6, 4e6));
  EXPECT_THAT(values(column(csv, "with, comma")), ElementsAre(3e6, 5e6));
  EXPECT_THAT(values(column(csv, "3")), ElementsAre(3e6, 5e6));
  EXPECT_EQ(column(csv, "2")->series, "latency");
  EXPECT_THAT(values(column("1,2ms\n2,4ms\n", "2")), ElementsAre(2e6, 4e6));
  EXPECT_EQ(column("1,2ms\n2,4ms\n", "2")->series, "2");
}

TEST(Durations, OfAColumnHaveTheUnitThatItsNameTells) {
  EXPECT_THAT(values(column("run,end_to_end_ns\n1,1001000\n", "end_to_end_ns")), ElementsAre(1001000));
  EXPECT_THAT(values(column("latency_ms\n2\n", "1")), ElementsAre(2e6));
  EXPECT_EQ(column("latency_ms\n2\n", "1")->unit, "ms");
  EXPECT_THAT(values(read("latency_ms\n2\n", {.unit = "us", .column = "1"})), ElementsAre(2e3));
  EXPECT_THAT(values(column("items\n2\n", "1")), ElementsAre(2e9));
}

TEST(Durations, OfAColumnHaveTheUnitHoweverItsNameIsWritten) {
  for (const char* name : {"LATENCY_MS", "latency (ms)", "Latency [ms]", "wall time ms"}) {
    EXPECT_THAT(values(column(std::string(name) + "\n2\n", "1")), ElementsAre(2e6)) << name;
  }
  for (const char* name : {"items", "forms", "ms"}) EXPECT_EQ(column(std::string(name) + "\n2\n", "1")->unit, "s") << name;
}

TEST(Durations, OfLapsesOwnCsvAreOneSeries) {
  const std::string pauses = "run,end_to_end_ns,disturbed,gap_ns\n1,5,,\n2,6,,\n3,9,,0\n4,9,,10\n";
  EXPECT_THAT(values(column(pauses, "end_to_end_ns")), ElementsAre(5.0, 6.0));
  const std::string one = "run,end_to_end_ns,disturbed,process\n1,5,,2\n2,6,,2\n";
  EXPECT_THAT(values(column(one, "end_to_end_ns")), ElementsAre(5.0, 6.0));
  const auto two = column(one + "3,7,,3\n", "end_to_end_ns");
  ASSERT_FALSE(two);
  EXPECT_THAT(two.error().message, HasSubstr("line 4: the runs of several processes are not one series"));
  EXPECT_THAT(values(column("name_ns,process\n1,a\n2,b\n", "name_ns")), ElementsAre(1.0, 2.0)) << "not one of lapse's own";
}

TEST(Durations, TellAHeaderFromANumber) {
  EXPECT_THAT(values(column("inference_ms\n2\n", "1")), ElementsAre(2e6));
  EXPECT_THAT(values(column("nanoseconds\n2\n", "1")), ElementsAre(2e9));
  EXPECT_EQ(complaint(column("nan\n2\n", "1")), "line 1: 'nan' is not a number");
  EXPECT_EQ(complaint(column("2x\n2\n", "1")), "line 1: '2x' is not a duration");
  EXPECT_EQ(complaint(column("\"\"\n2\n", "1")), "line 1: the field is empty");
}

TEST(Durations, AreReadFromAResult) {
  const std::string saved = to_json_text(example::asynchronous());
  EXPECT_EQ(values(read(saved)), example::asynchronous().samples.end_to_end);
  EXPECT_EQ(values(column(saved, "submit_ns")), example::asynchronous().samples.submit);
  EXPECT_EQ(column(saved, "submit_ns")->series, "submit_ns");
  EXPECT_THAT(complaint(column(saved, "h2d_ns")), HasSubstr("h2d_ns"));
  EXPECT_THAT(complaint(column(saved, "x")), HasSubstr("no series 'x'"));
  EXPECT_THAT(complaint(read(saved, {.unit = "ms"})), HasSubstr("nanoseconds"));
  EXPECT_THAT(complaint(read(std::string_view(saved).substr(0, saved.size() / 2))), HasSubstr("not JSON at line"));
  EXPECT_THAT(complaint(read("{\"schema\": \"other/1\"}")), HasSubstr("schema"));
}

TEST(Durations, OfSeveralProcessesAreNotOneSeries) {
  Report report = example::synchronous();
  report.processes = {{400, 0, "flat", 1e6, 1e6}, {412, 0, "flat", 1e6, 1e6}};
  EXPECT_EQ(complaint(read(to_json_text(report))), "the runs of 2 processes are not one series");
}

TEST(Durations, OfABadLineAreRefusedWithItsNumber) {
  EXPECT_EQ(complaint(read("1ms\n\n# x\nfast\n")), "line 4: 'fast' is not a duration");
  EXPECT_EQ(complaint(read("\n\n5sec\n")), "line 3: '5sec' is not a duration");
  EXPECT_EQ(complaint(read("+5s\n")), "line 1: '+5s' is not a duration");
  EXPECT_EQ(complaint(read("1ms 2ms\n")), "line 1: '1ms 2ms' is not a duration");
  EXPECT_EQ(complaint(read("1ms\n-2ms")), "line 2: '-2ms' is negative");
  EXPECT_EQ(complaint(read("-0\n")), "line 1: '-0' is negative");
  EXPECT_EQ(complaint(read("nan\n")), "line 1: 'nan' is not a number");
  EXPECT_EQ(complaint(read("-nan\n")), "line 1: '-nan' is not a number");
  EXPECT_EQ(complaint(read("inf\n")), "line 1: 'inf' is out of range");
  EXPECT_EQ(complaint(read("1e999\n")), "line 1: '1e999' is out of range");
  EXPECT_EQ(complaint(read("300000000h\n")), "line 1: '300000000h' is out of range");
  EXPECT_EQ(complaint(column("a,b\n1,2\n3\n", "b")), "line 3: there is no column 2");
  EXPECT_EQ(complaint(column("a,b\n1,\n", "b")), "line 2: the field is empty");
  EXPECT_EQ(complaint(column("a,b\n\"1\n\",2ms\n1,x\n", "b")), "line 4: 'x' is not a duration");
}

TEST(Durations, WithAndWithoutUnitDoNotMix) {
  EXPECT_EQ(complaint(read("1ms\n2\n")), "line 2: '2' has no unit, and what stands before has one");
  EXPECT_EQ(complaint(read("1\n2ms\n")), "line 2: '2ms' has a unit, and what stands before has none");
  EXPECT_THAT(values(read("0\n1ms\n0\n")), ElementsAre(0, 1e6, 0)) << "zero is zero in any unit";
}

TEST(Durations, AreNotFoundInNothing) {
  for (const char* text : {"", "\n\n", "# only\n", "\xEF\xBB\xBF"}) EXPECT_EQ(complaint(read(text)), "there is no duration in it") << text;
  EXPECT_EQ(complaint(column("latency\n", "latency")), "there is no duration in it");
}

TEST(Durations, ACsvWithoutItsColumnIsToldSo) {
  const auto csv = read("1,2ms\n");
  EXPECT_EQ(complaint(csv), "line 1: '1,2ms' is not a duration");
  EXPECT_THAT(csv.error().hint, HasSubstr("--column"));
  const auto misspelt = column("run,latency\n1,2ms\n", "Latency");
  EXPECT_EQ(complaint(misspelt), "line 1: there is no column 'Latency'");
  EXPECT_EQ(misspelt.error().hint, "there are: 'run', 'latency'");
}

TEST(Durations, AnErrorShowsNoMoreOfALineThanItsBeginningAndNothingUnsafe) {
  EXPECT_EQ(complaint(read("\x1b[31mred\n")), "line 1: '?[31mred' is not a duration");
  std::string hangul;
  for (int i = 0; i < 30; ++i) hangul += "가";
  EXPECT_EQ(complaint(read(hangul)), "line 1: '" + hangul.substr(0, 39) + "…' is not a duration");
}

TEST(Durations, HostileTextStopsAtALimit) {
  const std::string endless(3 << 20, '1');
  EXPECT_EQ(complaint(read(endless, {}, 65536)), "line 1: longer than 1 MiB");
  EXPECT_EQ(complaint(column("a\n\"1\n2\n3\n", "a")), "line 2: a quote is not closed");
  std::string open = "a\n\"";
  while (open.size() < 3 << 20) open += "1\n";
  EXPECT_THAT(complaint(column(open, "a")), HasSubstr("a quote is not closed within 1 MiB"));
  EXPECT_EQ(complaint(read("1\n2\n3\n", {.most = 2})), "line 3: more than 2 durations");
}

}  // namespace
}  // namespace lapse::report
