#pragma once
// How an element type lies in memory (`Stored`) and what it means (`Value`), for the code of this floor that reads or writes values.
// Not installed.

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <lapse/tensor/dtype.hpp>
#include <limits>

namespace lapse::tensor {

template <class T>
struct NativeElement {
  using Stored = T;
  using Value = T;
  static constexpr int kDigits = std::numeric_limits<T>::digits;
  static Value value(Stored stored) noexcept { return stored; }
  static Stored stored(Value value) noexcept { return value; }
};

struct BoolElement {
  using Stored = std::uint8_t;
  using Value = bool;
  static Value value(Stored stored) noexcept { return stored != 0; }
  static Stored stored(Value value) noexcept { return value ? 1 : 0; }
};

struct Float16Element {
  using Stored = std::uint16_t;
  using Value = float;
  static constexpr int kDigits = 11;
  static Value value(Stored stored) noexcept { return from_float16(stored); }
  static Stored stored(Value value) noexcept { return to_float16(value); }
};

struct BFloat16Element {
  using Stored = std::uint16_t;
  using Value = float;
  static constexpr int kDigits = 8;
  static Value value(Stored stored) noexcept { return from_bfloat16(stored); }
  static Stored stored(Value value) noexcept { return to_bfloat16(value); }
};

/// Calls `visitor` with an object of the element's type. `dtype` is not Unknown.
template <class Visitor>
auto visit_element(DType dtype, Visitor&& visitor) {
  switch (dtype) {
    case DType::UInt8:
      return visitor(NativeElement<std::uint8_t>{});
    case DType::Int8:
      return visitor(NativeElement<std::int8_t>{});
    case DType::UInt16:
      return visitor(NativeElement<std::uint16_t>{});
    case DType::Int16:
      return visitor(NativeElement<std::int16_t>{});
    case DType::UInt32:
      return visitor(NativeElement<std::uint32_t>{});
    case DType::Int32:
      return visitor(NativeElement<std::int32_t>{});
    case DType::UInt64:
      return visitor(NativeElement<std::uint64_t>{});
    case DType::Int64:
      return visitor(NativeElement<std::int64_t>{});
    case DType::Float16:
      return visitor(Float16Element{});
    case DType::BFloat16:
      return visitor(BFloat16Element{});
    case DType::Float32:
      return visitor(NativeElement<float>{});
    case DType::Float64:
      return visitor(NativeElement<double>{});
    case DType::Unknown:
      assert(false);
      [[fallthrough]];
    case DType::Bool:
      break;
  }
  return visitor(BoolElement{});
}

/// The value of element `index`; the memory need not be aligned.
template <class Element>
typename Element::Value value_at(const std::byte* data, std::size_t index) noexcept {
  typename Element::Stored stored;
  std::memcpy(&stored, data + index * sizeof(stored), sizeof(stored));
  return Element::value(stored);
}

template <class Element>
void set_value(std::byte* data, std::size_t index, typename Element::Value value) noexcept {
  const typename Element::Stored stored = Element::stored(value);
  std::memcpy(data + index * sizeof(stored), &stored, sizeof(stored));
}

}  // namespace lapse::tensor
