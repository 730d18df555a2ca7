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

Scheduler::Decision Scheduler::decide(Time now, std::size_t most) {
  Decision decision;
  if (direct_.empty() && jobs_ == 0) return decision;
  if (direct_.size() + jobs_ < rules_.max_batch) {
    Time oldest = jobs_ > 0 ? jobs_since_ : Time::max();
    for (const Direct& request : direct_) oldest = std::min(oldest, request.arrived);
    if (oldest + rules_.max_delay > now) {
      decision.wake = oldest + rules_.max_delay;
      for (const Direct& request : direct_) {
        if (request.expires) decision.wake = std::min(*decision.wake, *request.expires);
      }
      return decision;
    }
  }
  most = std::max(most, rules_.max_batch);
  const bool jobs_first = ++dispatches_ % kJobsFirst == 0;
  if (jobs_first) decision.jobs = std::min(most, jobs_);
  decision.direct = take(most - decision.jobs);
  if (!jobs_first) decision.jobs = std::min(most - decision.direct.size(), jobs_);
  jobs_ -= decision.jobs;
  jobs_since_ = now;
  return decision;
}

// The highest priority first; within it whoever was served longest ago; of his, the oldest.
std::vector<std::uint64_t> Scheduler::take(std::size_t count) {
  std::vector<std::uint64_t> taken;
  while (taken.size() < count && !direct_.empty()) {
    const auto before = [this](const Direct& a, const Direct& b) {
      if (a.priority != b.priority) return a.priority > b.priority;
      return turns_[a.owner] < turns_[b.owner];
    };
    const auto next = std::ranges::min_element(direct_, before);  // the first of equals: the oldest
    turns_[next->owner] = ++served_;
    taken.push_back(next->id);
    direct_.erase(next);
  }
  if (direct_.empty()) turns_.clear();
  return taken;
}

}  // namespace lapse::serve
