#include <lapse/report/truth.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lapse/report/terminal.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

namespace lapse::report {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

measuring::Truth example() {
  measuring::Truth truth;
  truth.rows.push_back({5us, 5us, 101, {3us, 9us}, {300ns, 1us}, {6us, 20us}, {-1us, -2us}, measuring::Discrepancy{-200ns, -400ns}});
  truth.rows.push_back({50ms, 50ms, 5, {4us, 9us}, {0ns, 0ns}, {8us, 20us}, {-49ms, -49ms}, measuring::Discrepancy{1us, 2us}});
  truth.empty_pair = 1500ns;
  truth.empty_work = 2500ns;
  truth.witness = "CUPTI activity";
  return truth;
}

const device::DeviceInfo kInfo{.name = "A GPU", .driver = "580.1", .runtime = "13.0", .memory_bytes = 80};

TEST(TruthText, SaysTheErrorOfEachMethodAndTheVerdictOnLinesThatFit) {
  const std::string text = to_text(example(), "cuda:0", kInfo, Language::English);
  EXPECT_THAT(text, HasSubstr("cuda:0 · A GPU · driver 580.1 · CUDA 13.0"));
  EXPECT_THAT(text, HasSubstr("+3.000 µs 60 %"));
  EXPECT_THAT(text, HasSubstr("+300.0 ns 6 %"));
  EXPECT_THAT(text, HasSubstr("-200.0 ns"));
  EXPECT_THAT(text, HasSubstr("within 1 % or 2 µs of the truth at every length"));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(display_width(line), 80u) << line;
}

TEST(TruthText, SaysWhenTheEventsAreOff) {
  auto truth = example();
  truth.rows[0].queued.median = 2100ns;
  EXPECT_THAT(to_text(truth, "cuda:0", kInfo, Language::English), HasSubstr("further than 1 % and 2 µs"));
  EXPECT_THAT(to_text(truth, "cuda:0", kInfo, Language::Korean), HasSubstr("넘는 길이가 있습니다"));
}

TEST(TruthText, AWitnessThatIsNotThereOrCannotTellIsSaid) {
  auto truth = example();
  truth.witness_error = "it lost kernels";
  EXPECT_THAT(to_text(truth, "cuda:0", kInfo, Language::English), HasSubstr("CUPTI activity: it lost kernels"));
  truth.witness.clear();
  truth.witness_error.clear();
  EXPECT_THAT(to_text(truth, "cuda:0", kInfo, Language::English), HasSubstr("no profiling interface"));
}

TEST(TruthText, IsAsciiWhereTheTerminalIs) {
  EXPECT_THAT(to_text(example(), "cuda:0", kInfo, Language::Korean, false),
              testing::Each(testing::AllOf(testing::Ge(0), testing::Le(127))));
}

TEST(TruthJson, HoldsEveryFigure) {
  const auto document = nlohmann::json::parse(to_json_text(example(), "cuda:0", kInfo));
  EXPECT_EQ(document["schema"], "lapse.truth/1");
  EXPECT_EQ(document["device"]["id"], "cuda:0");
  EXPECT_EQ(document["rows"][0]["events_behind_backlog"]["median_ns"], 300);
  EXPECT_EQ(document["rows"][0]["witness"]["worst_ns"], -400);
  EXPECT_EQ(document["rows"][0]["within_goal"], true);
  EXPECT_EQ(document["empty_pair_ns"], 1500);
}

}  // namespace
}  // namespace lapse::report
