#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <lapse/device/controls.hpp>
#include <lapse/measure/audit.hpp>
#include <lapse/measure/measure.hpp>
#include <memory>

namespace lapse::measuring {
namespace {

// Somebody's code may throw; the loops don't.
template <class Call>
Result<void> guarded(Call&& call) {
  try {
    return call();
  } catch (const std::exception& error) {
    return fail(ErrorCode::Internal, fmt::format("the work threw: {}", error.what()));
  } catch (...) {
    return fail(ErrorCode::Internal, "the work threw something that is no std::exception");
  }
}

class WorkSubject final : public Subject {
 public:
  WorkSubject(StreamWork work, std::unique_ptr<device::Timeline> timeline, std::size_t slots, bool asynchronous)
      : work_(std::move(work)), timeline_(std::move(timeline)), slots_(slots), asynchronous_(asynchronous) {}

  Result<void> submit(std::size_t slot, std::size_t /*iteration*/) override {
    return guarded([&] { return work_(timeline_->stream(stream_of(slot))); });
  }
  bool asynchronous() const noexcept override { return asynchronous_; }
  std::size_t slots() const noexcept override { return slots_; }
  device::Timeline& timeline() noexcept override { return *timeline_; }

 private:
  StreamWork work_;
  std::unique_ptr<device::Timeline> timeline_;
  std::size_t slots_;
  bool asynchronous_;
};

Result<Measured> measure_work(StreamWork work, Plan plan, std::string_view device, bool asynchronous) {
  if (plan.in_flight > 1) plan.scenario = Scenario::Offline;
  LAPSE_TRY(auto timeline, device::open_timeline(device, plan.streams));
  WorkSubject subject{std::move(work), std::move(timeline), std::max<std::size_t>(1, plan.in_flight), asynchronous};
  Measured measured;
  measured.plan = plan;
  measured.device = device;
  measured.asynchronous = asynchronous;
  if (device::Controls* controls = subject.timeline().controls()) measured.device_info = controls->info();

  const device::Instant begin = subject.timeline().now();
  LAPSE_CHECK(subject.submit(0, 0));
  LAPSE_CHECK(subject.timeline().synchronize());
  measured.first = subject.timeline().now() - begin;

  LAPSE_TRY(measured.timing, time_subject(subject, plan, {}, measured.first));
  measured.summary = summarise(measured.timing.measurement.samples, false);
  measured.warnings = audit(plan, measured.timing, measured.summary, host::fingerprint());
  return measured;
}

}  // namespace

Error returned(long long value) { return {ErrorCode::Internal, fmt::format("the work returned {}, which is not success", value), ""}; }

Result<Measured> measure_on_stream(StreamWork work, const Plan& plan, std::string_view device) {
  return measure_work(std::move(work), plan, device, true);
}

Result<Measured> measure_on_host(HostWork work, const Plan& plan) {
  return measure_work([work = std::move(work)](void* /*stream*/) { return work(); }, plan, "cpu", false);
}

}  // namespace lapse::measuring
