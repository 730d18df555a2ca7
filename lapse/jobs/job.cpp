#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <lapse/jobs/job_store.hpp>

namespace lapse::jobs {
namespace {

constexpr std::array<std::string_view, 6> kStates{"queued", "running", "done", "failed", "cancelled", "expired"};

// Well-formed UTF-8 (The Unicode Standard, table 3-7) without control characters.
bool is_plain_text(std::string_view text) {
  constexpr std::array<char32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};  // by length: what is less has a shorter form
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  for (std::size_t i = 0; i < text.size();) {
    const unsigned first = byte(i);
    const std::size_t length = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf8 ? 4 : 0;
    if (length == 0) return false;
    char32_t code = length == 1 ? first : first & (0x7fU >> length);
    for (std::size_t k = 1; k < length; ++k) {
      if ((byte(i + k) & 0xc0U) != 0x80U) return false;
      code = code << 6 | (byte(i + k) & 0x3fU);
    }
    const bool surrogate = code >= 0xd800 && code < 0xe000;
    const bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
    if (code < kLeast[length] || code > 0x10ffff || surrogate || control) return false;
    i += length;
  }
  return true;
}

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
  if (spec.label.size() > 255 || !is_plain_text(spec.label)) {
    return fail(ErrorCode::BadInput, "a label is up to 255 bytes of UTF-8 without control characters");
  }
  return parse_blob_id(spec.input.blob.id.hex).map([](const BlobId&) {});
}

}  // namespace lapse::jobs
