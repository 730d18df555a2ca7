// Durations that somebody recorded: any bytes are refused on one line or read, and it makes no difference in which pieces they come.

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <lapse/base/time.hpp>
#include <lapse/report/durations.hpp>
#include <string_view>

using namespace lapse;
using namespace lapse::report;

namespace {

void demand(bool fact) {
  if (!fact) std::abort();
}

Result<Durations> read(std::string_view text, const DurationFormat& format, std::size_t piece) {
  DurationReader reader(format);
  while (!text.empty()) {
    LAPSE_CHECK(reader.add(text.substr(0, piece)));
    text.remove_prefix(std::min(piece, text.size()));
  }
  return reader.finish();
}

}  // namespace

// The first byte: what is asked for, and how long the pieces are.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr const char* kColumns[] = {"", "", "1", "3", "x", "submit_ns", "18446744073709551616", "a\"b"};
  constexpr const char* kUnits[] = {"", "ms"};
  const DurationFormat format{.unit = kUnits[data[0] >> 3 & 1], .column = kColumns[data[0] & 7], .most = 1000};
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);

  const auto whole = read(text, format, text.npos);
  const auto pieces = read(text, format, 1U + (data[0] >> 4));
  demand(whole.has_value() == pieces.has_value());
  if (!whole) {
    const Error& error = whole.error();
    demand(error.code == ErrorCode::BadInput && !error.message.empty() && !error.hint.empty());
    demand((error.message + error.hint).find('\n') == std::string::npos && error.message == pieces.error().message);
    return 0;
  }
  demand(!whole->ns.empty() && whole->ns == pieces->ns && whole->series == pieces->series && whole->unit == pieces->unit);
  for (const double ns : whole->ns) demand(std::isfinite(ns) && ns >= 0 && ns <= kLongestDuration);
  return 0;
}
