#include <fmt/format.h>

#include <lapse/engine/builtin.hpp>
#include <lapse/measure/watchdog.hpp>
#include <string>

namespace lapse::measuring {
namespace {

// How much later than the limit a step may end it, as a share of the limit: rare looks disturb no measurement.
constexpr int kLooksPerLimit = 8;

std::string words(Duration duration) {
  const double seconds = std::chrono::duration<double>(duration).count();
  return seconds >= 1.0 ? fmt::format("{:g} s", seconds) : fmt::format("{:g} ms", 1e3 * seconds);
}

std::string what_hangs(Step step, std::string_view model) {
  switch (step) {
    case Step::Load:
      return fmt::format("loading {} has not ended", model);
    case Step::Submit:
      return fmt::format("{} of {} has not returned", engine::names_subject(model) ? "enqueue" : "submit", model);
    case Step::Wait:
      return fmt::format("the device has not finished the work of {}", model);
    case Step::Fetch:
      return fmt::format("fetching the outputs of {} has not ended", model);
    case Step::Own:
      break;
  }
  return fmt::format("lapse itself has not gone on with {}", model);
}

}  // namespace

Error timed_out(const Expiry& expiry, Duration limit, std::string_view model) {
  const std::string where = expiry.phase.empty() ? "" : fmt::format(" in {}", expiry.phase);
  return {
      expiry.step == Step::Wait ? ErrorCode::DeviceUnusable : ErrorCode::EngineUnusable,
      fmt::format("time-out{}: {} for {}", where, what_hangs(expiry.step, model), words(limit)),
      "a call that hangs can't be stopped, so the program ended without cleaning up; if it is only slow, give it longer: --timeout 10min"};
}

Watchdog::Watchdog(Duration limit, Expired expired, std::size_t threads) : limit_(limit), expired_(std::move(expired)), watched_(threads) {
  side_ = std::thread([this] { serve(); });
}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  closing_changed_.notify_one();
  side_.join();
}

void Watchdog::publish(const Measurement& measurement, std::size_t complete) {
  const std::lock_guard lock(mutex_);
  published_ = &measurement;
  complete_ = complete;
}

void Watchdog::withdraw() {
  const std::lock_guard lock(mutex_);
  published_ = nullptr;
}

// With mutex_ held, or where nobody else is: what is published stays as it is meanwhile.
std::optional<Expiry> Watchdog::look(Instant now) {
  for (Watched& watched : watched_) {
    const std::uint64_t word = watched.pulse.word();
    if (word != watched.seen || Pulse::step_of(word) == Step::Own) {
      watched.seen = word;
      watched.since = now;
      continue;
    }
    if (now - watched.since < limit_) continue;
    Expiry expiry{Pulse::step_of(word), phase_.load(std::memory_order_relaxed), now - watched.since, std::nullopt};
    if (published_ != nullptr && complete_ > 0) {
      const auto first = published_->samples.begin();
      Measurement so_far;
      so_far.warmup = published_->warmup;
      so_far.samples.assign(first, first + static_cast<std::ptrdiff_t>(complete_));
      so_far.timed = published_->timed;
      so_far.stop = Stop::Failed;
      examine_course(so_far);
      expiry.so_far = std::move(so_far);
    }
    return expiry;
  }
  return std::nullopt;
}

void Watchdog::serve() {
  std::unique_lock lock(mutex_);
  while (!closing_changed_.wait_for(lock, limit_ / kLooksPerLimit, [this] { return closing_; })) {
    if (auto expiry = look(std::chrono::steady_clock::now())) return expired_(std::move(*expiry));
  }
}

}  // namespace lapse::measuring
