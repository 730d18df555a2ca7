#pragma once
// Seeded input data: the same seed gives the same bytes on every machine.

#include <cstdint>
#include <lapse/tensor/tensor.hpp>
#include <string>
#include <string_view>

namespace lapse::tensor {

struct Fill {
  enum class Kind {
    Default,  // normal for floating types, 0 or 1 for integers (a valid index into any table of two or more rows), fair coin for bool
    Normal,   // mean 0, standard deviation 1
    Uniform,  // [0, 1)
    Zeros,
    Integers,  // low … high, both included
  };
  Kind kind = Kind::Default;
  std::int64_t low = 0;
  std::int64_t high = 1;
  bool operator==(const Fill&) const = default;
};

/// "normal", "uniform", "zeros", "ints:0..30521". Error: BadInput, with the list.
Result<Fill> parse_fill(std::string_view text);
std::string to_string(const Fill& fill);
/// Error: BadInput when the kind can't be held by the element type (normal or uniform in an integer, ints outside its range).
Result<void> fill(Tensor& tensor, const Fill& how, std::uint64_t seed);

}  // namespace lapse::tensor
