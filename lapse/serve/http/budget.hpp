#pragma once
// Memory for what clients send, counted: however many of them there are, they don't fill the machine.
//
// Threads: the front's one.

#include <algorithm>
#include <cstdint>
#include <lapse/base/error.hpp>

namespace lapse::serve::http {

/// Bytes of bodies, and of what they are read into.
struct BodyBudget {
  std::uint64_t limit = 0, used = 0;
};

/// What somebody has of it; given back when this is destroyed.
class BodyShare {
 public:
  explicit BodyShare(BodyBudget& budget) noexcept : budget_(budget) {}
  ~BodyShare() { budget_.used -= bytes_; }
  BodyShare(const BodyShare&) = delete;
  BodyShare& operator=(const BodyShare&) = delete;

  std::uint64_t bytes() const noexcept { return bytes_; }
  /// Error: Busy when that many more are not there just now.
  Result<void> room_for(std::uint64_t bytes) const {
    if (bytes <= budget_.limit - std::min(budget_.used, budget_.limit)) return {};
    return fail(ErrorCode::Busy, "other requests fill the memory that is set aside for their bodies", "send it again in a second");
  }
  Result<void> grow(std::uint64_t bytes) {
    LAPSE_CHECK(room_for(bytes));
    budget_.used += bytes;
    bytes_ += bytes;
    return {};
  }

 private:
  BodyBudget& budget_;
  std::uint64_t bytes_ = 0;
};

}  // namespace lapse::serve::http
