#include <algorithm>
#include <lapse/serve/dispatch/scheduler.hpp>

namespace lapse::serve {
namespace {

constexpr std::uint64_t kJobsFirst = 4;  // of so many dispatches one takes jobs first

}  // namespace

bool Scheduler::add(Direct request) {
  if (direct_.size() >= rules_.max_waiting) return false;
  direct_.push_back(std::move(request));
  return true;
}

bool Scheduler::remove(std::uint64_t id) {
  return std::erase_if(direct_, [id](const Direct& request) { return request.id == id; }) > 0;
}

std::vector<std::uint64_t> Scheduler::expire(Time now) {
  std::vector<std::uint64_t> expired;
  std::erase_if(direct_, [&](const Direct& request) {
    if (!request.expires || *request.expires > now) return false;
    expired.push_back(request.id);
    return true;
  });
  return expired;
}

void Scheduler::jobs(std::size_t at_least, Time now) {
  if (jobs_ == 0) jobs_since_ = now;
  jobs_ = at_least;
}

void Scheduler::jobs_came(std::size_t count, Time now) {
  jobs(jobs_ + count, now);
  came_ += count;
}

bool Scheduler::full() const {
  std::size_t rows = jobs_;
  for (const Direct& request : direct_) rows += request.rows;
  return rows >= rules_.max_batch;
}

Scheduler::Decision Scheduler::decide(Time now, std::size_t most, bool idle) {
  if (direct_.empty() && jobs_ == 0) return {};
  Time oldest = jobs_ > 0 ? jobs_since_ : Time::max();
  for (const Direct& request : direct_) oldest = std::min(oldest, request.arrived);
  const Time due = oldest + rules_.max_delay;
  if (full() || (idle && due <= now)) return fill(now, std::max(most, rules_.max_batch));
  Decision decision;
  if (idle) decision.wake = due;
  for (const Direct& request : direct_) {
    if (request.expires) decision.wake = std::min(decision.wake.value_or(Time::max()), *request.expires);
  }
  return decision;
}

Scheduler::Decision Scheduler::decide_alone(Time now) {
  if (direct_.empty() && jobs_ == 0) return {};
  return fill(now, 1);
}

Scheduler::Decision Scheduler::fill(Time now, std::size_t most) {
  Decision decision;
  const bool jobs_first = ++dispatches_ % kJobsFirst == 0;
  if (jobs_first && jobs_ > 0) decision.jobs = direct_.empty() ? most : std::min(most, jobs_);
  std::size_t room = most - decision.jobs;
  decision.direct = take(room);
  if (!jobs_first && jobs_ > 0) decision.jobs = room;
  jobs_ -= std::min(jobs_, decision.jobs);
  came_ = 0;
  jobs_since_ = now;
  return decision;
}

// The highest priority first; within it whoever was served longest ago; of his, the oldest. Until one has too many rows or bytes for the
// room that is left, which nobody may overtake.
std::vector<std::uint64_t> Scheduler::take(std::size_t& room) {
  std::vector<std::uint64_t> taken;
  std::uint64_t bytes = 0;
  while (room > 0 && !direct_.empty()) {
    const auto before = [this](const Direct& a, const Direct& b) {
      if (a.priority != b.priority) return a.priority > b.priority;
      return turns_[a.owner] < turns_[b.owner];
    };
    const auto next = std::ranges::min_element(direct_, before);  // the first of equals: the oldest
    if (!taken.empty() && (next->rows > room || next->bytes > rules_.max_bytes - bytes)) break;
    room -= std::min(room, next->rows);
    bytes += std::min(next->bytes, rules_.max_bytes - bytes);
    turns_[next->owner] = ++served_;
    taken.push_back(next->id);
    direct_.erase(next);
  }
  if (direct_.empty()) turns_.clear();
  return taken;
}

}  // namespace lapse::serve
