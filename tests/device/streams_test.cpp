// Several streams, marks, the device's controls and graphs, on the simulated device in virtual time: every figure is exact.

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <lapse/device/simulated.hpp>
#include <vector>

namespace lapse::device {
namespace {

using namespace std::chrono_literals;

class Streams : public ::testing::Test {
 protected:
  static constexpr std::size_t kStreams = 3;
  SimStream& on(std::size_t stream) { return *static_cast<SimStream*>(timeline_.stream(stream)); }
  Controls& controls() { return *timeline_.controls(); }
  Mark mark() { return *timeline_.make_mark(); }
  Mark recorded(std::size_t stream = 0) {
    const Mark made = mark();
    EXPECT_TRUE(timeline_.record(made, stream));
    return made;
  }
  Duration between(Mark from, Mark to) { return *timeline_.elapsed(from, to); }
  bool passed(Mark mark) { return *timeline_.passed(mark); }

  SimTimeline timeline_{SimTimeline::Time::Virtual, kStreams};
};

TEST_F(Streams, AreAsManyAsWereAskedForAndAtLeastOne) {
  EXPECT_EQ(timeline_.streams(), 3u);
  EXPECT_EQ(SimTimeline(SimTimeline::Time::Virtual, 0).streams(), 1u);
  EXPECT_NE(timeline_.stream(0), timeline_.stream(1));
  EXPECT_EQ((*open_timeline("sim:virtual", 4))->streams(), 4u);
  EXPECT_EQ((*open_timeline("cpu", 4))->streams(), 1u);
}

TEST_F(Streams, WorkOnTwoOfThemEndsWithTheLongerNotWithTheSum) {
  on(0).enqueue(3ms);
  on(1).enqueue(5ms);
  ASSERT_TRUE(timeline_.synchronize());
  EXPECT_EQ(timeline_.now(), 5ms);
}

TEST_F(Streams, FollowAMarkOfAnotherOneAndHoldUpNobodyElse) {
  int order = 0, first = 0, second = 0;
  struct Note {
    int& order;
    int& place;
  } notes[]{{order, first}, {order, second}};
  const auto note = [](void* context) {
    auto& to = *static_cast<Note*>(context);
    to.place = ++to.order;
  };
  on(0).enqueue(3ms, note, &notes[0]);
  const Mark done = recorded(0);
  ASSERT_TRUE(timeline_.follow(done, 1));
  const Mark begin = recorded(1);
  on(1).enqueue(2ms, note, &notes[1]);
  on(2).enqueue(1ms);
  const Mark end = recorded(1), aside = recorded(2);
  ASSERT_TRUE(timeline_.wait(aside));
  EXPECT_EQ(timeline_.now(), 1ms);
  ASSERT_TRUE(timeline_.wait(end));
  EXPECT_EQ(timeline_.now(), 5ms);
  EXPECT_EQ(between(begin, end), 2ms);
  EXPECT_EQ(between(done, begin), 0ms);
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 2);
}

TEST_F(Streams, FollowNothingThatIsPastAlready) {
  on(0).enqueue(1ms);
  const Mark done = recorded(0);
  on(1).host_work(4ms);
  ASSERT_TRUE(timeline_.follow(done, 1));
  on(1).enqueue(2ms);
  const Mark end = recorded(1);
  ASSERT_TRUE(timeline_.wait(end));
  EXPECT_EQ(timeline_.now(), 6ms);
}

TEST(StreamsInRealTime, FollowEachOther) {
  std::atomic<bool> written{false}, seen{false};
  struct Both {
    std::atomic<bool>&written, &seen;
  } both{written, seen};
  {
    SimTimeline timeline{SimTimeline::Time::Real, 2};
    const Mark done = *timeline.make_mark();
    const auto on = [&](std::size_t stream) { return static_cast<SimStream*>(timeline.stream(stream)); };
    on(0)->enqueue(
        2ms, [](void* context) { static_cast<Both*>(context)->written = true; }, &both);
    ASSERT_TRUE(timeline.record(done, 0));
    ASSERT_TRUE(timeline.follow(done, 1));
    on(1)->enqueue(
        0ms, [](void* context) { static_cast<Both*>(context)->seen = static_cast<Both*>(context)->written.load(); }, &both);
  }  // and what is on its way when the timeline goes still comes to its end, whichever stream goes first
  EXPECT_TRUE(seen);
}

TEST_F(Streams, MarkTheirOwnOrderOfWorkAlone) {
  const Mark begin0 = recorded(0), begin1 = recorded(1);
  on(0).enqueue(3ms);
  on(1).host_work(1ms);
  on(1).enqueue(5ms);
  const Mark end0 = recorded(0), end1 = recorded(1);
  ASSERT_TRUE(timeline_.wait(end0));
  EXPECT_EQ(timeline_.now(), 3ms);
  EXPECT_FALSE(passed(end1));
  ASSERT_TRUE(timeline_.wait(end1));
  EXPECT_EQ(timeline_.now(), 6ms);
  EXPECT_EQ(between(begin0, end0), 3ms);
  EXPECT_EQ(between(begin1, end1), 5ms);
}

TEST_F(Streams, AMarkRecordedAgainOnAnotherForgetsTheFirst) {
  const Mark begin = recorded(0), again = recorded(0);
  ASSERT_TRUE(timeline_.record(again, 1));
  on(0).host_work(1ms);
  on(0).enqueue(7ms);  // must not stamp it: it is no longer there
  on(1).host_work(2ms);
  on(1).enqueue(1ms);
  ASSERT_TRUE(timeline_.wait(again));
  EXPECT_EQ(timeline_.now(), 3ms);
  EXPECT_EQ(between(begin, again), 2ms);  // stamped by the start of the work on stream 1, at 3 ms
}

TEST_F(Streams, WaitAnyReturnsTheMarkThatIsPassedFirstWhereverItStands) {
  on(0).enqueue(5ms);
  on(1).enqueue(2ms);
  on(2).enqueue(3ms);
  std::vector<Mark> marks{recorded(0), recorded(1), recorded(2)};
  EXPECT_EQ(*timeline_.wait_any(marks), 1u);
  EXPECT_EQ(timeline_.now(), 2ms);
  marks.erase(marks.begin() + 1);
  EXPECT_EQ(*timeline_.wait_any(marks), 1u);
  EXPECT_EQ(timeline_.now(), 3ms);
  marks.pop_back();
  EXPECT_EQ(*timeline_.wait_any(marks), 0u);
  EXPECT_EQ(timeline_.now(), 5ms);
}

TEST_F(Streams, WaitAnyTakesTheFirstOfThoseThatWerePassedTogether) {
  on(0).enqueue(2ms);
  on(1).enqueue(2ms);
  const std::array marks{recorded(1), recorded(0)};
  EXPECT_EQ(*timeline_.wait_any(marks), 0u);
}

TEST_F(Streams, AMarkIsPassedWhenItsTimeHasComeWhetherOrNotSomebodyWaited) {
  bool done = false;
  on(0).enqueue(
      2ms, [](void* flag) { *static_cast<bool*>(flag) = true; }, &done);
  const Mark end = recorded(0);
  EXPECT_FALSE(passed(end));
  on(0).host_work(1ms);
  EXPECT_FALSE(passed(end));
  EXPECT_FALSE(done);
  on(0).host_work(1ms);
  EXPECT_TRUE(passed(end));
  EXPECT_TRUE(done);  // what a passed mark stands behind is done
  EXPECT_EQ(timeline_.now(), 2ms);
}

TEST_F(Streams, AMarkSeenPassedOnAnIdleStreamIsNotStampedByLaterWork) {
  const Mark begin = recorded(0);
  EXPECT_TRUE(passed(begin));
  on(0).host_work(1ms);
  on(0).enqueue(1ms);
  const Mark end = recorded(0);
  ASSERT_TRUE(timeline_.wait(end));
  EXPECT_EQ(between(begin, end), 2ms);
}

TEST_F(Streams, ThePiecesOfAnInferenceHoldTheGapsThatTheHostLeaves) {
  const Mark begin = recorded(0);
  on(0).enqueue(1ms);
  on(0).host_work(4ms);  // 3 ms after the device has run dry
  on(0).enqueue(1ms);
  const Mark end = recorded(0);
  ASSERT_TRUE(timeline_.wait(end));
  EXPECT_EQ(between(begin, end), 5ms);
}

TEST_F(Streams, TheSideStreamIsSeenByNoSynchroniseButThatOfTheWholeDevice) {
  on(1).side().enqueue(9ms);
  on(0).enqueue(2ms);
  ASSERT_TRUE(timeline_.synchronize());
  EXPECT_EQ(timeline_.now(), 2ms);
  ASSERT_TRUE(controls().synchronize_device());
  EXPECT_EQ(timeline_.now(), 9ms);
  EXPECT_EQ(&on(0).side(), &on(2).side());
}

TEST_F(Streams, ASpinKeepsItsStreamBusyForSoLongAndNoLongerThanTheLongest) {
  const Mark begin = recorded(1);
  ASSERT_TRUE(controls().spin(30ms, 1));
  on(1).enqueue(1ms);
  const Mark end = recorded(1);
  ASSERT_TRUE(timeline_.synchronize());
  EXPECT_EQ(*controls().spun(), 30ms);
  EXPECT_EQ(between(begin, end), 31ms);
  ASSERT_TRUE(controls().spin(1h));
  EXPECT_EQ(timeline_.now(), 31ms);  // it did not block
  ASSERT_TRUE(timeline_.synchronize());
  EXPECT_EQ(*controls().spun(), kLongestSpin);
  EXPECT_EQ(timeline_.now(), 31ms + kLongestSpin);
}

TEST_F(Streams, EmptyWorkTakesNoTimeAndIsWork) {
  on(0).enqueue(1ms);
  const Mark begin = recorded(0);
  ASSERT_TRUE(controls().empty_work());
  const Mark end = recorded(0);
  EXPECT_FALSE(passed(end));
  ASSERT_TRUE(timeline_.wait(end));
  EXPECT_EQ(between(begin, end), 0ns);
  EXPECT_EQ(timeline_.now(), 1ms);
}

TEST_F(Streams, AFlushIsWorkAndMakesItsStreamColdOnce) {
  ASSERT_TRUE(timeline_.flush_cache(1));
  EXPECT_EQ(timeline_.now(), 0ns);
  ASSERT_TRUE(timeline_.synchronize());
  EXPECT_GT(timeline_.now(), 0ns);
  EXPECT_FALSE(on(0).take_cold());
  EXPECT_TRUE(on(1).take_cold());
  EXPECT_FALSE(on(1).take_cold());
}

struct Step {
  std::vector<int>* order;
  int number;
  static void done(void* step) { static_cast<Step*>(step)->order->push_back(static_cast<Step*>(step)->number); }
};

TEST_F(Streams, ACapturedGraphIsDoneInItsOrderOnlyWhenItIsLaunched) {
  std::vector<int> order;
  std::array<Step, 3> steps{{{&order, 0}, {&order, 1}, {&order, 2}}};
  ASSERT_TRUE(controls().begin_capture(1));
  for (Step& step : steps) {
    on(1).host_work(1ms);
    on(1).enqueue(100us, Step::done, &step);
  }
  const auto graph = controls().end_capture(1);
  ASSERT_TRUE(graph);
  ASSERT_TRUE(timeline_.synchronize());
  EXPECT_TRUE(order.empty());
  EXPECT_EQ(timeline_.now(), 3ms);
  for (int launch = 0; launch < 2; ++launch) {
    ASSERT_TRUE(controls().launch(*graph, 1));
    ASSERT_TRUE(timeline_.synchronize());
  }
  EXPECT_EQ(order, (std::vector{0, 1, 2, 0, 1, 2}));
}

TEST_F(Streams, AGraphLeavesNoGapsBetweenItsPieces) {
  const auto submit = [&] {
    for (int i = 0; i < 5; ++i) {
      on(0).host_work(1ms);
      on(0).enqueue(100us);
    }
  };
  const Mark begin = recorded(0);
  submit();
  const Mark end = recorded(0);
  ASSERT_TRUE(timeline_.wait(end));
  EXPECT_EQ(between(begin, end), 4100us);
  ASSERT_TRUE(controls().begin_capture());
  submit();
  const auto graph = controls().end_capture();
  ASSERT_TRUE(graph);
  ASSERT_TRUE(timeline_.record(begin));
  ASSERT_TRUE(controls().launch(*graph));
  ASSERT_TRUE(timeline_.record(end));
  ASSERT_TRUE(timeline_.wait(end));
  EXPECT_EQ(between(begin, end), 500us);
}

TEST_F(Streams, WhatSynchronisesCannotBeCapturedAndTheStreamIsUsableAfterwards) {
  int done = 0;
  const auto count = [](void* counter) { ++*static_cast<int*>(counter); };
  ASSERT_TRUE(controls().begin_capture());
  on(0).enqueue(1ms, count, &done);
  on(0).drain();
  on(0).enqueue(1ms, count, &done);
  const auto graph = controls().end_capture();
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().code, ErrorCode::Unsupported);
  EXPECT_FALSE(graph.error().hint.empty());
  on(0).enqueue(2ms, count, &done);
  ASSERT_TRUE(timeline_.synchronize());
  EXPECT_EQ(done, 1);
  EXPECT_EQ(timeline_.now(), 2ms);
  ASSERT_TRUE(controls().begin_capture());
  on(0).enqueue(3ms, count, &done);
  const auto second = controls().end_capture();
  ASSERT_TRUE(second);
  ASSERT_TRUE(controls().launch(*second));
  ASSERT_TRUE(timeline_.synchronize());
  EXPECT_EQ(done, 2);
  EXPECT_EQ(timeline_.now(), 5ms);
}

TEST_F(Streams, SeveralGraphsAreKeptApart) {
  std::array<Graph, 2> graphs{};
  for (std::size_t i = 0; i < graphs.size(); ++i) {
    ASSERT_TRUE(controls().begin_capture(i));
    on(i).enqueue((i + 1) * 1ms);
    graphs[i] = *controls().end_capture(i);
  }
  ASSERT_TRUE(controls().launch(graphs[0], 2));
  ASSERT_TRUE(timeline_.synchronize());
  EXPECT_EQ(timeline_.now(), 1ms);
  ASSERT_TRUE(controls().launch(graphs[1], 2));
  ASSERT_TRUE(timeline_.synchronize());
  EXPECT_EQ(timeline_.now(), 3ms);
}

// In real time only the order of things is looked at.

TEST(RealStreams, ALaterShortWorkIsPassedBeforeAnEarlierLongOneOnAnotherStream) {
  SimTimeline timeline{SimTimeline::Time::Real, 2};
  const std::array marks{*timeline.make_mark(), *timeline.make_mark()};
  static_cast<SimStream*>(timeline.stream(0))->enqueue(1s);  // far longer than this thread is ever kept from its CPU
  static_cast<SimStream*>(timeline.stream(1))->enqueue(1ms);
  for (std::size_t i = 0; i < marks.size(); ++i) ASSERT_TRUE(timeline.record(marks[i], i));
  EXPECT_EQ(*timeline.wait_any(marks), 1u);
  EXPECT_FALSE(*timeline.passed(marks[0]));
  ASSERT_TRUE(timeline.synchronize());
  EXPECT_TRUE(*timeline.passed(marks[0]));
}

TEST(RealStreams, TheWorkOfEveryStreamIsDoneBeforeASynchroniseOfTheDeviceReturns) {
  SimTimeline timeline{SimTimeline::Time::Real, 3};
  std::array<std::atomic<int>, 4> done{};
  const auto count = [](void* counter) { ++*static_cast<std::atomic<int>*>(counter); };
  for (int round = 1; round <= 20; ++round) {
    for (std::size_t i = 0; i < 3; ++i) {
      auto& stream = *static_cast<SimStream*>(timeline.stream(i));
      stream.enqueue(100us, count, &done[i]);
      stream.side().enqueue(100us, count, &done[3]);
    }
    ASSERT_TRUE(timeline.controls()->synchronize_device());
    for (std::size_t i = 0; i < 3; ++i) ASSERT_EQ(done[i], round);
    ASSERT_EQ(done[3], 3 * round);
  }
}

TEST(RealStreams, AMarkBehindWorkIsPassedOnlyWhenTheWorkIsDone) {
  SimTimeline timeline{SimTimeline::Time::Real};
  auto& stream = *static_cast<SimStream*>(timeline.stream());
  const Mark end = *timeline.make_mark();
  std::atomic<bool> done{false};
  for (int i = 0; i < 20; ++i) {
    done = false;
    stream.enqueue(
        300us, [](void* flag) { *static_cast<std::atomic<bool>*>(flag) = true; }, &done);
    ASSERT_TRUE(timeline.record(end));
    while (!*timeline.passed(end)) {
    }
    ASSERT_TRUE(done);
  }
}

TEST(RealStreams, AGraphIsDoneInItsOrder) {
  SimTimeline timeline{SimTimeline::Time::Real};
  auto& stream = *static_cast<SimStream*>(timeline.stream());
  std::vector<int> order;
  order.reserve(9);
  std::array<Step, 3> steps{{{&order, 0}, {&order, 1}, {&order, 2}}};
  ASSERT_TRUE(timeline.controls()->begin_capture(0));
  for (Step& step : steps) stream.enqueue(10us, Step::done, &step);
  const auto graph = timeline.controls()->end_capture(0);
  ASSERT_TRUE(graph);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(timeline.controls()->launch(*graph, 0));
  ASSERT_TRUE(timeline.synchronize());
  EXPECT_EQ(order, (std::vector{0, 1, 2, 0, 1, 2, 0, 1, 2}));
}

}  // namespace
}  // namespace lapse::device
