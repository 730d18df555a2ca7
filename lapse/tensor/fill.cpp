// Every step is exact or correctly rounded by IEEE 754 (+ - * / sqrt, no fused multiply-add: see CMakeLists.txt), because the C library's
// logarithm and sine differ in the last bit from one machine to the next, and the standard distributions from one library to the next.

#include <fmt/format.h>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <lapse/tensor/fill.hpp>
#include <limits>
#include <numbers>
#include <random>
#include <type_traits>

#include "lapse/tensor/element.hpp"

namespace lapse::tensor {
namespace {

using Random = std::mt19937_64;  // its output is fixed by the standard
__extension__ using Wide = unsigned __int128;

constexpr std::string_view kForms = "one of default, normal, uniform, zeros, ints:LOW..HIGH";

/// A multiple of 2^-digits in [0, 1), which the element type holds exactly, so that none is rounded up to 1.
double uniform(Random& random, int digits) {
  return static_cast<double>(random() >> (64 - digits)) / static_cast<double>(std::uint64_t{1} << digits);
}

/// low … high, both included. A value is at most 2^-64 · (high - low) more likely than another, relatively.
std::int64_t integer(Random& random, std::int64_t low, std::int64_t high) {
  const std::uint64_t last = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  const auto offset = static_cast<std::uint64_t>((static_cast<Wide>(random()) * (static_cast<Wide>(last) + 1)) >> 64);
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + offset);
}

/// ln(x) for 2^-53 ≤ x ≤ 1, error below 1e-14: x = m · 2^e, ln(m) = 2 artanh((m - 1) / (m + 1)).
double logarithm(double x) {
  const auto bits = std::bit_cast<std::uint64_t>(x);
  auto exponent = static_cast<double>(static_cast<int>(bits >> 52) - 1023);
  auto mantissa = std::bit_cast<double>((bits & 0x000FFFFFFFFFFFFFU) | 0x3FF0000000000000U);
  if (mantissa > std::numbers::sqrt2) {
    mantissa /= 2.0;
    exponent += 1.0;
  }
  const double z = (mantissa - 1.0) / (mantissa + 1.0);
  const double s = z * z;
  double sum = 1.0 / 17;
  for (const double coefficient : {1.0 / 15, 1.0 / 13, 1.0 / 11, 1.0 / 9, 1.0 / 7, 1.0 / 5, 1.0 / 3, 1.0}) sum = sum * s + coefficient;
  return 2.0 * z * sum + exponent * std::numbers::ln2;
}

struct Point {
  double x;
  double y;
};

/// A random point on the unit circle: two bits choose an axis, the others an angle within 45° of it, where Taylor's series of the sine and
/// the cosine are short (error below 1e-12).
Point on_circle(Random& random) {
  const std::uint64_t bits = random();
  const double angle = (static_cast<double>(bits >> 11) * 0x1p-53 - 0.5) * (std::numbers::pi / 2.0);
  const double s = angle * angle;
  double cosine = 1.0;
  double sine = 1.0;
  for (const double factor : {1.0 / (11 * 12), 1.0 / (9 * 10), 1.0 / (7 * 8), 1.0 / (5 * 6), 1.0 / (3 * 4), 1.0 / 2}) {
    cosine = 1.0 - cosine * s * factor;
  }
  for (const double factor : {1.0 / (12 * 13), 1.0 / (10 * 11), 1.0 / (8 * 9), 1.0 / (6 * 7), 1.0 / (4 * 5), 1.0 / (2 * 3)}) {
    sine = 1.0 - sine * s * factor;
  }
  sine *= angle;
  switch (bits & 3U) {  // the angle does not use these
    case 0:
      return {cosine, sine};
    case 1:
      return {-sine, cosine};
    case 2:
      return {-cosine, -sine};
    default:
      return {sine, -cosine};
  }
}

/// Two independent standard normal values (Box & Muller, 1958).
Point normal_pair(Random& random) {
  const double not_zero = static_cast<double>((random() >> 11) + 1) * 0x1p-53;
  const double radius = std::sqrt(-2.0 * logarithm(not_zero));
  const Point direction = on_circle(random);
  return {radius * direction.x, radius * direction.y};
}

template <class Element>
void fill_normal(std::byte* data, std::size_t count, Random& random) {
  using Value = typename Element::Value;
  for (std::size_t i = 0; i < count; i += 2) {
    const Point pair = normal_pair(random);
    set_value<Element>(data, i, static_cast<Value>(pair.x));
    if (i + 1 < count) set_value<Element>(data, i + 1, static_cast<Value>(pair.y));
  }
}

struct Range {
  std::int64_t low;
  std::int64_t high;
};

/// The integers that an element type can be asked for.
template <class Element>
constexpr Range range_of() {
  using Value = typename Element::Value;
  using Limits = std::numeric_limits<std::int64_t>;
  if constexpr (std::is_same_v<Element, Float16Element>) {
    return {-65504, 65504};
  } else if constexpr (std::is_floating_point_v<Value> || sizeof(Value) == sizeof(std::int64_t)) {
    return {std::is_unsigned_v<Value> ? 0 : Limits::min(), Limits::max()};
  } else {
    return {std::numeric_limits<Value>::min(), std::numeric_limits<Value>::max()};
  }
}

template <class Element>
Result<void> fill_elements(Tensor& tensor, const Fill& how, Random& random) {
  using Value = typename Element::Value;
  const std::size_t count = tensor.bytes() / sizeof(typename Element::Stored);
  if constexpr (std::is_floating_point_v<Value>) {
    if (how.kind == Fill::Kind::Default || how.kind == Fill::Kind::Normal) {
      fill_normal<Element>(tensor.data(), count, random);
      return {};
    }
    if (how.kind == Fill::Kind::Uniform) {
      for (std::size_t i = 0; i < count; ++i) set_value<Element>(tensor.data(), i, static_cast<Value>(uniform(random, Element::kDigits)));
      return {};
    }
  } else if (how.kind == Fill::Kind::Normal || how.kind == Fill::Kind::Uniform) {
    return fail(ErrorCode::BadInput, fmt::format("{} values can't fill a tensor of {}", to_string(how), name(tensor.dtype())),
                "use ints:LOW..HIGH or zeros");
  }
  const Range asked = how.kind == Fill::Kind::Integers ? Range{how.low, how.high} : Range{0, 1};
  constexpr Range kHeld = range_of<Element>();
  if (asked.low > asked.high || asked.low < kHeld.low || asked.high > kHeld.high) {
    return fail(ErrorCode::BadInput,
                fmt::format("{} does not fit {}, which holds {}..{}", to_string(how), name(tensor.dtype()), kHeld.low, kHeld.high));
  }
  for (std::size_t i = 0; i < count; ++i) set_value<Element>(tensor.data(), i, static_cast<Value>(integer(random, asked.low, asked.high)));
  return {};
}

bool take_integer(std::string_view& text, std::int64_t& number) {
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return status == std::errc{};
}

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

}  // namespace

Result<Fill> parse_fill(std::string_view text) {
  if (text == "default") return Fill{};
  if (text == "normal") return Fill{.kind = Fill::Kind::Normal};
  if (text == "uniform") return Fill{.kind = Fill::Kind::Uniform};
  if (text == "zeros") return Fill{.kind = Fill::Kind::Zeros};
  Fill integers{.kind = Fill::Kind::Integers};
  std::string_view rest = text;
  if (take(rest, "ints:") && take_integer(rest, integers.low) && take(rest, "..") && take_integer(rest, integers.high) && rest.empty() &&
      integers.low <= integers.high) {
    return integers;
  }
  return fail(ErrorCode::BadInput, fmt::format("'{}' is not a way to fill an input", text), std::string(kForms));
}

std::string to_string(const Fill& how) {
  switch (how.kind) {
    case Fill::Kind::Default:
      return "default";
    case Fill::Kind::Normal:
      return "normal";
    case Fill::Kind::Uniform:
      return "uniform";
    case Fill::Kind::Zeros:
      return "zeros";
    case Fill::Kind::Integers:
      break;
  }
  return fmt::format("ints:{}..{}", how.low, how.high);
}

Result<void> fill(Tensor& tensor, const Fill& how, std::uint64_t seed) {
  if (tensor.bytes() == 0) return {};
  if (how.kind == Fill::Kind::Zeros) {
    std::memset(tensor.data(), 0, tensor.bytes());
    return {};
  }
  Random random(seed);
  return visit_element(tensor.dtype(), [&](auto element) { return fill_elements<decltype(element)>(tensor, how, random); });
}

}  // namespace lapse::tensor
