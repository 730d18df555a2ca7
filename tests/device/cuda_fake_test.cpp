// The CUDA timeline against a stand-in for the CUDA runtime, in virtual time: what it asks of CUDA, and what it makes of every failure.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lapse/device/cuda/open.hpp>
#include <lapse/device/cuda/timeline.hpp>

#include "device/fake_cudart.hpp"

namespace lapse::device::cuda {
namespace {

using namespace std::chrono_literals;
using fake::runtime;
using ::testing::HasSubstr;

class CudaOnAFakeRuntime : public ::testing::Test {
 protected:
  void SetUp() override {
    fake::reset();
    unsetenv("CUDA_VISIBLE_DEVICES");
  }

  static Result<std::unique_ptr<CudaTimeline>> try_open(std::size_t streams = 1) {
    CudaTimeline::Options options;
    options.streams = streams;
    options.clock = fake::clock;
    options.nvml = "no-such-library.so";
    options.cupti = {};
    auto timeline = CudaTimeline::open(options);
    runtime().forget_calls();
    return timeline;
  }
  static std::unique_ptr<CudaTimeline> open(std::size_t streams = 1) { return std::move(*try_open(streams)); }
};

void expect_error(const Error& error, ErrorCode code, std::string_view message, std::string_view hint = "") {
  EXPECT_EQ(name(error.code), name(code));
  EXPECT_THAT(error.message, HasSubstr(message));
  EXPECT_THAT(error.hint, HasSubstr(hint));
  EXPECT_EQ(error.message.find('\n'), std::string::npos);
  EXPECT_EQ(runtime().last, cudaSuccess) << "the runtime still remembers a failure";
}

TEST_F(CudaOnAFakeRuntime, MarksAreEventsWithTiming) {
  const auto timeline = open();
  ASSERT_TRUE(timeline->make_mark());
  EXPECT_TRUE(runtime().called("cudaEventCreateWithFlags with timing"));
}

TEST_F(CudaOnAFakeRuntime, OpeningRunsEverythingOnceOnEveryStreamAndWaits) {
  CudaTimeline::Options options;
  options.streams = 2;
  options.clock = fake::clock;
  options.nvml = "no-such-library.so";
  const auto timeline = CudaTimeline::open(options);
  ASSERT_TRUE(timeline);
  EXPECT_EQ((*timeline)->streams(), 2u);
  EXPECT_TRUE(runtime().called("cudaStreamCreateWithFlags non-blocking"));
  EXPECT_FALSE(runtime().called("cudaStreamCreateWithFlags blocking"));
  for (const char* call : {"launch_spin stream 0", "launch_spin stream 1", "launch_empty stream 0", "launch_empty stream 1",
                           "launch_timer_step stream 0", "cudaMemsetAsync 8192 bytes stream 0"}) {
    EXPECT_TRUE(runtime().called(call)) << call;
  }
  EXPECT_GE(runtime().now, 1us);
}

TEST_F(CudaOnAFakeRuntime, MarksAreRecordedOnTheStreamThatWasAskedFor) {
  const auto timeline = open(3);
  const Mark first = *timeline->make_mark(), second = *timeline->make_mark();
  runtime().forget_calls();
  ASSERT_TRUE(timeline->record(second, 2));
  ASSERT_TRUE(timeline->record(first));
  EXPECT_THAT(runtime().calls, ::testing::ElementsAre("cudaEventRecord event 1 stream 2", "cudaEventRecord event 0 stream 0"));
  EXPECT_EQ(timeline->stream(2), runtime().streams[2].get());
}

TEST_F(CudaOnAFakeRuntime, AStreamFollowsAMarkOfAnotherByAnEvent) {
  const auto timeline = open(2);
  const Mark mark = *timeline->make_mark();
  ASSERT_TRUE(timeline->record(mark, 1));
  runtime().forget_calls();
  ASSERT_TRUE(timeline->follow(mark, 0));
  EXPECT_THAT(runtime().calls, ::testing::ElementsAre("cudaStreamWaitEvent stream 0 event 0"));
}

TEST_F(CudaOnAFakeRuntime, ElapsedIsTheDevicesTime) {
  const auto timeline = open();
  const Mark before = *timeline->make_mark(), after = *timeline->make_mark();
  ASSERT_TRUE(timeline->record(before));
  fake::work(timeline->stream(), 5053us);
  ASSERT_TRUE(timeline->record(after));
  EXPECT_FALSE(*timeline->passed(after));
  const Instant begin = timeline->now();
  ASSERT_TRUE(timeline->wait(after));
  EXPECT_GE(timeline->now() - begin, 5050us);
  EXPECT_TRUE(*timeline->passed(after));
  EXPECT_EQ(*timeline->elapsed(before, after), 5053us);
}

TEST_F(CudaOnAFakeRuntime, AFloatOfMillisecondsIsRoundedToItsNearestNanosecond) {
  // 0.1 ms is no float: the nearest one is 0.100000001490116…, which is 100,000 ns. 1234.5678 ms is 1234.567749… there.
  const auto timeline = open();
  const Mark before = *timeline->make_mark(), after = *timeline->make_mark();
  for (const auto& [work, told] : {std::pair{100'000ns, 100'000ns}, std::pair{1'234'567'800ns, 1'234'567'749ns}, std::pair{512ns, 512ns}}) {
    ASSERT_TRUE(timeline->record(before));
    fake::work(timeline->stream(), work);
    ASSERT_TRUE(timeline->record(after));
    ASSERT_TRUE(timeline->wait(after));
    EXPECT_EQ(*timeline->elapsed(before, after), told);
  }
}

TEST_F(CudaOnAFakeRuntime, WaitingForAnyMarkEndsWithTheOneThatIsPassedFirst) {
  const auto timeline = open(3);
  const std::vector<Mark> marks{*timeline->make_mark(), *timeline->make_mark(), *timeline->make_mark()};
  const Duration work[] = {5ms, 2ms, 9ms};
  for (std::size_t i = 0; i < marks.size(); ++i) {
    fake::work(timeline->stream(i), work[i]);
    ASSERT_TRUE(timeline->record(marks[i], i));
  }
  EXPECT_EQ(*timeline->wait_any(marks), 1u);
  EXPECT_FALSE(*timeline->passed(marks[0]));
  EXPECT_EQ(*timeline->wait_any(std::vector{marks[2], marks[0]}), 1u);
  EXPECT_EQ(*timeline->wait_any(std::vector{marks[2]}), 0u);
  EXPECT_EQ(runtime().last, cudaSuccess);
}

TEST_F(CudaOnAFakeRuntime, SynchronizeWaitsForAllStreamsOfOursAndForNoOther) {
  const auto timeline = open(2);
  const auto other = open();
  fake::work(timeline->stream(0), 1ms);
  fake::work(timeline->stream(1), 3ms);
  fake::work(other->stream(), 1s);
  const Instant begin = timeline->now();
  ASSERT_TRUE(timeline->synchronize());
  EXPECT_GE(timeline->now() - begin, 2999us);
  EXPECT_LT(timeline->now() - begin, 1s);
  ASSERT_TRUE(timeline->controls()->synchronize_device());
  EXPECT_GE(timeline->now() - begin, 1s);
}

TEST_F(CudaOnAFakeRuntime, WaitingLeavesNoFailureBehindForTheEngine) {
  const auto timeline = open();
  const Mark mark = *timeline->make_mark();
  fake::work(timeline->stream(), 1ms);
  ASSERT_TRUE(timeline->record(mark));
  ASSERT_FALSE(*timeline->passed(mark));
  EXPECT_EQ(runtime().last, cudaSuccess);
  ASSERT_TRUE(timeline->wait(mark));
  EXPECT_EQ(runtime().last, cudaSuccess);
  fake::work(timeline->stream(), 1ms);
  ASSERT_TRUE(timeline->synchronize());
  EXPECT_EQ(runtime().last, cudaSuccess);
}

TEST_F(CudaOnAFakeRuntime, FlushingOverwritesTwiceTheCacheOnTheStream) {
  const auto timeline = open(2);
  ASSERT_TRUE(timeline->flush_cache(1));
  EXPECT_THAT(runtime().calls, ::testing::ElementsAre("cudaMemsetAsync 8192 bytes stream 1"));
}

TEST_F(CudaOnAFakeRuntime, ASpinTellsWhatTheDevicesTimerSaw) {
  runtime().timer_step = 1024;
  const auto timeline = open(2);
  ASSERT_TRUE(timeline->controls()->spin(50us, 1));
  ASSERT_TRUE(timeline->synchronize());
  EXPECT_EQ(*timeline->controls()->spun(), 50'176ns);  // 49 steps
  EXPECT_EQ(timeline->controls()->info().timer_step, 1024ns);
  ASSERT_TRUE(timeline->controls()->spin(1h));
  EXPECT_LE(*timeline->controls()->spun(), kLongestSpin + 1024ns);
}

TEST_F(CudaOnAFakeRuntime, InfoAndMemoryAreTheDevices) {
  const auto timeline = open();
  const DeviceInfo info = timeline->controls()->info();
  EXPECT_EQ(info.name, "Fake GPU");
  EXPECT_EQ(info.memory_bytes, std::uint64_t{8} << 20);
  EXPECT_THAT(info.driver, HasSubstr("CUDA "));
  EXPECT_EQ(*timeline->controls()->memory_used(), std::uint64_t{2} << 20);
  EXPECT_EQ(timeline->controls()->clocks(), nullptr);
  EXPECT_EQ(timeline->controls()->witness(), nullptr);
}

TEST_F(CudaOnAFakeRuntime, ClosingReleasesEverything) {
  open(3).reset();
  EXPECT_TRUE(runtime().memory.empty());
  for (const char* call : {"cudaStreamDestroy stream 0", "cudaStreamDestroy stream 1", "cudaStreamDestroy stream 2"}) {
    EXPECT_TRUE(runtime().called(call)) << call;
  }
}

TEST_F(CudaOnAFakeRuntime, ACapturedGraphDoesTheSameAgainInOneCall) {
  const auto timeline = open(2);
  ASSERT_TRUE(timeline->controls()->begin_capture(1));
  EXPECT_TRUE(runtime().called("cudaStreamBeginCapture stream 1 thread-local"));
  fake::work(timeline->stream(1), 2ms);
  fake::work(timeline->stream(1), 3ms);
  const auto graph = timeline->controls()->end_capture(1);
  ASSERT_TRUE(graph);
  const Mark before = *timeline->make_mark(), after = *timeline->make_mark();
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(timeline->record(before));
    ASSERT_TRUE(timeline->controls()->launch(*graph));
    ASSERT_TRUE(timeline->record(after));
    ASSERT_TRUE(timeline->wait(after));
    EXPECT_EQ(*timeline->elapsed(before, after), 5ms);
  }
}

TEST_F(CudaOnAFakeRuntime, WhatCantBeCapturedIsUnsupportedAndTheStreamGoesOn) {
  const auto timeline = open();
  ASSERT_TRUE(timeline->controls()->begin_capture());
  fake::break_capture(timeline->stream());
  const auto graph = timeline->controls()->end_capture();
  ASSERT_FALSE(graph);
  expect_error(graph.error(), ErrorCode::Unsupported, "can't be captured as a graph: CUDA error 901");
  EXPECT_FALSE(runtime().streams[0]->capturing);

  ASSERT_TRUE(timeline->controls()->begin_capture());
  fake::work(timeline->stream(), 1ms);
  EXPECT_TRUE(timeline->controls()->end_capture());
}

TEST_F(CudaOnAFakeRuntime, AGraphThatCantBeInstantiatedIsUnsupportedAndNotLeaked) {
  const auto timeline = open();
  runtime().fail("cudaGraphInstantiateWithFlags", cudaErrorNotSupported);
  ASSERT_TRUE(timeline->controls()->begin_capture());
  const auto graph = timeline->controls()->end_capture();
  ASSERT_FALSE(graph);
  expect_error(graph.error(), ErrorCode::Unsupported, "801");
  EXPECT_TRUE(runtime().called("cudaGraphDestroy"));
}

TEST_F(CudaOnAFakeRuntime, ADeviceThatHangsIsAnErrorAfterTheTimeOutAndIsNotWaitedForWhenClosing) {
  auto timeline = open();
  const Mark mark = *timeline->make_mark();
  ASSERT_TRUE(timeline->record(mark));
  runtime().hangs = true;
  runtime().query_cost = 100us;
  const Instant begin = timeline->now();
  const auto waited = timeline->wait(mark);
  ASSERT_FALSE(waited);
  expect_error(waited.error(), ErrorCode::DeviceUnusable, "the device has not finished its work for 60.00 s", "hangs");
  EXPECT_GT(timeline->now() - begin, 60s);
  EXPECT_LT(timeline->now() - begin, 60s + 10ms);
  runtime().forget_calls();
  timeline.reset();
  EXPECT_TRUE(runtime().calls.empty()) << runtime().calls.front();
}

TEST_F(CudaOnAFakeRuntime, TheTimeOutCanBeSetAndHoldsForSynchronizeToo) {
  const auto timeline = open();
  timeline->controls()->set_timeout(10ms);
  fake::work(timeline->stream(), 9ms);
  EXPECT_TRUE(timeline->synchronize());
  fake::work(timeline->stream(), 11ms);
  const auto synchronized = timeline->synchronize();
  ASSERT_FALSE(synchronized);
  expect_error(synchronized.error(), ErrorCode::DeviceUnusable, "for 10.00 ms");
  runtime().hangs = true;
  EXPECT_FALSE(timeline->controls()->synchronize_device()) << "cudaDeviceSynchronize would hang";
}

struct Sticky {
  cudaError_t status;
  const char* cause;
};
class AFaultThatStays : public CudaOnAFakeRuntime, public ::testing::WithParamInterface<Sticky> {};

TEST_P(AFaultThatStays, IsALostDeviceAtOnceAndEverAfter) {
  for (const char* function : {"cudaEventRecord", "cudaEventQuery", "cudaStreamQuery", "launch_spin", "cudaEventElapsedTime"}) {
    fake::reset();
    auto timeline = open();
    const Mark mark = *timeline->make_mark();
    runtime().fail(function, GetParam().status);
    const auto each = [&]() -> Result<void> {
      LAPSE_CHECK(timeline->record(mark));
      LAPSE_CHECK(timeline->wait(mark));
      LAPSE_CHECK(timeline->synchronize());
      LAPSE_CHECK(timeline->controls()->spin(1us));
      LAPSE_TRY([[maybe_unused]] const Duration duration, timeline->elapsed(mark, mark));
      return {};
    };
    const auto first = each();
    ASSERT_FALSE(first) << function;
    expect_error(first.error(), ErrorCode::DeviceUnusable, GetParam().cause, "start again");
    EXPECT_THAT(first.error().message, HasSubstr("the device is lost to this process"));
    EXPECT_EQ(exit_status(first.error().code), 3);
    EXPECT_FALSE(timeline->record(mark));
    EXPECT_FALSE(timeline->passed(mark));
    runtime().forget_calls();
    timeline.reset();
    EXPECT_TRUE(runtime().calls.empty()) << function;
  }
}

INSTANTIATE_TEST_SUITE_P(Every, AFaultThatStays,
                         ::testing::Values(Sticky{cudaErrorIllegalAddress, "a kernel failed"},
                                           Sticky{cudaErrorLaunchFailure, "a kernel failed"}, Sticky{cudaErrorAssert, "a kernel failed"},
                                           Sticky{cudaErrorMisalignedAddress, "a kernel failed"},
                                           Sticky{cudaErrorIllegalInstruction, "a kernel failed"},
                                           Sticky{cudaErrorLaunchTimeout, "longer than the driver allows"},
                                           Sticky{cudaErrorECCUncorrectable, "its memory failed"}));

TEST_F(CudaOnAFakeRuntime, RunningOutOfMemoryTellsHowMuchThereIs) {
  runtime().fail("cudaMalloc", cudaErrorMemoryAllocation, 1);
  const auto timeline = try_open();
  ASSERT_FALSE(timeline);
  expect_error(timeline.error(), ErrorCode::OutOfMemory, "the device is out of memory: 6 of 8 MiB are free", "nvidia-smi");
  EXPECT_TRUE(runtime().memory.empty()) << "what had been taken before is released";
}

TEST_F(CudaOnAFakeRuntime, RunningOutOfMemoryIsToldAlsoWhereTheRoomIsNot) {
  const auto timeline = open();
  runtime().fail("cudaEventCreateWithFlags", cudaErrorMemoryAllocation);
  runtime().fail("cudaMemGetInfo", cudaErrorMemoryAllocation);
  const auto mark = timeline->make_mark();
  ASSERT_FALSE(mark);
  expect_error(mark.error(), ErrorCode::OutOfMemory, "can't create an event: the device is out of memory");
}

TEST_F(CudaOnAFakeRuntime, AnyOtherFailureSaysWhatCouldNotBeDone) {
  const auto timeline = open();
  const Mark mark = *timeline->make_mark();
  runtime().fail("cudaEventRecord", cudaErrorInvalidResourceHandle);
  const auto recorded = timeline->record(mark);
  ASSERT_FALSE(recorded);
  expect_error(recorded.error(), ErrorCode::DeviceUnusable, "can't record an event: CUDA error 400 (cudaErrorOfTheFake)");
}

// Everything that can be wrong with a machine when its device is opened.
struct Absent {
  const char* name;
  void (*machine)();
  const char* device;
  const char* message;
  const char* hint;
};
class ADeviceThatIsNotThere : public CudaOnAFakeRuntime, public ::testing::WithParamInterface<Absent> {};

TEST_P(ADeviceThatIsNotThere, IsToldWithItsReasonAndRemedy) {
  GetParam().machine();
  const auto timeline = cuda::open(GetParam().device, 1);
  ASSERT_FALSE(timeline);
  expect_error(timeline.error(), ErrorCode::DeviceUnusable, GetParam().message, GetParam().hint);
  EXPECT_THAT(timeline.error().message, HasSubstr(GetParam().device)) << "it says which device";
  EXPECT_EQ(exit_status(timeline.error().code), 3);
  unsetenv("CUDA_VISIBLE_DEVICES");
}

void well() {}
template <cudaError_t status>
void taking_fails() {
  runtime().fail("cudaSetDevice", status);
}

INSTANTIATE_TEST_SUITE_P(
    Every, ADeviceThatIsNotThere,
    ::testing::Values(Absent{"NoDriver", [] { runtime().driver = 0; }, "cuda", "no NVIDIA driver is installed here", "CPU"},
                      Absent{"OldDriver", [] { runtime().driver = 10020; }, "cuda", "it speaks CUDA 10.2, this lapse was built with ",
                             "update the driver"},
                      Absent{"NoDevice", [] { runtime().devices = 0; }, "cuda", "the NVIDIA driver sees no GPU", "CPU"},
                      Absent{"HiddenDevice",
                             [] {
                               runtime().devices = 0;
                               setenv("CUDA_VISIBLE_DEVICES", "7", 1);
                             },
                             "cuda", "the NVIDIA driver sees no GPU", "CUDA_VISIBLE_DEVICES is '7'"},
                      Absent{"OutOfRange", well, "cuda:3", "there is no cuda:3: this machine has 1", "cuda:0 Fake GPU"},
                      Absent{"OneTooFar", [] { runtime().devices = 2; }, "cuda:2", "this machine has 2",
                             "cuda:0 Fake GPU, cuda:1 Fake GPU"},
                      Absent{"Letter", well, "cuda:x", "'cuda:x' names no CUDA device", "cuda:1"},
                      Absent{"Negative", well, "cuda:-1", "'cuda:-1' names no CUDA device", ""},
                      Absent{"Nothing", well, "cuda:", "'cuda:' names no CUDA device", ""},
                      Absent{"Trailing", well, "cuda:0 ", "'cuda:0 ' names no CUDA device", ""},
                      Absent{"Huge", well, "cuda:99999999999", "names no CUDA device", ""},
                      Absent{"Busy", taking_fails<cudaErrorDevicesUnavailable>, "cuda", "the device is busy", "nvidia-smi"},
                      Absent{"NoCode", taking_fails<cudaErrorNoKernelImageForDevice>, "cuda", "no code for this model of GPU",
                             "CMAKE_CUDA_ARCHITECTURES"},
                      Absent{"MismatchedDriver", taking_fails<cudaErrorSystemDriverMismatch>, "cuda", "of different versions", "restart"},
                      Absent{"Stub", taking_fails<cudaErrorStubLibrary>, "cuda", "a stub for linking", "LD_LIBRARY_PATH"},
                      Absent{"Unknown", taking_fails<cudaErrorUnknown>, "cuda", "can't take the device: CUDA error 999", "nvidia-smi"}),
    [](const auto& parameter) { return parameter.param.name; });

TEST_F(CudaOnAFakeRuntime, TheFirstDeviceHasTwoNames) {
  for (const char* device : {"cuda", "cuda:0"}) {
    runtime().forget_calls();
    ASSERT_TRUE(cuda::open(device, 1)) << device;
    EXPECT_TRUE(runtime().called("cudaSetDevice 0"));
  }
  runtime().devices = 2;
  runtime().forget_calls();
  ASSERT_TRUE(cuda::open("cuda:1", 1));
  EXPECT_TRUE(runtime().called("cudaSetDevice 1"));
  EXPECT_FALSE(runtime().called("cudaSetDevice 0"));
}

// Whichever call fails while the device is opened: an error, and nothing stays behind.
TEST_F(CudaOnAFakeRuntime, OpeningFailsCleanlyWhereverItFails) {
  for (const char* function :
       {"cudaSetDevice", "cudaGetDeviceProperties", "cudaDeviceGetPCIBusId", "cudaStreamCreateWithFlags", "cudaDeviceGetAttribute",
        "cudaMalloc", "launch_timer_step", "cudaMemcpyAsync", "cudaMemsetAsync", "launch_empty", "launch_spin", "cudaStreamQuery"}) {
    for (const int spared : {0, 1}) {
      fake::reset();
      runtime().fail(function, cudaErrorInvalidValue, spared);
      const auto timeline = try_open(2);
      if (timeline) continue;  // called only once
      EXPECT_EQ(name(timeline.error().code), name(ErrorCode::DeviceUnusable)) << function;
      EXPECT_TRUE(runtime().memory.empty()) << function;
      EXPECT_EQ(runtime().last, cudaSuccess) << function;
    }
    fake::reset();
    runtime().fail(function, cudaErrorInvalidValue);
    EXPECT_FALSE(try_open(2)) << function;
  }
}

}  // namespace
}  // namespace lapse::device::cuda
