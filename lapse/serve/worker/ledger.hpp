#pragma once
// Which requests are in this worker, and how far: so that every one of them is answered exactly once, cancelled or not. Not installed.
//
// Threads: any.

#include <cstdint>
#include <map>
#include <mutex>

namespace lapse::serve {

class Ledger {
 public:
  /// False: there is one of this key already.
  bool add(std::uint64_t key) {
    const std::lock_guard lock{mutex_};
    return states_.emplace(key, State::Waiting).second;
  }
  /// True: it had not started and will not; the caller answers it, the stage that has it forgets it (begin or end).
  bool cancel(std::uint64_t key) {
    const std::lock_guard lock{mutex_};
    const auto found = states_.find(key);
    if (found == states_.end()) return false;
    const bool waiting = found->second == State::Waiting;
    found->second = waiting ? State::Dropped : found->second == State::Running ? State::Cancelled : found->second;
    return waiting;
  }
  /// Its forward pass begins. False: it was dropped, and nothing more is to be done about it.
  bool begin(std::uint64_t key) {
    const std::lock_guard lock{mutex_};
    const auto found = states_.find(key);
    const bool waiting = found != states_.end() && found->second == State::Waiting;
    if (waiting) found->second = State::Running;
    if (!waiting && found != states_.end()) states_.erase(found);
    return waiting;
  }
  /// Does anybody still wait for it? It stays known either way.
  bool wanted(std::uint64_t key) const {
    const std::lock_guard lock{mutex_};
    const auto found = states_.find(key);
    return found != states_.end() && (found->second == State::Waiting || found->second == State::Running);
  }
  /// Nothing of what waits is to be started or answered any more.
  void drop_all() {
    const std::lock_guard lock{mutex_};
    for (auto& [key, state] : states_) state = State::Dropped;
  }
  enum class Verdict : std::uint8_t { Answer, Cancelled, Dropped };
  /// The last word on it: what the caller may answer. It is forgotten.
  Verdict end(std::uint64_t key) {
    const std::lock_guard lock{mutex_};
    const auto entry = states_.extract(key);
    if (entry.empty() || entry.mapped() == State::Dropped) return Verdict::Dropped;
    return entry.mapped() == State::Cancelled ? Verdict::Cancelled : Verdict::Answer;
  }

 private:
  enum class State : std::uint8_t { Waiting, Running, Cancelled, Dropped };
  mutable std::mutex mutex_;
  std::map<std::uint64_t, State> states_;
};

}  // namespace lapse::serve
