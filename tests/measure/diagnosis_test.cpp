#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <lapse/measure/diagnosis.hpp>

namespace lapse::measuring {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::Key;
using testing::Not;
using testing::Pair;

Pairs pairs_around(double log_ratio, double deviation) {
  Pairs pairs{.log_ratios = {}, .median_ns = 1e7, .runs = 100, .spent = 10s};
  for (int pair = 0; pair < 10; ++pair) pairs.log_ratios.push_back(log_ratio + (pair % 2 == 0 ? deviation : -deviation));
  return pairs;
}

/// A machine that nothing is to be said against.
Examination quiet() {
  Examination seen;
  seen.machine.cpus_online = seen.machine.cpus_allowed = 4;
  seen.machine.governor = "performance";
  seen.allowed = {0, 1, 2, 3};
  seen.before.clock_source = "tsc";
  seen.before.clock_sources = {"tsc", "hpet"};
  seen.before.turbo = false;
  seen.before.throttle_events = 0;
  seen.before.huge_pages = "always";
  seen.before.random_layout = true;
  seen.after = seen.before;
  seen.clock = {.reading_ns = 25, .resolution = 10ns, .watched = 1s, .gaps = 250, .lost = 500us, .longest = 4us};
  seen.spins.assign(100, 500us);
  seen.arithmetic = seen.memory.emplace(pairs_around(0, 0.001));
  seen.spent = 30s;
  return seen;
}

Diagnosis of(const Examination& seen, std::string_view code) {
  const auto diagnoses = diagnose(seen);
  const auto found = std::ranges::find(diagnoses, code, &Diagnosis::code);
  EXPECT_NE(found, diagnoses.end()) << code;
  return found == diagnoses.end() ? Diagnosis{} : *found;
}

TEST(Diagnosis, AQuietMachineIsGoodInEverything) {
  for (const Diagnosis& diagnosis : diagnose(quiet())) EXPECT_EQ(diagnosis.grade, Grade::Good) << diagnosis.code;
  EXPECT_EQ(worst(diagnose(quiet())), Grade::Good);
}

TEST(Diagnosis, TheNoiseFloorIsMeasuredAgainstThePrecisionThatPeopleAskFor) {
  Examination seen = quiet();
  // Ten pairs: t(0.975, 9) = 2.262, so the half width is 2.262 / 3 of the deviation.
  seen.arithmetic = pairs_around(0, 0.02);
  EXPECT_EQ(of(seen, "noise_arithmetic").grade, Grade::Note);
  EXPECT_THAT(of(seen, "noise_arithmetic").facts, Contains(Pair("unseen", "1.5 %")));
  EXPECT_THAT(of(seen, "noise_arithmetic").facts, Contains(Pair("time", "10 s")));
  seen.memory = pairs_around(0, 0.1);
  EXPECT_EQ(of(seen, "noise_memory").grade, Grade::Bad);
}

TEST(Diagnosis, WithTooFewPairsThereIsNoFloorToSpeakOf) {
  Examination seen = quiet();
  seen.arithmetic.log_ratios.resize(5);
  seen.memory.reset();
  for (const Diagnosis& diagnosis : diagnose(seen)) EXPECT_THAT(diagnosis.code, Not(testing::StartsWith("noise")));
}

TEST(Diagnosis, AClockIsBadThatIsDearCoarseOrGoesBack) {
  Examination seen = quiet();
  seen.clock.reading_ns = 250;
  EXPECT_EQ(of(seen, "clock").grade, Grade::Note);
  seen.clock.reading_ns = 1200;
  EXPECT_EQ(of(seen, "clock").grade, Grade::Bad);
  seen = quiet();
  seen.clock.resolution = 4ms;
  EXPECT_EQ(of(seen, "clock").grade, Grade::Bad);
  seen = quiet();
  seen.clock.backward = 1;
  EXPECT_EQ(of(seen, "clock").grade, Grade::Bad);
}

TEST(Diagnosis, ABetterClockIsNamedOnlyWhereThereIsOne) {
  Examination seen = quiet();
  EXPECT_THAT(of(seen, "clock").facts, Not(Contains(Key("better"))));
  seen.before.clock_source = "hpet";
  EXPECT_THAT(of(seen, "clock").facts, Contains(Pair("better", "tsc")));
  seen.before.clock_sources = {"hpet"};
  EXPECT_THAT(of(seen, "clock").facts, Not(Contains(Key("better"))));
}

TEST(Diagnosis, WhatIsTakenAwayCountsByItsShare) {
  Examination seen = quiet();
  seen.clock.lost = 5ms;  // of a second
  EXPECT_EQ(of(seen, "interruptions").grade, Grade::Note);
  seen.clock.lost = 50ms;
  EXPECT_EQ(of(seen, "interruptions").grade, Grade::Bad);
  seen.disturbance = {.steal = 0.005, .others = 0.02, .throttled = 0};
  EXPECT_EQ(of(seen, "steal").grade, Grade::Note);
  EXPECT_EQ(of(seen, "load").grade, Grade::Note);
  seen.disturbance = {.steal = 0.02, .others = 0.2, .throttled = 0};
  EXPECT_EQ(of(seen, "steal").grade, Grade::Bad);
  EXPECT_EQ(of(seen, "load").grade, Grade::Bad);
}

TEST(Diagnosis, TheMeasuredSpeedDecidesWhateverTheSettingsSay) {
  Examination seen = quiet();
  for (std::size_t i = 0; i < 20; ++i) seen.spins[i] = 600us;
  EXPECT_EQ(of(seen, "speed").grade, Grade::Bad);
  EXPECT_EQ(of(seen, "frequency").grade, Grade::Good);
}

TEST(Diagnosis, SettingsThatCannotBeSeenAreNoted) {
  Examination seen = quiet();
  seen.machine.governor.clear();
  seen.before.turbo.reset();
  EXPECT_EQ(of(seen, "frequency").grade, Grade::Note);
  EXPECT_TRUE(of(seen, "frequency").facts.empty());
  seen.before.throttle_events.reset();
  seen.after.throttle_events.reset();
  EXPECT_EQ(of(seen, "heat").grade, Grade::Note);
  EXPECT_TRUE(of(seen, "heat").facts.empty());
}

TEST(Diagnosis, TurboIsNotedEvenUnderTheBestGovernor) {
  Examination seen = quiet();
  seen.before.turbo = true;
  EXPECT_EQ(of(seen, "frequency").grade, Grade::Note);
  EXPECT_THAT(of(seen, "frequency").facts, Contains(Key("turbo")));
}

TEST(Diagnosis, HeatIsBadWhenItSlowedTheMachineDownMeanwhile) {
  Examination seen = quiet();
  seen.before.throttle_events = seen.after.throttle_events = 7;
  EXPECT_EQ(of(seen, "heat").grade, Grade::Note) << "it was long ago";
  seen.after.throttle_events = 9;
  EXPECT_EQ(of(seen, "heat").grade, Grade::Bad);
  EXPECT_THAT(of(seen, "heat").facts, Contains(Pair("meanwhile", "2")));
  seen = quiet();
  seen.after.celsius = 93;
  seen.after.celsius_left = 2;
  EXPECT_EQ(of(seen, "heat").grade, Grade::Note);
}

TEST(Diagnosis, AQuotaIsNotedAndBadOnceItHeldUsBack) {
  Examination seen = quiet();
  seen.machine.cpu_limit = 1.5;
  EXPECT_EQ(of(seen, "quota").grade, Grade::Note);
  EXPECT_THAT(of(seen, "quota").facts, Contains(Pair("limit", "1.5")));
  seen.disturbance.throttled = 3;
  EXPECT_EQ(of(seen, "quota").grade, Grade::Bad);
}

TEST(Diagnosis, PartOfTheCpusOrASingleOneIsNoted) {
  Examination seen = quiet();
  seen.machine.cpus_allowed = 2;
  EXPECT_EQ(of(seen, "cpus").grade, Grade::Note);
  seen.machine.cpus_allowed = seen.machine.cpus_online = 1;
  EXPECT_EQ(of(seen, "cpus").grade, Grade::Note);
}

TEST(Diagnosis, ACoreThatIsSharedIsNotedEvenWhereTheMachineHidesIt) {
  Examination seen = quiet();
  seen.company = {.cpu = 0, .neighbour = 1, .pairs = pairs_around(0.0, 0.01)};
  EXPECT_EQ(of(seen, "siblings").grade, Grade::Good) << "no difference that can be seen";
  seen.company->pairs = pairs_around(0.4, 0.01);
  EXPECT_EQ(of(seen, "siblings").grade, Grade::Note);
  EXPECT_THAT(of(seen, "siblings").facts, Contains(Pair("effect", "1.492")));
  seen.disturbance.others = 0.4;
  EXPECT_EQ(of(seen, "siblings").grade, Grade::Good) << "others' work went to the CPU that was left";
  EXPECT_THAT(of(seen, "siblings").facts, Contains(Pair("crowded", "40 %")));
  seen.company.reset();
  seen.before.siblings = {{0, {1}}, {1, {0}}};
  EXPECT_EQ(of(seen, "siblings").grade, Grade::Note);
}

TEST(Diagnosis, HugePagesMatterWhereTheyAreNotGivenToAllAndMakeADifference) {
  Examination seen = quiet();
  seen.after.huge_pages = "madvise";
  EXPECT_EQ(of(seen, "huge_pages").grade, Grade::Good);
  seen.huge_pages = pairs_around(-0.3, 0.01);
  EXPECT_EQ(of(seen, "huge_pages").grade, Grade::Note);
  seen.after.huge_pages = "always";
  EXPECT_EQ(of(seen, "huge_pages").grade, Grade::Good);
}

TEST(Diagnosis, SwapInUseIsNotedAndSwappingIsBad) {
  Examination seen = quiet();
  seen.after.swap_total = 2u << 30;
  EXPECT_EQ(of(seen, "swap").grade, Grade::Good);
  seen.after.swap_used = 1u << 30;
  EXPECT_EQ(of(seen, "swap").grade, Grade::Note);
  seen.after.swapped_pages = seen.before.swapped_pages + 5;
  EXPECT_EQ(of(seen, "swap").grade, Grade::Bad);
}

TEST(Diagnosis, AFixedLayoutIsNoted) {
  Examination seen = quiet();
  seen.before.random_layout = false;
  EXPECT_EQ(of(seen, "layout_fixed").grade, Grade::Note);
}

TEST(Diagnosis, AGpuIsBadWhereHeatHoldsItDown) {
  DeviceState device{.info = {.name = "A GPU", .driver = {}, .runtime = {}, .memory_bytes = 80ull << 30},
                     .memory_used = 1ull << 30,
                     .max_mhz = 1980,
                     .busy = {}};
  EXPECT_EQ(diagnose(device)[0].grade, Grade::Note) << "not known";
  device.busy = device::ClockReading{.mhz = 1965};
  EXPECT_EQ(diagnose(device)[0].grade, Grade::Good);
  device.busy->reasons = static_cast<std::uint32_t>(device::ClockReason::PowerCap);
  EXPECT_EQ(diagnose(device)[0].grade, Grade::Note);
  EXPECT_THAT(diagnose(device)[0].facts, Contains(Pair("reasons", "power cap")));
  device.busy->reasons |= static_cast<std::uint32_t>(device::ClockReason::Thermal);
  EXPECT_EQ(diagnose(device)[0].grade, Grade::Bad);
  EXPECT_THAT(diagnose(device)[1].facts, Contains(Pair("used", "1 GiB")));
}

TEST(Diagnosis, TheWorstOfNothingIsGood) { EXPECT_EQ(worst({}), Grade::Good); }

}  // namespace
}  // namespace lapse::measuring
