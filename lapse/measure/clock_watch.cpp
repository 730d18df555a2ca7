#include <condition_variable>
#include <lapse/measure/clock_watch.hpp>
#include <mutex>
#include <stop_token>
#include <thread>

namespace lapse::measuring {
namespace {

// Clocks are steered some tens of times a second; a reading costs the driver tens of microseconds.
constexpr auto kPeriod = std::chrono::milliseconds{20};

}  // namespace

struct ClockWatch::Thread {
  std::vector<device::ClockReading> readings;
  std::jthread thread;

  explicit Thread(device::ClockMonitor& monitor) : thread([this, &monitor](std::stop_token stop) { watch(monitor, stop); }) {}

  void watch(device::ClockMonitor& monitor, const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any asleep;
    std::unique_lock lock(mutex);
    while (!stop.stop_requested()) {
      const auto reading = monitor.read();
      if (!reading) return;
      readings.push_back(*reading);
      asleep.wait_for(lock, stop, kPeriod, [] { return false; });
    }
  }
};

ClockWatch::ClockWatch(device::ClockMonitor* monitor) {
  if (monitor != nullptr) thread_ = std::make_unique<Thread>(*monitor);
}

ClockWatch::~ClockWatch() = default;

std::vector<device::ClockReading> ClockWatch::stop() {
  if (thread_ == nullptr) return {};
  thread_->thread.request_stop();
  thread_->thread.join();
  auto readings = std::move(thread_->readings);
  thread_.reset();
  return readings;
}

}  // namespace lapse::measuring
