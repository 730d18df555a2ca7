// The libraries that the CUDA device opens when the program runs, NVML and CUPTI, by stand-ins for them.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lapse/device/cuda/clocks.hpp>
#include <lapse/device/cuda/timeline.hpp>

#include "device/fake_cudart.hpp"
#include "device/fake_cupti.hpp"
#include "device/fake_nvml.hpp"

namespace lapse::device::cuda {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string library(const std::string& name) { return LAPSE_BINARY_DIR "/tests/" + name + ".so"; }

/// The state of a stand-in, as it was loaded first, and kept loaded as long as this lives.
template <class State>
class Loaded {
 public:
  Loaded(const std::string& file, const char* symbol) : handle_(dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ != nullptr) state_ = reinterpret_cast<State* (*)()>(dlsym(handle_, symbol))();
    if (state_ != nullptr) *state_ = {};
  }
  ~Loaded() {
    if (handle_ != nullptr) dlclose(handle_);
  }
  Loaded(const Loaded&) = delete;
  Loaded& operator=(const Loaded&) = delete;
  State* operator->() { return state_; }

 private:
  void* handle_;
  State* state_ = nullptr;
};

std::uint32_t bit(ClockReason reason) { return static_cast<std::uint32_t>(reason); }

class NvmlByAStandIn : public ::testing::Test {
 protected:
  void SetUp() override { fake::reset(); }
  Loaded<fake::Nvml> nvml_{library("fake_nvml"), "fake_nvml"};
};

TEST_F(NvmlByAStandIn, TheClockIsReadOfTheDeviceOnThatPlaceOfTheBus) {
  fake::runtime().now = 5ms;
  const auto clocks = NvmlClocks::open("0000:3B:00.0", fake::clock, library("fake_nvml").c_str());
  ASSERT_TRUE(clocks);
  EXPECT_EQ(nvml_->asked_for, "0000:3B:00.0");
  EXPECT_EQ(clocks->max_mhz(), 1980.0);
  EXPECT_EQ(clocks->driver_version(), "580.159.03");
  const auto reading = clocks->read();
  ASSERT_TRUE(reading);
  EXPECT_EQ(reading->mhz, 1755.0);
  EXPECT_EQ(reading->at, 5ms);
  EXPECT_EQ(reading->reasons, 0u);
}

TEST_F(NvmlByAStandIn, EveryReasonIsTold) {
  const auto clocks = NvmlClocks::open("0000:3B:00.0", fake::clock, library("fake_nvml").c_str());
  ASSERT_TRUE(clocks);
  nvml_->reasons = 0x4 | 0x20;
  EXPECT_EQ(clocks->read()->reasons, bit(ClockReason::PowerCap) | bit(ClockReason::Thermal));
}

TEST(ClockReasons, AreThoseThatSlowADeviceDown) {
  EXPECT_EQ(clock_reasons(0x1), 0u);   // idle
  EXPECT_EQ(clock_reasons(0x10), 0u);  // in step with another device
  EXPECT_EQ(clock_reasons(0x2), bit(ClockReason::Settings));
  EXPECT_EQ(clock_reasons(0x100), bit(ClockReason::Settings));
  EXPECT_EQ(clock_reasons(0x4), bit(ClockReason::PowerCap));
  EXPECT_EQ(clock_reasons(0x20), bit(ClockReason::Thermal));
  for (const unsigned long long slowdown : {0x8ull, 0x40ull, 0x80ull})
    EXPECT_EQ(clock_reasons(slowdown), bit(ClockReason::HardwareSlowdown));
}

TEST_F(NvmlByAStandIn, ADeviceThatDoesNotTellItsReasonsHasNone) {
  const auto clocks = NvmlClocks::open("0000:3B:00.0", fake::clock, library("fake_nvml").c_str());
  ASSERT_TRUE(clocks);
  nvml_->reasons = 0x4;
  nvml_->reasons_status = 3;  // not supported
  EXPECT_EQ(clocks->read()->reasons, 0u);
}

TEST_F(NvmlByAStandIn, AFailedReadingIsAnErrorWithNvmlsText) {
  const auto clocks = NvmlClocks::open("0000:3B:00.0", fake::clock, library("fake_nvml").c_str());
  ASSERT_TRUE(clocks);
  nvml_->clock_status = 15;
  const auto reading = clocks->read();
  ASSERT_FALSE(reading);
  EXPECT_EQ(reading.error().code, ErrorCode::DeviceUnusable);
  EXPECT_THAT(reading.error().message, HasSubstr("GPU is lost"));
}

TEST_F(NvmlByAStandIn, NvmlIsStartedAndShutDownAsOften) {
  {
    const auto clocks = NvmlClocks::open("0000:3B:00.0", fake::clock, library("fake_nvml").c_str());
    EXPECT_EQ(nvml_->started, 1);
  }
  EXPECT_EQ(nvml_->started, 0);
  nvml_->find_status = 6;  // not found
  EXPECT_FALSE(NvmlClocks::open("0000:3B:00.0", fake::clock, library("fake_nvml").c_str()));
  EXPECT_EQ(nvml_->started, 0);
}

TEST_F(NvmlByAStandIn, WhereItDoesNotStartThereAreNoClocks) {
  nvml_->init_status = 9;  // no driver
  EXPECT_FALSE(NvmlClocks::open("0000:3B:00.0", fake::clock, library("fake_nvml").c_str()));
  EXPECT_EQ(nvml_->started, 0);
}

TEST(AnOlderNvml, TellsItsReasonsByTheOlderName) {
  Loaded<fake::Nvml> nvml{library("fake_nvml_old"), "fake_nvml"};
  const auto clocks = NvmlClocks::open("0000:3B:00.0", fake::clock, library("fake_nvml_old").c_str());
  ASSERT_TRUE(clocks);
  EXPECT_EQ(clocks->driver_version(), "");
  nvml->reasons = 0x20;
  EXPECT_EQ(clocks->read()->reasons, bit(ClockReason::Thermal));
  nvml->clock_status = 15;
  EXPECT_THAT(clocks->read().error().message, HasSubstr("NVML status 15"));
}

TEST(NoNvml, MeansNoClocks) {
  EXPECT_FALSE(NvmlClocks::open("0000:3B:00.0", fake::clock, "no-such-library.so"));
  EXPECT_FALSE(NvmlClocks::open("0000:3B:00.0", fake::clock, library("fake_nvml_broken").c_str()));
}

TEST_F(NvmlByAStandIn, TheTimelineHasTheClocksAndTheDriversVersion) {
  CudaTimeline::Options options;
  options.clock = fake::clock;
  const std::string path = library("fake_nvml");
  options.nvml = path.c_str();
  const auto timeline = CudaTimeline::open(options);
  ASSERT_TRUE(timeline);
  EXPECT_EQ((*timeline)->controls()->info().driver, "580.159.03");
  EXPECT_EQ(nvml_->asked_for, "0000:3A:00.0");
  ASSERT_NE((*timeline)->controls()->clocks(), nullptr);
  EXPECT_EQ((*timeline)->controls()->clocks()->read()->mhz, 1755.0);
}

#if __has_include(<cupti.h>)
class CuptiByAStandIn : public ::testing::Test {
 protected:
  void SetUp() override {
    fake::reset();
    CudaTimeline::Options options;
    options.clock = fake::clock;
    options.nvml = "no-such-library.so";
    options.cupti = {"no-such-library.so", library("fake_cupti")};
    timeline_ = std::move(*CudaTimeline::open(options));
    witness_ = timeline_->controls()->witness();
    ASSERT_NE(witness_, nullptr);
  }

  Loaded<fake::Cupti> cupti_{library("fake_cupti"), "fake_cupti"};
  std::unique_ptr<CudaTimeline> timeline_;
  Witness* witness_ = nullptr;
};

TEST_F(CuptiByAStandIn, TheWitnessTellsKernelsInTheOrderOfTheirStart) {
  EXPECT_EQ(witness_, timeline_->controls()->witness());
  ASSERT_TRUE(witness_->start());
  EXPECT_TRUE(cupti_->active);
  cupti_->kernels = {{500, 800}, {100, 150}, {300, 420}};
  fake::runtime().forget_calls();
  const auto durations = witness_->stop();
  ASSERT_TRUE(durations);
  EXPECT_THAT(*durations, ElementsAre(50ns, 120ns, 300ns));
  EXPECT_TRUE(fake::runtime().called("cudaDeviceSynchronize"));
  EXPECT_FALSE(cupti_->active);
}

TEST_F(CuptiByAStandIn, AnEarlierRecordingIsForgotten) {
  ASSERT_TRUE(witness_->start());
  cupti_->kernels = {{100, 150}};
  ASSERT_TRUE(witness_->stop());
  ASSERT_TRUE(witness_->start());
  EXPECT_THAT(*witness_->stop(), ElementsAre());
}

TEST_F(CuptiByAStandIn, RecordsThatWereLostAreAnError) {
  ASSERT_TRUE(witness_->start());
  cupti_->dropped = 3;
  const auto durations = witness_->stop();
  ASSERT_FALSE(durations);
  EXPECT_THAT(durations.error().message, HasSubstr("lost 3 records"));
}

TEST_F(CuptiByAStandIn, AnotherProfilerIsAnError) {
  cupti_->enable_status = 39;  // multiple subscribers
  const auto started = witness_->start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::DeviceUnusable);
  EXPECT_THAT(started.error().message, HasSubstr("CUPTI can't start to record: CUPTI_ERROR_OF_THE_FAKE"));
}

TEST_F(CuptiByAStandIn, ItStopsToRecordAlsoWhenTheDeviceIsLost) {
  ASSERT_TRUE(witness_->start());
  fake::runtime().fail("cudaDeviceSynchronize", cudaErrorIllegalAddress);
  EXPECT_FALSE(witness_->stop());
  EXPECT_FALSE(cupti_->active);
}

TEST_F(CuptiByAStandIn, ClosingStopsARecordingThatGoesOn) {
  ASSERT_TRUE(witness_->start());
  timeline_.reset();
  EXPECT_FALSE(cupti_->active);
}
#endif

}  // namespace
}  // namespace lapse::device::cuda
