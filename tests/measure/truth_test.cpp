#include <lapse/measure/truth.hpp>

#include <gtest/gtest.h>

#include <array>
#include <lapse/device/controls.hpp>
#include <lapse/device/host_timeline.hpp>
#include <lapse/device/simulated.hpp>

namespace lapse::measuring {
namespace {

using namespace std::chrono_literals;

TEST(Truth, InVirtualTimeMarksAndASynchronisedClockAreExactAndTheCallAloneIsOffByAllOfTheWork) {
  device::SimTimeline timeline{device::SimTimeline::Time::Virtual};
  const auto truth = find_truth(timeline);
  ASSERT_TRUE(truth) << truth.error().message;
  ASSERT_EQ(truth->rows.size(), default_lengths().size());
  EXPECT_EQ(truth->rows.front().asked, 5us);
  EXPECT_EQ(truth->rows.back().asked, 50ms);
  for (const TruthRow& row : truth->rows) {
    EXPECT_EQ(row.truth, row.asked);
    EXPECT_EQ(row.marks.worst, 0ns);
    EXPECT_EQ(row.queued.worst, 0ns);
    EXPECT_EQ(row.synchronised.worst, 0ns);
    EXPECT_EQ(row.call.median, -row.asked);
    EXPECT_GE(row.runs, 5u);
    EXPECT_FALSE(row.witness);
  }
  EXPECT_EQ(truth->empty_pair, 0ns);
  EXPECT_TRUE(truth->witness.empty());
}

TEST(Truth, NeedsAnAsynchronousDevice) {
  device::HostTimeline timeline;
  const auto truth = find_truth(timeline);
  ASSERT_FALSE(truth);
  EXPECT_EQ(truth.error().code, ErrorCode::BadUse);
}

TEST(Truth, TheGoalIsOnePerCentOrTwoMicroseconds) {
  EXPECT_TRUE(within_goal(2us, 5us));
  EXPECT_FALSE(within_goal(2001ns, 5us));
  EXPECT_TRUE(within_goal(-500us, 50ms));
  EXPECT_FALSE(within_goal(-501us, 50ms));
}

// A simulated device whose witness is off by what a test says.
class WitnessedTimeline final : public device::Timeline, private device::Controls, private device::Witness {
 public:
  device::Instant now() noexcept override { return sim_.now(); }
  void* stream(std::size_t stream) noexcept override { return sim_.stream(stream); }
  Result<device::Mark> make_mark() override { return sim_.make_mark(); }
  Result<void> record(device::Mark mark, std::size_t stream) override { return sim_.record(mark, stream); }
  Result<void> follow(device::Mark mark, std::size_t stream) override { return sim_.follow(mark, stream); }
  Result<bool> passed(device::Mark mark) override { return sim_.passed(mark); }
  Result<void> wait(device::Mark mark) override { return sim_.wait(mark); }
  Result<std::size_t> wait_any(std::span<const device::Mark> marks) override { return sim_.wait_any(marks); }
  Result<void> synchronize() override { return sim_.synchronize(); }
  Result<Duration> elapsed(device::Mark from, device::Mark to) override { return sim_.elapsed(from, to); }
  Result<void> flush_cache(std::size_t stream) override { return sim_.flush_cache(stream); }
  device::Controls* controls() noexcept override { return this; }

  Duration off{};
  bool forgetful = false;

 private:
  device::DeviceInfo info() override { return sim_.controls()->info(); }
  Result<std::uint64_t> memory_used() override { return std::uint64_t{0}; }
  Result<void> synchronize_device() override { return sim_.controls()->synchronize_device(); }
  Result<void> spin(Duration duration, std::size_t stream) override {
    if (recording_) recorded_.push_back(duration + off);
    return sim_.controls()->spin(duration, stream);
  }
  Result<Duration> spun() override { return sim_.controls()->spun(); }
  Result<void> empty_work(std::size_t stream) override { return sim_.controls()->empty_work(stream); }
  Result<void> begin_capture(std::size_t) override { return {}; }
  Result<device::Graph> end_capture(std::size_t) override { return device::Graph{}; }
  Result<void> launch(device::Graph, std::size_t) override { return {}; }
  device::Witness* witness() override { return this; }

  std::string name() const override { return "a witness"; }
  Result<void> start() override {
    recording_ = true;
    recorded_.clear();
    return {};
  }
  Result<std::vector<Duration>> stop() override {
    recording_ = false;
    if (forgetful) recorded_.pop_back();
    return recorded_;
  }

  device::SimTimeline sim_{device::SimTimeline::Time::Virtual};
  bool recording_ = false;
  std::vector<Duration> recorded_;
};

TEST(Truth, HearsTheWitnessInRunsOfItsOwn) {
  WitnessedTimeline timeline;
  timeline.off = 700ns;
  const std::array<Duration, 2> lengths{10us, 1ms};
  const auto truth = find_truth(timeline, lengths);
  ASSERT_TRUE(truth);
  EXPECT_EQ(truth->witness, "a witness");
  for (const TruthRow& row : truth->rows) {
    ASSERT_TRUE(row.witness);
    EXPECT_EQ(row.witness->median, 700ns);
  }
}

TEST(Truth, AWitnessThatLosesKernelsIsNotBelieved) {
  WitnessedTimeline timeline;
  timeline.forgetful = true;
  const std::array<Duration, 1> lengths{10us};
  const auto truth = find_truth(timeline, lengths);
  ASSERT_TRUE(truth);
  EXPECT_FALSE(truth->rows.front().witness);
  EXPECT_NE(truth->witness_error.find("another number of kernels"), std::string::npos);
}

}  // namespace
}  // namespace lapse::measuring
