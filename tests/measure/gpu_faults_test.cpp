// The faults a to e on the streams of a real GPU, each seeded many times, and as many clean runs. Somebody else's stream is that of a
// second timeline on the same device. Prints a line a fault: "other-stream: found in 20 of 20".

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <lapse/device/controls.hpp>
#include <lapse/measure/timing.hpp>
#include <memory>

namespace lapse::measuring {
namespace {

using namespace std::chrono_literals;

constexpr int kRepeats = 20;

struct Streams {
  std::unique_ptr<device::Timeline> ours, theirs;
};

class SeededSubject final : public Subject {
 public:
  using Work = std::function<Result<void>(Streams&)>;
  SeededSubject(Streams& streams, Work work, bool asynchronous = true, Work fetch = {})
      : streams_(streams), work_(std::move(work)), fetch_(std::move(fetch)), asynchronous_(asynchronous) {}

  Result<void> submit(std::size_t, std::size_t) override { return work_(streams_); }
  Result<void> fetch(std::size_t, std::size_t) override { return fetch_ ? fetch_(streams_) : Result<void>{}; }
  bool asynchronous() const noexcept override { return asynchronous_; }
  std::size_t slots() const noexcept override { return 1; }
  device::Timeline& timeline() noexcept override { return *streams_.ours; }

 private:
  Streams& streams_;
  Work work_, fetch_;
  bool asynchronous_;
};

class GpuFaults : public ::testing::Test {
 protected:
  void SetUp() override {
    auto ours = device::open_timeline("cuda");
    if (!ours) {
      if (std::getenv("LAPSE_TEST_GPU") != nullptr) FAIL() << ours.error().message;
      GTEST_SKIP() << ours.error().message;
    }
    streams_.ours = std::move(*ours);
    streams_.theirs = std::move(*device::open_timeline("cuda"));
  }

  // How often the rule was found, and how often another one was.
  void seed(SeededSubject subject, Rule expected) {
    const auto [found, others] = count(subject, expected);
    std::printf("%s: found in %d of %d\n", std::string(name(expected)).c_str(), found, kRepeats);
    EXPECT_EQ(found, kRepeats);
    EXPECT_EQ(others, 0);
  }

  std::pair<int, int> count(SeededSubject& subject, Rule expected) {
    int found = 0, others = 0;
    Plan plan;
    plan.budget = 300ms;
    for (int i = 0; i < kRepeats; ++i) {
      const auto timing = time_subject(subject, plan);
      if (!timing) {
        ADD_FAILURE() << timing.error().message;
        return {found, others};
      }
      for (const Finding& finding : timing->findings) {
        if (finding.verdict != Verdict::Found || finding.rule == Rule::Clocks) continue;
        ++(finding.rule == expected ? found : others);
        if (finding.rule != expected) std::printf("  also: %s\n", std::string(name(finding.rule)).c_str());
      }
    }
    return {found, others};
  }

  static Result<void> work(device::Timeline& timeline, Duration duration) { return timeline.controls()->spin(duration); }

  Streams streams_;
};

TEST_F(GpuFaults, NoneIsFoundInCleanRuns) {
  SeededSubject subject{streams_, [](Streams& streams) { return work(*streams.ours, 500us); }};
  const auto [found, others] = count(subject, Rule::Clocks);
  std::printf("clean: a fault found in %d of %d\n", found + others, kRepeats);
  EXPECT_EQ(found + others, 0);
}

TEST_F(GpuFaults, PendingOnReturn) {
  seed({streams_, [](Streams& streams) { return work(*streams.ours, 500us); }, false}, Rule::PendingOnReturn);
}

TEST_F(GpuFaults, OtherStream) {
  seed({streams_, [](Streams& streams) { return work(*streams.theirs, 500us); }}, Rule::OtherStream);
}

TEST_F(GpuFaults, SideStream) {
  seed({streams_,
        [](Streams& streams) -> Result<void> {
          LAPSE_CHECK(work(*streams.ours, 300us));
          return work(*streams.theirs, 800us);
        }},
       Rule::SideStream);
}

TEST_F(GpuFaults, LaunchGaps) {
  seed({streams_,
        [](Streams& streams) -> Result<void> {
          for (int i = 0; i < 20; ++i) {
            LAPSE_CHECK(work(*streams.ours, 5us));
            const auto until = streams.ours->now() + 25us;  // a slow host
            while (streams.ours->now() < until) {
            }
          }
          return {};
        }},
       Rule::LaunchGaps);
}

TEST_F(GpuFaults, OutputsOnDevice) {
  const auto fetch = [](Streams& streams) -> Result<void> {
    LAPSE_CHECK(work(*streams.theirs, 200us));
    return streams.theirs->synchronize();
  };
  seed({streams_, [](Streams& streams) { return work(*streams.ours, 500us); }, true, fetch}, Rule::OutputsOnDevice);
}

}  // namespace
}  // namespace lapse::measuring
