// Somebody's own code, measured by lapse as a library: on the CPU, and on a stream (of the simulated device, in virtual time, so that what
// comes out is known). No engine is there.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <lapse/device/simulated.hpp>
#include <lapse/report/compose.hpp>
#include <lapse/report/render.hpp>

using namespace std::chrono_literals;

int main() {
  double sum = 0;
  const auto cpu = lapse::measure(
      [&] {
        for (int i = 0; i < 1000; ++i) sum += std::sqrt(i);
      },
      {.budget = 100ms, .min_runs = 100});
  if (!cpu || cpu->timing.measurement.samples.size() < 100) return 1;
  std::puts(cpu->summary.end_to_end.median->value > 0 && sum > 0 ? "cpu fine" : "cpu wrong");

  const auto kernel = [](void* stream) { static_cast<lapse::device::SimStream*>(stream)->enqueue(3ms); };
  const auto device = lapse::measure(kernel, {.budget = 1s}, "sim:virtual");
  if (!device) return 1;
  std::printf("stream %s\n", lapse::format_nanoseconds(device->summary.device.median->value).c_str());

  const auto text = lapse::report::to_text(lapse::report::compose(*device, "kernel"), lapse::report::Language::English);
  std::puts(text.find("kernel") != text.npos && text.find("3.000 ms") != text.npos ? "report fine" : text.c_str());
}
