#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lapse/report/json_parts.hpp>
#include <lapse/report/overlap.hpp>
#include <lapse/report/terminal.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

namespace lapse::report {
namespace {

using namespace std::chrono_literals;
using pipeline::BatchTimes;
using pipeline::Round;
using pipeline::Step;
using ::testing::HasSubstr;
using ::testing::Not;

Round round(device::Instant begin, std::size_t count, bool asynchronous) {
  Round round;
  round.begin = begin;
  for (std::size_t i = 0; i < count; ++i) {
    const auto start = begin + static_cast<Duration::rep>(i) * (asynchronous ? 5ms : 10ms);
    BatchTimes times;
    times.batch = static_cast<std::uint32_t>(i);
    times.items = 8;
    times.steps[0] = {start, start + 5ms};
    times.steps[2] = {start + 5ms, start + 10ms};
    times.steps[4] = {start + 10ms, start + 10ms};
    round.batches.push_back(times);
  }
  round.items = 8 * count;
  round.duration = round.batches.back().at(Step::Consume).end - begin;
  return round;
}

class OverlapReport : public ::testing::Test {
 protected:
  OverlapReport() {
    overlap.steps = {Step::Prepare, Step::Forward, Step::Consume};
    for (int i = 0; i < 7; ++i) {
      overlap.synchronous.push_back(round(i * 10s, 100, false));
      overlap.asynchronous.push_back(round(i * 10s + 5s, 100, true));
    }
    overlap.agreement = {800, 0, 0};
    subject = {.model = "model.onnx",
               .engine = "onnxruntime",
               .engine_version = "1.30.0",
               .device = "cpu",
               .threads = 1,
               .batch = 8,
               .source = "images",
               .skipped = {},
               .argv = {}};
  }
  std::string text(Language language = Language::English, bool unicode = true) {
    const auto text = overlap_text(to_json(overlap, {.batches = 100, .rounds = 6}, subject), language, unicode);
    return text ? *text : text.error().message;
  }

  pipeline::Overlap overlap;
  OverlapSubject subject;
};

TEST_F(OverlapReport, SaysSpeedUpBoundAndEfficiencyWithTheirIntervals) {
  EXPECT_THAT(text(), HasSubstr("1.980 times"));  // 1000 / 505
  EXPECT_THAT(text(), HasSubstr("95 % interval 1.980 … 1.980"));
  EXPECT_THAT(text(), HasSubstr("1,600 /s, by preprocess"));
  EXPECT_THAT(text(), HasSubstr("99 %"));
  EXPECT_THAT(text(), HasSubstr("the same in both ways, bit for bit: 800 items"));
}

TEST_F(OverlapReport, DrawsBothWaysOnOneAxis) {
  // 8 batches of 5 ms take 45 ms across 60 cells: 6 2/3 cells a stage.
  EXPECT_THAT(text(), HasSubstr("preprocess  0000000......1111111......2"));
  EXPECT_THAT(text(), HasSubstr("forward     ......00000000......1111111"));
  EXPECT_THAT(text(), HasSubstr("preprocess  000000011111122222223333333"));
  EXPECT_THAT(text(), HasSubstr("forward     ......000000011111112222222"));
}

TEST_F(OverlapReport, SaysThatLatencyIsWhatItIsPaidWith) {
  EXPECT_THAT(text(), Not(HasSubstr("paid for in latency")));
  for (Round& round : overlap.asynchronous) {
    for (BatchTimes& times : round.batches) times.steps[4].end += 20ms;
  }
  EXPECT_THAT(text(), HasSubstr("paid for in latency: a batch waits in the queues (30.00 ms\n    instead of 10.00 ms)"));
}

TEST_F(OverlapReport, NeverHidesThatAnswersDiffer) {
  overlap.agreement = {800, 3, 0};
  EXPECT_THAT(text(), HasSubstr("3 of 800 items differ between the two ways"));
  overlap.agreement = {800, 3, 2};
  EXPECT_THAT(text(), HasSubstr("2 of 800 items differ from run to run"));
}

TEST_F(OverlapReport, NamesWhatWasSkippedAndWhyItEnded) {
  subject.skipped = {{"a\x1b[31m.jpg", "it is no picture"}};
  subject.skipped_count = 12;
  overlap.failure = Error{ErrorCode::Interrupted, "interrupted"};
  EXPECT_THAT(text(), HasSubstr("a?[31m.jpg: it is no picture"));
  EXPECT_THAT(text(), HasSubstr("… and 11 more"));
  EXPECT_THAT(text(), HasSubstr("it ended early: interrupted"));
}

TEST_F(OverlapReport, FitsATerminalInBothLanguagesAndInAscii) {
  for (const Language language : {Language::English, Language::Korean}) {
    std::istringstream lines(text(language));
    for (std::string line; std::getline(lines, line);) EXPECT_LE(display_width(line), 80u) << line;
  }
  const std::string ascii = text(Language::Korean, false);
  EXPECT_TRUE(std::ranges::all_of(ascii, [](unsigned char byte) { return byte < 128; })) << ascii;
  EXPECT_THAT(text(Language::Korean), HasSubstr("속도 향상"));
}

TEST_F(OverlapReport, RefusesWhatIsNoSuchDocument) {
  auto document = to_json(overlap, {}, subject);
  for (const char* key : {"schema", "ways", "bound", "stages", "answer", "skipped", "subject", "failure"}) {
    auto without = document;
    without.erase(key);
    EXPECT_FALSE(overlap_text(without, Language::English, true)) << key;
  }
  document["stages"][0]["name"] = "\x1b[2J";
  document["ways"]["synchronous"]["spans"] = {{0, 1e300, -1e300, 1e300}};
  EXPECT_NO_THROW((void)overlap_text(document, Language::English, true));
  EXPECT_FALSE(overlap_text(nlohmann::ordered_json::array(), Language::English, true));
}

TEST_F(OverlapReport, TheDocumentKeepsSpansOfOneRoundAndNotTooMany) {
  const auto document = to_json(overlap, {}, subject);
  EXPECT_EQ(document["ways"]["asynchronous"]["spans"].size(), 300u);
  overlap.asynchronous.back() = round(0s, 5000, true);
  EXPECT_LE(to_json(overlap, {}, subject)["ways"]["asynchronous"]["spans"].size(), kSpans);
}

}  // namespace
}  // namespace lapse::report
