#include <fmt/format.h>

#include <cmath>
#include <lapse/serve/oip/request_reader.hpp>
#include <lapse/tensor/element.hpp>
#include <type_traits>
#include <utility>

namespace lapse::serve::oip {
namespace {

// Writes one element; false when the type has no such value.
template <class Element>
bool put(std::byte* data, std::size_t index, const Scalar& scalar) {
  using Value = typename Element::Value;
  using Kind = Scalar::Kind;
  Value value{};
  if constexpr (std::is_same_v<Value, bool>) {
    const bool number = scalar.kind == Kind::Unsigned && scalar.magnitude <= 1;
    if (scalar.kind != Kind::Bool && !number) return false;
    value = scalar.truth || scalar.magnitude == 1;
  } else if constexpr (std::is_integral_v<Value>) {
    if (scalar.kind == Kind::Unsigned && std::in_range<Value>(scalar.magnitude)) {
      value = static_cast<Value>(scalar.magnitude);
    } else if (scalar.kind == Kind::Negative && std::in_range<Value>(scalar.negative)) {
      value = static_cast<Value>(scalar.negative);
    } else {
      return false;
    }
  } else {
    if (scalar.kind == Kind::Bool) return false;
    value = scalar.kind == Kind::Real       ? static_cast<Value>(scalar.real)
            : scalar.kind == Kind::Unsigned ? static_cast<Value>(scalar.magnitude)
                                            : static_cast<Value>(scalar.negative);
    if (!std::isfinite(Element::value(Element::stored(value)))) return false;  // JSON has no infinity: it was too large
  }
  tensor::set_value<Element>(data, index, value);
  return true;
}

}  // namespace

bool RequestReader::start_data() {
  InputPart& input = inputs_.back();
  input.has_data = true;
  const InputPart& told = known_ != nullptr ? (*known_)[inputs_.size() - 1] : input;
  if (!told.dtype || !told.shape) {
    unfinished_ = true;
    return enter(Place::Other);
  }
  const auto count = tensor::element_count(*told.shape);
  // An element takes a digit and a comma at least: no small request makes a large tensor.
  if (!count || *count > json_bytes_ / 2) {
    return refuse(fmt::format("{}: a shape of {} has more elements than the request", where(), tensor::to_string(*told.shape)));
  }
  auto tensor = tensor::Tensor::make(*told.dtype, *told.shape);
  if (!tensor) return refuse(where() + ": " + tensor.error().message, tensor.error().hint, tensor.error().code);
  input.tensor = std::move(*tensor);
  put_ = tensor::visit_element(*told.dtype, []<class Element>(Element) -> Put { return &put<Element>; });
  count_ = *count;
  next_ = 0;
  nested_ = false;
  row_.assign(1, 0);
  return enter(Place::Data);
}

bool RequestReader::start_row() {
  const tensor::Shape& shape = inputs_.back().tensor.shape();
  if (row_.size() == 1 && row_[0] == 0) nested_ = true;
  if (!nested_ || row_.size() >= shape.size())
    return refuse(fmt::format("{}: data of shape {} are nested otherwise", where(), tensor::to_string(shape)));
  ++row_.back();
  row_.push_back(0);
  return enter(Place::Data);
}

bool RequestReader::end_row() {
  const tensor::Shape& shape = inputs_.back().tensor.shape();
  const std::size_t level = row_.size() - 1;
  const bool right = nested_ ? row_[level] == shape[level] : next_ == count_;
  if (!right) {
    const auto wanted = nested_ ? static_cast<std::uint64_t>(shape[level]) : count_;
    return refuse(fmt::format("{}: shape {} wants {} elements, and {} are there{}", where(), tensor::to_string(shape), wanted, row_[level],
                              nested_ ? fmt::format(" in a list of level {}", level + 1) : ""));
  }
  row_.pop_back();
  return true;
}

bool RequestReader::element(const Scalar& value) {
  tensor::Tensor& tensor = inputs_.back().tensor;
  if (nested_ && row_.size() != tensor.shape().size()) {
    return refuse(fmt::format("{}: data of shape {} are nested otherwise", where(), tensor::to_string(tensor.shape())));
  }
  if (next_ == count_) {
    return refuse(fmt::format("{}: shape {} wants {} elements, and more are there", where(), tensor::to_string(tensor.shape()), count_));
  }
  if (!put_(tensor.data(), next_, value)) return refuse(fmt::format("{}: element {} is no {}", where(), next_, datatype(tensor.dtype())));
  ++next_;
  ++row_.back();
  return true;
}

}  // namespace lapse::serve::oip
