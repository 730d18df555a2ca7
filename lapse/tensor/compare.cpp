#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include <lapse/tensor/compare.hpp>
#include <limits>
#include <type_traits>

#include "lapse/tensor/element.hpp"

namespace lapse::tensor {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

/// |a - b|; 0 for two NaNs or equal infinities, infinite when only one side is NaN or infinite.
template <class Value>
double distance(Value a, Value b) {
  if (a == b) return 0.0;
  if constexpr (std::is_floating_point_v<Value>) {
    if (std::isnan(a) && std::isnan(b)) return 0.0;
    const double difference = std::abs(static_cast<double>(a) - static_cast<double>(b));
    return std::isnan(difference) ? kInfinite : difference;
  } else if constexpr (std::is_same_v<Value, bool>) {
    return 1.0;
  } else {
    // Exact modulo 2^64 even where a - b overflows.
    return static_cast<double>(static_cast<std::uint64_t>(std::max(a, b)) - static_cast<std::uint64_t>(std::min(a, b)));
  }
}

template <class Value>
bool within(double apart, Value expected, const Tolerance& tolerance) {
  if constexpr (!std::is_floating_point_v<Value>) return apart == 0.0;
  if (apart == 0.0) return true;
  if (!std::isfinite(apart)) return false;  // an infinite expectation would allow everything
  return apart <= tolerance.absolute + tolerance.relative * std::abs(static_cast<double>(expected));
}

/// "[0,3,1]" of a row-major index.
std::string place(std::size_t index, std::span<const std::int64_t> shape) {
  std::string text;
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    const auto size = static_cast<std::size_t>(shape[axis]);
    text = std::to_string(index % size) + (text.empty() ? "" : ",") + text;
    index /= size;
  }
  return "[" + text + "]";
}

struct Comparison {
  std::size_t outside = 0;
  std::size_t first_outside = 0;
  double largest = 0.0;
};

template <class Element>
Comparison compare(const TensorView& got, const TensorView& expected, const Tolerance& tolerance) {
  Comparison result;
  const std::size_t count = expected.bytes / sizeof(typename Element::Stored);
  for (std::size_t i = 0; i < count; ++i) {
    const auto wanted = value_at<Element>(expected.data, i);
    const double apart = distance(value_at<Element>(got.data, i), wanted);
    result.largest = std::max(result.largest, apart);
    if (within(apart, wanted, tolerance)) continue;
    if (result.outside++ == 0) result.first_outside = i;
  }
  return result;
}

template <class Element>
std::string describe(const Comparison& result, const TensorView& got, const TensorView& expected) {
  const std::size_t count = expected.bytes / sizeof(typename Element::Stored);
  return fmt::format("{} of {} elements differ, at most by {:.6g}; the first is {}: {} instead of {}", result.outside, count,
                     result.largest, place(result.first_outside, expected.shape), value_at<Element>(got.data, result.first_outside),
                     value_at<Element>(expected.data, result.first_outside));
}

/// Why the elements can't be set side by side; empty when they can.
std::string mismatch(const TensorView& got, const TensorView& expected) {
  if (got.dtype != expected.dtype) return fmt::format("type {} instead of {}", name(got.dtype), name(expected.dtype));
  if (!std::equal(got.shape.begin(), got.shape.end(), expected.shape.begin(), expected.shape.end())) {
    return fmt::format("shape {} instead of {}", to_string(got.shape), to_string(expected.shape));
  }
  if (got.bytes != expected.bytes) return fmt::format("{} bytes instead of {}", got.bytes, expected.bytes);
  if (got.dtype == DType::Unknown) return "of a type that lapse can't compare";
  return {};
}

}  // namespace

std::optional<Difference> difference(const TensorView& got, const TensorView& expected, const Tolerance& tolerance) {
  if (std::string why = mismatch(got, expected); !why.empty()) return Difference{.what = std::move(why)};
  return visit_element(expected.dtype, [&](auto element) -> std::optional<Difference> {
    using Element = decltype(element);
    const Comparison result = compare<Element>(got, expected, tolerance);
    if (result.outside == 0) return std::nullopt;
    return Difference{describe<Element>(result, got, expected), result.outside, result.largest};
  });
}

double largest_difference(const TensorView& a, const TensorView& b) {
  if (!mismatch(a, b).empty()) return kInfinite;
  return visit_element(a.dtype, [&](auto element) { return compare<decltype(element)>(a, b, {}).largest; });
}

std::size_t count_non_finite(const TensorView& tensor) {
  if (!is_floating(tensor.dtype)) return 0;
  return visit_element(tensor.dtype, [&](auto element) {
    using Element = decltype(element);
    std::size_t count = 0;
    for (std::size_t i = 0; i < tensor.bytes / sizeof(typename Element::Stored); ++i) {
      count += std::isfinite(static_cast<double>(value_at<Element>(tensor.data, i))) ? 0U : 1U;
    }
    return count;
  });
}

}  // namespace lapse::tensor
