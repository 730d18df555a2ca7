#include "cli/turn_lines.hpp"

#include <fmt/format.h>

#include <sstream>

namespace lapse::cli {
namespace {

constexpr const char* kWarmUp = "warm-up";
constexpr const char* kBlock = "block";
constexpr const char* kDone = "done";
constexpr const char* kRested = "rested";
constexpr const char* kRestless = "restless";

}  // namespace

std::string line_of(const measuring::Turn& turn) { return fmt::format("{} {}", turn.warm_up ? kWarmUp : kBlock, turn.length.count()); }

std::string line_of(const TurnDone& done) {
  return fmt::format("{} {} {} {} {}", kDone, done.block.runs, done.block.median.count(), done.block.took.count(),
                     done.rested ? kRested : kRestless);
}

std::optional<measuring::Turn> read_turn(std::string_view line) {
  std::istringstream words{std::string(line)};
  std::string kind;
  Duration::rep length = 0;
  if (!(words >> kind >> length) || (kind != kWarmUp && kind != kBlock)) return std::nullopt;
  return measuring::Turn{kind == kWarmUp, Duration{length}};
}

std::optional<TurnDone> read_done(std::string_view line) {
  std::istringstream words{std::string(line)};
  std::string kind, rest;
  std::size_t runs = 0;
  Duration::rep median = 0, took = 0;
  if (!(words >> kind >> runs >> median >> took >> rest) || kind != kDone) return std::nullopt;
  return TurnDone{{runs, Duration{median}, Duration{took}}, rest == kRested};
}

}  // namespace lapse::cli
