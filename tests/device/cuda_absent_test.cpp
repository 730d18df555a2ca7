// What a machine without a GPU is told. The CUDA runtime is the real one, where it is built in: it finds no driver.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <lapse/device/timeline.hpp>

namespace lapse::device {
namespace {

TEST(CudaWithoutADriver, IsADeviceThatCantBeUsed) {
  if (void* driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL)) {
    dlclose(driver);
    GTEST_SKIP() << "there is an NVIDIA driver here";
  }
  for (const char* device : {"cuda", "cuda:0", "cuda:1"}) {
    const auto timeline = open_timeline(device, 2);
    ASSERT_FALSE(timeline) << device;
    EXPECT_EQ(timeline.error().code, ErrorCode::DeviceUnusable);
    EXPECT_EQ(timeline.error().message, std::string(device) + ": " LAPSE_CUDA_ABSENT) << timeline.error().hint;
    EXPECT_NE(timeline.error().hint, "");
  }
}

}  // namespace
}  // namespace lapse::device
