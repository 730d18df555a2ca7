#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <lapse/stats/changepoints.hpp>
#include <lapse/stats/course.hpp>
#include <lapse/stats/normal_scores.hpp>
#include <lapse/stats/student.hpp>
#include <limits>
#include <numbers>
#include <numeric>
#include <optional>

namespace lapse::stats {
namespace {

constexpr std::size_t kFewestRuns = 30;    // below, a change of three deviations can't be told from chance
constexpr std::size_t kMostBlocks = 2048;  // PELT is quadratic where nothing changes
constexpr std::size_t kShortest = 5;       // blocks of a segment
constexpr double kMostDependence = 0.99;
// Cycles: at least five of them, each of ten runs or more. A shorter pattern (input sets that take turns) is the same in every stretch.
constexpr std::size_t kFewestCycles = 5;
constexpr double kShortestCycle = 10.0;
constexpr std::size_t kEnds = 10;        // a tenth of the runs is an end
constexpr double kTrendByChance = 3e-5;  // on either side: four standard errors of a slope from many runs
constexpr double kFewestForTrend = 4.0;  // independent runs
constexpr double kLine = 30.0;           // a frequency that holds so many times what its neighbours hold: e^-30 by chance

// Of values that are 0 or more, without a copy, as a series may be too long for one: their order is that of their bits, and the median's
// are found a byte at a time.
double median_of(std::span<const double> values) {
  std::uint64_t found = 0;
  std::size_t rank = values.size() / 2;
  for (int shift = 56; shift >= 0; shift -= 8) {
    std::array<std::size_t, 256> counts{};
    for (const double value : values) {
      const auto bits = std::bit_cast<std::uint64_t>(value) >> shift;
      if (bits >> 8 == found) ++counts[bits & 0xFF];
    }
    std::size_t byte = 0;
    while (rank >= counts[byte]) rank -= counts[byte++];
    found = found << 8 | byte;
  }
  return std::bit_cast<double>(found);
}

// Means of blocks of `length`; the last one takes what is left over.
std::vector<double> in_blocks(std::span<const double> values, std::size_t length) {
  std::vector<double> out;
  for (std::size_t first = 0; first + length <= values.size(); first += length) {
    const std::size_t end = first + 2 * length > values.size() ? values.size() : first + length;
    const auto block = values.subspan(first, end - first);
    out.push_back(std::accumulate(block.begin(), block.end(), 0.0) / static_cast<double>(block.size()));
  }
  return out;
}

// Of an AR(1), from differences, which changes of level leave alone: mean squares at lags 2 and 1 are as 1 + phi to 1.
double first_order_dependence(std::span<const double> series) {
  double one = 0.0, two = 0.0;
  for (std::size_t i = 2; i < series.size(); ++i) {
    one += (series[i] - series[i - 1]) * (series[i] - series[i - 1]);
    two += (series[i] - series[i - 2]) * (series[i] - series[i - 2]);
  }
  return one > 0.0 ? std::clamp(two / one - 1.0, 0.0, kMostDependence) : 0.0;
}

// The series without its dependence, of variance 1.
std::vector<double> whitened(std::span<const double> series, double phi) {
  std::vector<double> out(series.size());
  out[0] = (1.0 - phi) * series[0];
  for (std::size_t i = 1; i < series.size(); ++i) out[i] = series[i] - phi * series[i - 1];
  const double mean = std::accumulate(out.begin(), out.end(), 0.0) / static_cast<double>(out.size());
  double squares = 0.0;
  for (const double value : out) squares += (value - mean) * (value - mean);
  const double deviation = std::sqrt(squares / static_cast<double>(out.size()));
  for (double& value : out) value = deviation > 0.0 ? (value - mean) / deviation : 0.0;
  return out;
}

// The power of frequency k of the series under a Hann window, which keeps a line from leaking into its surroundings.
std::vector<double> periodogram(std::span<const double> series, std::size_t highest) {
  const std::size_t n = series.size();
  const double mean = std::accumulate(series.begin(), series.end(), 0.0) / static_cast<double>(n);
  std::vector<double> windowed(n), power(highest + 1, 0.0);
  const double turn = 2.0 * std::numbers::pi / static_cast<double>(n);
  for (std::size_t i = 0; i < n; ++i) windowed[i] = (series[i] - mean) * (1.0 - std::cos(turn * (static_cast<double>(i) + 0.5)));
  for (std::size_t k = 1; k <= highest; ++k) {  // Goertzel's recurrence
    const double twice_cosine = 2.0 * std::cos(turn * static_cast<double>(k));
    double now = 0.0, before = 0.0;
    for (const double value : windowed) {
      const double next = value + twice_cosine * now - before;
      before = now;
      now = next;
    }
    power[k] = now * now + before * before - twice_cosine * now * before;
  }
  return power;
}

// Runs that one cycle takes; nothing where no frequency stands out.
std::optional<double> cycle(std::span<const double> white, std::size_t runs) {
  constexpr std::size_t kNear = 3, kWide = 20;  // frequencies to the side: part of the line; its surroundings
  const auto shortest = std::max(4.0, kShortestCycle * static_cast<double>(white.size()) / static_cast<double>(runs));
  const auto highest = static_cast<std::size_t>(static_cast<double>(white.size()) / shortest);
  if (highest < kFewestCycles) return std::nullopt;
  const std::vector<double> power = periodogram(white, std::min(highest + kWide, white.size() / 2));
  std::size_t strongest = 0;
  double most = kLine;
  for (std::size_t k = kFewestCycles; k <= highest; ++k) {
    std::vector<double> around;
    for (std::size_t j = k > kWide ? k - kWide : 1; j < power.size() && j <= k + kWide; ++j) {
      if (j + kNear < k || j > k + kNear) around.push_back(power[j]);
    }
    if (around.empty()) continue;
    const double background = median_of(around) / std::numbers::ln2;  // of an exponential distribution
    if (background > 0.0 && power[k] > most * background) {
      most = power[k] / background;
      strongest = k;
    }
  }
  if (strongest == 0) return std::nullopt;
  return static_cast<double>(runs) / static_cast<double>(strongest);
}

// By how much the level goes up and down over a cycle, relative to it: medians of its tenths.
double swing(std::span<const double> series, double length) {
  constexpr std::size_t kParts = 10;
  std::vector<std::vector<float>> parts(kParts);  // half the memory, and much finer than the band
  for (std::size_t i = 0; i < series.size(); ++i) {
    const double phase = std::fmod(static_cast<double>(i), length) / length;
    parts[std::min(kParts - 1, static_cast<std::size_t>(phase * kParts))].push_back(static_cast<float>(series[i]));
  }
  double low = std::numeric_limits<double>::infinity(), high = 0.0;
  for (auto& part : parts) {
    if (part.empty()) continue;
    const auto middle = part.begin() + static_cast<std::ptrdiff_t>(part.size() / 2);
    std::ranges::nth_element(part, middle);
    low = std::min(low, static_cast<double>(*middle));
    high = std::max(high, static_cast<double>(*middle));
  }
  return (high - low) / median_of(series);
}

// Is the level still moving, all the way through? By a straight line through whitened scores, and what its ends differ by.
bool moves(std::span<const double> series, std::span<const double> white, double phi) {
  const std::size_t end = series.size() / kEnds;
  if (end == 0) return false;
  const double first = median_of(series.first(end)), last = median_of(series.last(end));
  if (std::abs(last - first) <= kBand * first) return false;
  const double n = static_cast<double>(white.size()), middle = (n - 1.0) / 2.0;
  double slope = 0.0;
  for (std::size_t i = 0; i < white.size(); ++i) slope += (static_cast<double>(i) - middle) * white[i];
  // The dependence is an estimate, too: what its upper end would leave of the slope is what counts.
  const double most = std::min(kMostDependence, phi + 2.0 * std::sqrt((1.0 - phi * phi) / n));
  const double independent = n * (1.0 - most) / (1.0 + most);
  if (independent <= kFewestForTrend) return false;
  const double errors = std::abs(slope) / std::sqrt(n * (n * n - 1.0) / 12.0) * (1.0 - most) / (1.0 - phi);
  return errors > student_quantile(1.0 - kTrendByChance, independent - 2.0);
}

bool equivalent(double level, double other) { return std::abs(level - other) <= kBand * std::abs(other); }

}  // namespace

std::string_view name(Course course) noexcept {
  switch (course) {
    case Course::TooShort:
      return "too-short";
    case Course::Flat:
      return "flat";
    case Course::WarmUp:
      return "warm-up";
    case Course::Slowdown:
      return "slowdown";
    case Course::NoSteadyState:
      break;
  }
  return "no-steady-state";
}

Steadiness examine_course(std::span<const double> series) {
  Steadiness out;
  if (series.size() < kFewestRuns) return out;
  const std::size_t length = (series.size() + kMostBlocks - 1) / kMostBlocks;
  const std::vector<double> scores = normal_scores(in_blocks(series, length));
  std::vector<std::size_t> begins = changepoints(whitened(scores, first_order_dependence(scores)), kShortest);
  begins.insert(begins.begin(), 0);
  for (std::size_t i = 0; i < begins.size(); ++i) {
    const std::size_t first = begins[i] * length;
    const std::size_t end = i + 1 < begins.size() ? begins[i + 1] * length : series.size();
    out.segments.push_back({first, end - first, median_of(series.subspan(first, end - first))});
  }

  // Back from the end as far as the level stays.
  const double level = out.segments.back().median;
  std::size_t steady = out.segments.size() - 1;
  while (steady > 0 && equivalent(out.segments[steady - 1].median, level)) --steady;
  const std::size_t from = out.segments[steady].first;
  const auto part = series.subspan(from);
  const auto changes = std::span(out.segments).first(steady);

  const std::vector<double> part_scores = normal_scores(in_blocks(part, length));
  const double phi = first_order_dependence(part_scores);
  const std::vector<double> white = whitened(part_scores, phi);
  if (const auto found = cycle(white, part.size()); found && swing(part, *found) > kBand) {
    out.verdict = Course::NoSteadyState;
    out.cycle = *found;
  } else if (moves(part, white, phi)) {
    out.verdict = Course::NoSteadyState;
  } else if (changes.empty()) {
    out.verdict = Course::Flat;
  } else if (static_cast<double>(part.size()) < kSteadyShare * static_cast<double>(series.size()) ||
             equivalent(changes.front().median, level)) {
    out.verdict = Course::NoSteadyState;  // it still moves at the end; or it went away and came back
  } else {
    const bool faster =
        std::ranges::any_of(changes, [&](const Segment& segment) { return segment.median < level && !equivalent(segment.median, level); });
    out.verdict = faster ? Course::Slowdown : Course::WarmUp;
    out.steady_from = from;
  }
  return out;
}

}  // namespace lapse::stats
