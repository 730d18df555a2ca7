// The load options of an engine with CUDA: lapse/engine/plugin/device.hpp.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lapse/engine/plugin/device.hpp>
#include <lapse/engine/plugin/failure.hpp>

namespace lapse::plugin {
namespace {

using ::testing::HasSubstr;
using Given = std::vector<lapse_option>;

Device read(const Given& given) {
  Options options(given.data(), given.size());
  Device device = read_device(options);
  options.refuse_unknown();
  return device;
}

void expect_refused(const Given& given, lapse_status status, const std::string& says) {
  try {
    read(given);
    FAIL() << "was taken; expected: " << says;
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.status(), status) << failure.what();
    EXPECT_THAT(failure.what(), HasSubstr(says));
  }
}

std::string refusal_of_index(int index, int count) {
  try {
    require_index("LibTorch", index, count);
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.status(), LAPSE_DEVICE_UNUSABLE);
    return std::string(failure.what()) + "; " + failure.hint();
  }
  return "";
}

TEST(DeviceOption, IsTheHostUnlessAnotherIsNamed) {
  for (const Given& given : {Given{}, Given{{"device", "cpu"}}}) {
    const Device device = read(given);
    EXPECT_FALSE(device.cuda);
    EXPECT_EQ(device.name, "cpu");
  }
}

TEST(DeviceOption, TakesCudaWithAndWithoutANumber) {
  const Device first = read({{"device", "cuda"}});
  EXPECT_TRUE(first.cuda);
  EXPECT_EQ(first.index, 0);
  EXPECT_EQ(first.name, "cuda:0");
  const Device third = read({{"device", "cuda:2"}});
  EXPECT_EQ(third.index, 2);
  EXPECT_EQ(third.name, "cuda:2");
}

TEST(DeviceOption, RefusesWhatIsNoDevice) {
  for (const char* name : {"abacus", "", "cuda:", "cuda:-1", "cuda:x", "cuda:1x", "cuda:999", "cuda0", "CUDA", "cpu:0"}) {
    expect_refused({{"device", name}}, LAPSE_DEVICE_UNUSABLE, "no device '" + std::string(name) + "'");
  }
}

TEST(DeviceOption, TransfersArePinnedUnlessSaidOtherwise) {
  EXPECT_EQ(read({{"device", "cuda"}}).transfers, Transfers::Pinned);
  EXPECT_EQ(read({{"device", "cuda"}, {"transfers", "pinned"}}).transfers, Transfers::Pinned);
  EXPECT_EQ(read({{"device", "cuda"}, {"transfers", "pageable"}}).transfers, Transfers::Pageable);
  EXPECT_EQ(read({{"device", "cuda"}, {"transfers", "none"}}).transfers, Transfers::None);
  expect_refused({{"device", "cuda"}, {"transfers", "carrier pigeon"}}, LAPSE_BAD_INPUT, "transfers=carrier pigeon");
}

TEST(DeviceOption, TheHostHasNoTransfers) { expect_refused({{"transfers", "none"}}, LAPSE_BAD_INPUT, "runs on the host"); }

TEST(DeviceOption, ReadsTheAddressesOfTheStreams) {
  EXPECT_THAT(read({{"device", "cuda"}}).streams, ::testing::IsEmpty());
  const auto streams = read({{"device", "cuda"}, {"streams", "4096,0,18446744073709551615"}}).streams;
  ASSERT_EQ(streams.size(), 3u);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(streams[0]), 4096u);
  EXPECT_EQ(streams[1], nullptr);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(streams[2]), UINTPTR_MAX);
  for (const char* text : {"", ",", "1,", "0x10", "18446744073709551616", "1 2"}) {
    expect_refused({{"device", "cuda"}, {"streams", text}}, LAPSE_BAD_INPUT, "streams=");
  }
}

TEST(DeviceOption, TellsWhichDevicesThereAreInsteadOfTheOneThatIsNot) {
  EXPECT_EQ(refusal_of_index(1, 2), "");
  EXPECT_THAT(refusal_of_index(0, 0), HasSubstr("no CUDA device"));
  EXPECT_THAT(refusal_of_index(3, 1), HasSubstr("no cuda:3; there is cuda:0 only"));
  EXPECT_THAT(refusal_of_index(3, 2), HasSubstr("cuda:0 to cuda:1"));
}

TEST(DeviceOption, ListsTheDevicesOfAnEngine) {
  EXPECT_EQ(device_list(0), "cpu");
  EXPECT_EQ(device_list(2), "cpu,cuda:0,cuda:1");
}

TEST(DeviceOption, OnlyACudaSessionIsAsynchronousAndOnlyOneWithTransfersIsStaged) {
  const Ports none;
  const Device host = read({}), cuda = read({{"device", "cuda:1"}}), resident = read({{"device", "cuda"}, {"transfers", "none"}});
  const auto on_host = session_info(none, none, host, 3);
  EXPECT_STREQ(on_host.device, "cpu");
  EXPECT_STREQ(on_host.transfers, "");
  EXPECT_EQ(on_host.asynchronous, 0);
  EXPECT_EQ(on_host.staged, 0);
  EXPECT_EQ(on_host.concurrent, 1);
  EXPECT_EQ(on_host.threads, 3);
  const auto on_cuda = session_info(none, none, cuda, 3);
  EXPECT_STREQ(on_cuda.device, "cuda:1");
  EXPECT_STREQ(on_cuda.transfers, "pinned");
  EXPECT_EQ(on_cuda.asynchronous, 1);
  EXPECT_EQ(on_cuda.staged, 1);
  EXPECT_EQ(on_cuda.concurrent, 0);
  const auto staying = session_info(none, none, resident, 3);
  EXPECT_STREQ(staying.transfers, "none");
  EXPECT_EQ(staying.staged, 0);
}

}  // namespace
}  // namespace lapse::plugin
