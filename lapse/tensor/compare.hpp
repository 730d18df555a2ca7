#pragma once
// Is this the expected answer?

#include <cstddef>
#include <lapse/tensor/tensor.hpp>
#include <optional>
#include <string>

namespace lapse::tensor {

/// |got - expected| ≤ absolute + relative · |expected|, element by element, as numpy.testing.assert_allclose has it.
/// Integers and bools must be equal. NaN equals NaN, an infinity equals the same infinity.
struct Tolerance {
  double relative = 1e-3;
  double absolute = 1e-5;
};

struct Difference {
  std::string what;               // one line: "shape 1x10 instead of 1x1000", "3 of 1000 elements differ, …"
  std::size_t elements = 0;       // how many are outside the tolerance; 0 when type or shape differ
  double largest_absolute = 0.0;  // over all elements; infinite when only one side is NaN or infinite
};

/// Nothing when `got` is the expected answer.
std::optional<Difference> difference(const TensorView& got, const TensorView& expected, const Tolerance& tolerance);

/// The largest |a - b| over all elements of two tensors of one type and shape; infinite when they can't be compared.
double largest_difference(const TensorView& a, const TensorView& b);

/// NaN or infinite elements of a floating tensor; 0 for every other type.
std::size_t count_non_finite(const TensorView& tensor);

}  // namespace lapse::tensor
