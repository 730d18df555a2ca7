#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <lapse/jobs/job_store.hpp>

namespace lapse::jobs {
namespace {

constexpr std::array<std::string_view, 6> kStates{"queued", "running", "done", "failed", "cancelled", "expired"};

}  // namespace

Time system_now() { return std::chrono::time_point_cast<Time::duration>(std::chrono::system_clock::now()); }

std::string_view name(State state) noexcept { return kStates[static_cast<std::size_t>(state)]; }

Result<State> parse_state(std::string_view text) {
  const auto found = std::ranges::find(kStates, text);
  if (found == kStates.end()) {
    return fail(ErrorCode::BadInput, fmt::format("'{}' is no state of a job", text), fmt::format("{}", fmt::join(kStates, ", ")));
  }
  return static_cast<State>(found - kStates.begin());
}

Result<void> check(const JobSpec& spec) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-";
  const bool is_step = spec.id == "." || spec.id == "..";  // in a path
  if (spec.id.empty() || spec.id.size() > 128 || spec.id.find_first_not_of(kLetters) != std::string::npos || is_step) {
    return fail(ErrorCode::BadInput, "a job's id is 1 to 128 characters of A-Z a-z 0-9 . _ ~ - and not . or ..", "a UUID, for example");
  }
  if (spec.owner.empty() || spec.owner.size() > 64) return fail(ErrorCode::BadInput, "an owner's name is 1 to 64 characters");
  if (spec.model.empty()) return fail(ErrorCode::BadInput, "no model is named");
  if (spec.priority < -10 || spec.priority > 10) {
    return fail(ErrorCode::BadInput, fmt::format("priority {} is not from -10 to 10", spec.priority));
  }
  return parse_blob_id(spec.input.blob.id.hex).map([](const BlobId&) {});
}

}  // namespace lapse::jobs
