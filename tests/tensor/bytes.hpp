#pragma once
// Literal bytes for the readers' tests.

#include <cstddef>
#include <cstring>
#include <lapse/tensor/tensor.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lapse::tensor {

inline std::span<const std::byte> bytes_of(std::string_view text) { return {reinterpret_cast<const std::byte*>(text.data()), text.size()}; }

/// A literal with NULs in it.
template <std::size_t N>
std::string literal(const char (&text)[N]) {
  return std::string(text, N - 1);
}

template <class T>
std::vector<T> values(const Tensor& tensor) {
  std::vector<T> result(tensor.bytes() / sizeof(T));
  if (!result.empty()) std::memcpy(result.data(), tensor.data(), tensor.bytes());
  return result;
}

template <class T>
Tensor tensor_of(DType dtype, Shape shape, const std::vector<T>& elements) {
  Tensor tensor = Tensor::make(dtype, std::move(shape)).value();
  if (!elements.empty()) std::memcpy(tensor.data(), elements.data(), tensor.bytes());
  return tensor;
}

}  // namespace lapse::tensor
