// What the examiner gathers, in exact virtual time, and that its looks change no sample.

#include <gtest/gtest.h>

#include <lapse/measure/timing.hpp>

#include "measure/fake_subject.hpp"

namespace lapse::measuring {
namespace {

using namespace std::chrono_literals;

FakeSubject::DurationOf always(Duration duration) {
  return [duration](std::size_t) { return duration; };
}

Plan runs(std::size_t count) {
  Plan plan;
  plan.warmup = 10;
  plan.max_runs = count;
  plan.precision = -1;  // never: constant times are as precise as can be
  return plan;
}

Verdict verdict(const Timing& timing, Rule rule) {
  for (const Finding& finding : timing.findings) {
    if (finding.rule == rule) return finding.verdict;
  }
  ADD_FAILURE() << "no finding of " << name(rule);
  return Verdict::NotExamined;
}

// Every second inference takes longer, so that a run more or less before a sample would show.
FakeSubject::DurationOf varying() {
  return [](std::size_t i) { return Duration{1ms + (i * 13 % 7) * 100us}; };
}

void expect_same_samples(const std::function<void(FakeSubject&)>& set_up, const Plan& asked, std::size_t streams,
                         bool asynchronous = true) {
  std::vector<std::vector<Sample>> both;
  for (const bool audit : {true, false}) {
    FakeSubject subject{varying(), 200us, asynchronous, streams};
    set_up(subject);
    Plan plan = asked;
    plan.audit = audit;
    const auto timing = time_subject(subject, plan);
    ASSERT_TRUE(timing);
    EXPECT_EQ(timing->evidence.examined, audit);
    EXPECT_EQ(timing->findings.empty(), !audit);
    both.push_back(timing->measurement.samples);
  }
  ASSERT_EQ(both[0].size(), both[1].size());
  for (std::size_t i = 0; i < both[0].size(); ++i) {
    const Sample &with = both[0][i], &without = both[1][i];
    ASSERT_EQ(with.start - both[0][0].start, without.start - both[1][0].start) << i;
    ASSERT_EQ(with.submit, without.submit) << i;
    ASSERT_EQ(with.device, without.device) << i;
    ASSERT_EQ(with.end_to_end, without.end_to_end) << i;
    ASSERT_EQ(with.h2d, without.h2d) << i;
    ASSERT_EQ(with.d2h, without.d2h) << i;
  }
}

TEST(Examiner, ItsLooksChangeNoSample) {
  expect_same_samples([](FakeSubject&) {}, runs(500), 1);
  expect_same_samples([](FakeSubject&) {}, runs(500), 1, false);
}

TEST(Examiner, ItsLooksChangeNoStagedSample) {
  expect_same_samples([](FakeSubject& subject) { subject.h2d = 300us, subject.d2h = 100us, subject.kernels = 4; }, runs(500), 1);
}

TEST(Examiner, ItsLooksChangeNoSampleOfAColdCache) {
  Plan plan = runs(500);
  plan.cold_cache = true;
  expect_same_samples([](FakeSubject&) {}, plan, 1);
}

TEST(Examiner, ItsLooksChangeNoSampleOfSeveralInFlight) {
  Plan plan = runs(500);
  plan.scenario = Scenario::Offline;
  plan.in_flight = 4;
  expect_same_samples([](FakeSubject&) {}, plan, 1);
  expect_same_samples([](FakeSubject& subject) { subject.h2d = 300us; }, plan, 3);
}

TEST(Examiner, ItsLooksChangeNoSampleOfAWarmUpThatFindsItsOwnEnd) {
  Plan plan = runs(500);
  plan.warmup.reset();
  expect_same_samples([](FakeSubject&) {}, plan, 1);
}

TEST(Examiner, GathersWhatARunIsAloneAndBehindABacklog) {
  FakeSubject subject{always(500us), 5ms};
  subject.kernels = 5;
  subject.fetched = 40us;
  const auto timing = time_subject(subject, runs(1000));
  ASSERT_TRUE(timing);
  const Evidence& evidence = timing->evidence;
  EXPECT_EQ(evidence.empty_pair, 0ns);
  EXPECT_EQ(evidence.empty_synchronize, 0ns);
  ASSERT_GE(evidence.alone.size(), 3u);
  for (const Look& look : evidence.alone) {
    EXPECT_EQ(look.device, 4100us);  // four gaps of 0.9 ms
    EXPECT_EQ(look.end_to_end, 5100us);
    EXPECT_EQ(look.left, 0ns);
  }
  ASSERT_TRUE(evidence.single_backlog);
  EXPECT_TRUE(evidence.single_backlog->held);
  EXPECT_EQ(evidence.single_backlog->device, 500us);
  ASSERT_FALSE(evidence.backlogs.empty());
  for (const Backlog& backlog : evidence.backlogs) {
    EXPECT_TRUE(backlog.held);
    EXPECT_EQ(backlog.device, 500us);
  }
  EXPECT_EQ(evidence.idle->device, 4100us);
  EXPECT_EQ(evidence.fetch, 40us);
  EXPECT_EQ(verdict(*timing, Rule::LaunchGaps), Verdict::Found);
  EXPECT_EQ(timing->bound, Bound::Launch);
}

TEST(Examiner, SeesHowLongTheDeviceIsBusyWithAnythingAfterARun) {
  FakeSubject subject{always(1ms), 100us};
  subject.after_submit = [&](std::size_t) { subject.stream_in(0).side().enqueue(3ms); };
  const auto timing = time_subject(subject, runs(300));
  ASSERT_TRUE(timing);
  for (const Look& look : timing->evidence.alone) EXPECT_EQ(look.left, 3ms - 1100us);
  EXPECT_EQ(verdict(*timing, Rule::SideStream), Verdict::Found);
  EXPECT_EQ(verdict(*timing, Rule::OtherStream), Verdict::Clean);
}

TEST(Examiner, LooksAtNineSingleRunsOrAtThreeLongOnes) {
  FakeSubject quick{always(1ms)}, slow{always(1s)};
  const auto many = time_subject(quick, runs(50));
  const auto few = time_subject(slow, runs(50));
  ASSERT_TRUE(many && few);
  EXPECT_EQ(many->evidence.alone.size(), 9u);
  EXPECT_EQ(few->evidence.alone.size(), 3u);
}

TEST(Examiner, NeedsNoBacklogForACallOfLessThanATwentiethOfTheDevicesTime) {
  FakeSubject brief{always(10ms), 499us}, longer{always(10ms), 500us};
  const auto none = time_subject(brief, runs(2000));
  const auto nine = time_subject(longer, runs(2000));
  ASSERT_TRUE(none && nine);
  EXPECT_TRUE(none->evidence.backlogs.empty());
  EXPECT_FALSE(none->evidence.no_time_for_backlogs);
  EXPECT_EQ(verdict(*none, Rule::LaunchGaps), Verdict::Clean);
  EXPECT_FALSE(nine->evidence.backlogs.empty());
  EXPECT_EQ(verdict(*nine, Rule::LaunchGaps), Verdict::Clean);
}

TEST(Examiner, ASubjectThatWaitsInItsSubmitOutlastsEveryBacklog) {
  FakeSubject subject{always(1ms), 500us};
  subject.synchronises = true;
  const auto timing = time_subject(subject, runs(5000));
  ASSERT_TRUE(timing);
  ASSERT_FALSE(timing->evidence.backlogs.empty());
  for (const Backlog& backlog : timing->evidence.backlogs) EXPECT_FALSE(backlog.held);
  EXPECT_EQ(verdict(*timing, Rule::LaunchGaps), Verdict::NotExamined);
}

TEST(Examiner, TakesItsShareOfTheTimeAndNoMore) {
  FakeSubject subject{always(200us), 400us};
  const auto before = subject.timeline().now();
  const auto timing = time_subject(subject, runs(20'000));  // 8 s and more
  ASSERT_TRUE(timing);
  EXPECT_EQ(timing->evidence.backlogs.size(), 9u);
  EXPECT_EQ(timing->evidence.allowed, std::max<Duration>(Examiner::kLeast, timing->evidence.allowed));
  EXPECT_LE(timing->evidence.spent, timing->evidence.allowed);
  const Duration whole = subject.timeline().now() - before;
  EXPECT_EQ(whole - timing->evidence.spent, 600us * 20'010);
}

TEST(Examiner, SaysNothingOfWhatAFailureOrTheUserLeftOut) {
  std::atomic<bool> stop{false};
  FakeSubject lost{always(1ms), 500us}, stopped{always(1ms), 500us};
  lost.fail_at = 100;
  stopped.after_submit = [&](std::size_t submits) { stop = submits >= 200; };
  const auto failed = time_subject(lost, runs(1000));
  const auto interrupted = time_subject(stopped, runs(1000), {{}, &stop});
  ASSERT_TRUE(failed && interrupted);
  EXPECT_EQ(failed->measurement.stop, Stop::Failed);
  EXPECT_EQ(interrupted->measurement.stop, Stop::Interrupted);
  for (const auto& timing : {*failed, *interrupted}) {
    EXPECT_EQ(verdict(timing, Rule::SideStream), Verdict::Clean);
    EXPECT_EQ(verdict(timing, Rule::LaunchGaps), Verdict::NotExamined);
    EXPECT_EQ(verdict(timing, Rule::OutputsOnDevice), Verdict::NotExamined);
  }
}

TEST(Examiner, AFailureOfItsOwnRunsTakesNothingFromTheSamples) {
  FakeSubject subject{always(1ms), 500us};
  subject.h2d = 100us;
  subject.fail_at = 310;  // 10 to warm up and 300 timed ones; then the examiner's
  const auto timing = time_subject(subject, runs(300));
  ASSERT_TRUE(timing);
  EXPECT_EQ(timing->measurement.stop, Stop::Failed);
  ASSERT_TRUE(timing->measurement.failure);
  EXPECT_EQ(timing->measurement.samples.size(), 300u);
  EXPECT_EQ(verdict(*timing, Rule::LaunchGaps),
            Verdict::Found);  // by the backlog of before the warm-up: the copy hides a fifth of the call
  EXPECT_EQ(verdict(*timing, Rule::OutputsOnDevice), Verdict::NotExamined);
  EXPECT_EQ(subject.completed, 2 * subject.submits + 1);  // nothing is left on the device
}

TEST(Examiner, AFailureBeforeAnythingWasTimedIsTheError) {
  FakeSubject subject{always(1ms)};
  subject.fail_at = 2;
  const auto timing = time_subject(subject, runs(300));
  ASSERT_FALSE(timing);
  EXPECT_EQ(timing.error().code, ErrorCode::DeviceUnusable);
}

}  // namespace
}  // namespace lapse::measuring
