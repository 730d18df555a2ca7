// Subjects for subject_test.cpp: one that does as it should on each kind of device, and one for every way to go wrong.

#include <lapse/engine/subject.h>

#include <time.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <lapse/device/sim_stream.hpp>
#include <stdexcept>
#include <string>

namespace {

// What the test asks for afterwards.
struct Log {
  int created = 0, destroyed = 0, device = -1;
  const char* arguments = "";
};

std::string last_arguments;

struct Handle {
  int enqueued = 0;
};

}  // namespace

extern "C" __attribute__((visibility("default"))) Log subjects_log;
Log subjects_log;

namespace {

int create(const char* arguments, int device, void** handle) {
  last_arguments = arguments;
  subjects_log.arguments = last_arguments.c_str();
  subjects_log.device = device;
  ++subjects_log.created;
  *handle = new Handle;
  return 0;
}

void destroy(void* handle) {
  ++subjects_log.destroyed;
  delete static_cast<Handle*>(handle);
}

const char* error(void* handle) { return handle == nullptr ? "no memory for\n\x1b[1ma matrix." : "the queue is full"; }
const char* no_error(void* /*handle*/) { return nullptr; }
const char* throwing_error(void* /*handle*/) { throw std::logic_error("no idea"); }

int enqueue_nothing(void* /*handle*/, void* /*stream*/) { return 0; }

int enqueue_on_sim(void* /*handle*/, void* stream) {
  auto& device = *static_cast<lapse::device::SimStream*>(stream);
  device.host_work(std::chrono::microseconds{10});
  device.enqueue(std::chrono::microseconds{200}, nullptr, nullptr);
  return 0;
}

int enqueue_four_times(void* handle, void* /*stream*/) { return ++static_cast<Handle*>(handle)->enqueued == 5 ? 42 : 0; }

// For tests/cli/subject_cli_test.py.
[[noreturn]] void hang() {
  while (true) pause();
}
int hang_in_create(const char* /*arguments*/, int /*device*/, void** /*handle*/) { hang(); }
int hang_in_enqueue(void* handle, void* /*stream*/) {
  const timespec millisecond{0, 1'000'000};
  nanosleep(&millisecond, nullptr);
  if (++static_cast<Handle*>(handle)->enqueued == 500) hang();
  return 0;
}
int enqueue_for_an_hour(void* handle, void* stream) {
  const bool last = ++static_cast<Handle*>(handle)->enqueued == 500;
  const std::chrono::nanoseconds duration = last ? std::chrono::nanoseconds{std::chrono::hours{1}} : std::chrono::milliseconds{1};
  static_cast<lapse::device::SimStream*>(stream)->enqueue(duration, nullptr, nullptr);
  return 0;
}

int fail_to_create(const char* /*arguments*/, int /*device*/, void** /*handle*/) { return 7; }
int throw_from_create(const char* /*arguments*/, int /*device*/, void** /*handle*/) { throw std::runtime_error("no such kernel"); }
int throw_from_enqueue(void* /*handle*/, void* /*stream*/) { throw std::runtime_error("illegal address"); }
int throw_a_number(void* /*handle*/, void* /*stream*/) { throw 42; }
void throw_from_destroy(void* handle) {
  destroy(handle);
  throw std::runtime_error("already gone");
}

}  // namespace

LAPSE_SUBJECT(good) = {LAPSE_SUBJECT_HEAD, "sim:virtual", 0, create, enqueue_on_sim, error, destroy};
LAPSE_SUBJECT(blocking) = {LAPSE_SUBJECT_HEAD, "cpu", 1, create, enqueue_nothing, error, destroy};
LAPSE_SUBJECT(on_cuda) = {LAPSE_SUBJECT_HEAD, "cuda", 0, create, enqueue_nothing, error, destroy};
LAPSE_SUBJECT(on_abacus) = {LAPSE_SUBJECT_HEAD, "abacus", 0, create, enqueue_nothing, error, destroy};

LAPSE_SUBJECT(create_fails) = {LAPSE_SUBJECT_HEAD, "cpu", 1, fail_to_create, enqueue_nothing, error, destroy};
LAPSE_SUBJECT(create_fails_silently) = {LAPSE_SUBJECT_HEAD, "cpu", 1, fail_to_create, enqueue_nothing, no_error, destroy};
LAPSE_SUBJECT(create_throws) = {LAPSE_SUBJECT_HEAD, "cpu", 1, throw_from_create, enqueue_nothing, error, destroy};
LAPSE_SUBJECT(fifth_fails) = {LAPSE_SUBJECT_HEAD, "cpu", 1, create, enqueue_four_times, error, destroy};
LAPSE_SUBJECT(error_throws) = {LAPSE_SUBJECT_HEAD, "cpu", 1, create, enqueue_four_times, throwing_error, destroy};
LAPSE_SUBJECT(enqueue_throws) = {LAPSE_SUBJECT_HEAD, "cpu", 1, create, throw_from_enqueue, error, destroy};
LAPSE_SUBJECT(enqueue_throws_a_number) = {LAPSE_SUBJECT_HEAD, "cpu", 1, create, throw_a_number, error, destroy};
LAPSE_SUBJECT(destroy_throws) = {LAPSE_SUBJECT_HEAD, "cpu", 1, create, enqueue_nothing, error, throw_from_destroy};

LAPSE_SUBJECT(create_hangs) = {LAPSE_SUBJECT_HEAD, "cpu", 1, hang_in_create, enqueue_nothing, error, destroy};
LAPSE_SUBJECT(enqueue_hangs) = {LAPSE_SUBJECT_HEAD, "cpu", 1, create, hang_in_enqueue, error, destroy};
LAPSE_SUBJECT(device_hangs) = {LAPSE_SUBJECT_HEAD, "sim", 0, create, enqueue_for_an_hour, error, destroy};

LAPSE_SUBJECT(of_another_abi) = {LAPSE_SUBJECT_ABI_VERSION + 1, sizeof(lapse_subject), "cpu", 1, create, enqueue_nothing, error, destroy};
LAPSE_SUBJECT(that_is_too_small) = {LAPSE_SUBJECT_ABI_VERSION, 8, "cpu", 1, create, enqueue_nothing, error, destroy};
LAPSE_SUBJECT(that_is_too_large) = {LAPSE_SUBJECT_ABI_VERSION, 4096, "cpu", 1, create, enqueue_nothing, error, destroy};
LAPSE_SUBJECT(without_enqueue) = {LAPSE_SUBJECT_HEAD, "cpu", 1, create, nullptr, error, destroy};
LAPSE_SUBJECT(pending_on_cpu) = {LAPSE_SUBJECT_HEAD, "cpu", 0, create, enqueue_nothing, error, destroy};
LAPSE_SUBJECT(without_device) = {LAPSE_SUBJECT_HEAD, nullptr, 1, create, enqueue_nothing, error, destroy};

extern "C" __attribute__((visibility("default"))) int a_function() { return 0; }
extern "C" __attribute__((visibility("default"))) const std::int32_t a_number;
const std::int32_t a_number = 1;
