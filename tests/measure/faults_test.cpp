// What a wrong engine does is found every time, and nothing is found on a right one; and the device time of a right one is the known one.
// A hundred measurements each of the simulated device in virtual time, with other settings every time.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <lapse/measure/model.hpp>
#include <random>

namespace lapse::measuring {
namespace {

using namespace std::chrono_literals;

constexpr int kRuns = 100;

// One drawn setting of the simulated device and of the plan.
struct Setting {
  Duration device{}, submit{}, h2d{}, d2h{};
  int kernels = 1;
  double jitter = 0;
  std::size_t in_flight = 1, streams = 1;
  std::string fault;  // as sim takes it; empty: none
  std::uint64_t seed = 0;

  std::string text() const {
    std::string text = fmt::format("sim:time=virtual,device={}ns,submit={}ns,kernels={},jitter={:.6f},seed={}", device.count(),
                                   submit.count(), kernels, jitter, seed);
    if (h2d > 0ns) text += fmt::format(",h2d={}ns", h2d.count());
    if (d2h > 0ns) text += fmt::format(",d2h={}ns", d2h.count());
    if (!fault.empty()) text += ",fault=" + fault;
    return text;
  }
};

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : random_(seed), seed_(seed) {}

  double between(double low, double high) { return std::uniform_real_distribution(low, high)(random_); }
  // Every order of magnitude alike.
  Duration duration(Duration low, Duration high) {
    return Duration{
        std::llround(std::exp(between(std::log(static_cast<double>(low.count())), std::log(static_cast<double>(high.count())))))};
  }
  int number(int low, int high) { return std::uniform_int_distribution(low, high)(random_); }
  bool coin() { return number(0, 1) == 1; }

  // A right engine: the device never waits for the host between two pieces of an inference.
  Setting clean() {
    Setting setting;
    setting.seed = seed_;
    setting.device = duration(50us, 20ms);
    setting.submit = duration(5us, std::max<Duration>(6us, setting.device * 8 / 10));
    setting.kernels = number(1, 40);
    setting.jitter = coin() ? between(0, 0.05) : 0.0;
    if (coin()) {
      setting.h2d = setting.submit / setting.kernels + duration(1us, setting.device);  // outlasts the call for the first piece
      setting.d2h = duration(5us, setting.device / 8);
    }
    return setting;
  }

 private:
  std::mt19937_64 random_;
  std::uint64_t seed_;
};

Setting pending(Draw& draw) {
  Setting setting = draw.clean();
  setting.fault = "pending";
  return setting;
}
Setting other_stream(Draw& draw) {
  Setting setting = draw.clean();
  setting.fault = "other-stream";
  return setting;
}
Setting side_stream(Draw& draw) {
  Setting setting = draw.clean();
  setting.fault = "side-stream";
  return setting;
}
// The host takes longer for each of many pieces than the device does.
Setting launch_gaps(Draw& draw) {
  Setting setting = draw.clean();
  setting.kernels = draw.number(10, 200);
  setting.submit = Duration{std::llround(draw.between(1.5, 4) * static_cast<double>(setting.device.count()))};
  return setting;
}
Setting copies_outside(Draw& draw) {
  Setting setting = draw.clean();
  setting.fault = "copies-outside";
  setting.d2h = std::max<Duration>(25us, (setting.device + setting.submit + setting.h2d) / draw.number(2, 30));
  return setting;
}
Setting clean(Draw& draw) { return draw.clean(); }

Setting offline(Draw& draw, Setting setting) {
  setting.in_flight = static_cast<std::size_t>(draw.number(2, 6));
  setting.streams = static_cast<std::size_t>(draw.number(1, std::min(3, static_cast<int>(setting.in_flight))));
  return setting;
}

struct Outcome {
  std::vector<Sample> samples;
  std::vector<Finding> findings;
};

Result<Outcome> measure(const Setting& setting) {
  ModelRequest request;
  request.model = setting.text();
  Plan plan;
  plan.budget = 60s;
  plan.precision = -1;  // never
  plan.max_runs = 600;
  if (setting.in_flight > 1) {
    plan.scenario = Scenario::Offline;
    plan.in_flight = setting.in_flight;
    plan.streams = setting.streams;
  }
  LAPSE_TRY(auto model, prepare_model(request, plan));
  LAPSE_TRY(auto timing, time_model(model, plan, {}));
  return Outcome{std::move(timing.timing.measurement.samples), std::move(timing.timing.findings)};
}

// Names of the rules that were found broken.
std::vector<std::string> found(const Outcome& outcome) {
  std::vector<std::string> names;
  for (const Finding& finding : outcome.findings) {
    if (finding.verdict == Verdict::Found) names.emplace_back(name(finding.rule));
  }
  return names;
}

struct Case {
  const char* name;
  Setting (*draw)(Draw&);
  std::vector<std::string> expected;
  bool in_flight = false;
};

void PrintTo(const Case& each, std::ostream* out) { *out << each.name; }

class Faults : public ::testing::TestWithParam<Case> {};

TEST_P(Faults, AreFoundInEveryMeasurementAndNothingElseIs) {
  int right = 0;
  for (int run = 0; run < kRuns; ++run) {
    Draw draw{static_cast<std::uint64_t>(run)};
    Setting setting = GetParam().draw(draw);
    if (GetParam().in_flight) setting = offline(draw, setting);
    const auto outcome = measure(setting);
    ASSERT_TRUE(outcome) << setting.text() << ": " << outcome.error().message;
    right += found(*outcome) == GetParam().expected ? 1 : 0;
    EXPECT_EQ(found(*outcome), GetParam().expected)
        << setting.text() << " in flight " << setting.in_flight << " on " << setting.streams << " streams";
  }
  EXPECT_EQ(right, kRuns);
}

INSTANTIATE_TEST_SUITE_P(
    Sim, Faults,
    ::testing::Values(Case{"None", clean, {}}, Case{"Pending", pending, {"pending-on-return"}},
                      Case{"OtherStream", other_stream, {"other-stream"}}, Case{"SideStream", side_stream, {"side-stream"}},
                      Case{"LaunchGaps", launch_gaps, {"launch-gaps"}}, Case{"CopiesOutside", copies_outside, {"outputs-on-device"}},
                      Case{"NoneInFlight", clean, {}, true}, Case{"OtherStreamInFlight", other_stream, {"other-stream"}, true},
                      Case{"SideStreamInFlight", side_stream, {"side-stream"}, true},
                      Case{"LaunchGapsInFlight", launch_gaps, {"launch-gaps"}, true},
                      Case{"CopiesOutsideInFlight", copies_outside, {"outputs-on-device"}, true}),
    [](const auto& each) { return std::string(each.param.name); });

class KnownTruth : public ::testing::TestWithParam<bool> {};

TEST_P(KnownTruth, OfTheDeviceIsToldToLessThanAHundredth) {
  for (int run = 0; run < kRuns; ++run) {
    Draw draw{static_cast<std::uint64_t>(run)};
    Setting setting = draw.clean();
    if (GetParam()) setting = offline(draw, setting);
    const auto outcome = measure(setting);
    ASSERT_TRUE(outcome) << setting.text() << ": " << outcome.error().message;
    ASSERT_GE(outcome->samples.size(), 500u);
    const Summaries summaries = summarise(outcome->samples, setting.h2d > 0ns);
    const double truth = static_cast<double>(setting.device.count());
    ASSERT_TRUE(summaries.device.median);
    const double median = summaries.device.median->value;
    EXPECT_LT(std::abs(median - truth), 0.01 * truth) << setting.text();
    if (setting.jitter == 0.0) {
      EXPECT_EQ(median, truth) << setting.text();
    }
    if (setting.h2d > 0ns) {
      EXPECT_EQ(summaries.h2d.median->value, static_cast<double>(setting.h2d.count()));
      EXPECT_EQ(summaries.d2h.median->value, static_cast<double>(setting.d2h.count()));
    }
    // One at a time nothing hides the call but the copy to the device.
    if (setting.in_flight == 1 && setting.jitter == 0.0) {
      const Duration hidden = setting.h2d > 0ns ? setting.h2d : setting.submit / setting.kernels;
      const Duration first = setting.kernels == 1 && setting.h2d == 0ns ? setting.submit : hidden;
      EXPECT_EQ(summaries.end_to_end.median->value, static_cast<double>((first + setting.device + setting.d2h).count())) << setting.text();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sim, KnownTruth, ::testing::Values(false, true),
                         [](const auto& each) { return std::string(each.param ? "SeveralInFlight" : "OneAtATime"); });

}  // namespace
}  // namespace lapse::measuring
