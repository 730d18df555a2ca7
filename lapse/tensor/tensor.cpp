#include <fmt/format.h>
#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <lapse/host/memory.hpp>
#include <lapse/tensor/tensor.hpp>
#include <limits>

namespace lapse::tensor {
namespace {

constexpr std::size_t kAlignment = 64;  // a cache line, and the widest vector register
constexpr std::size_t kAskFrom = std::size_t{1} << 20;  // asking takes 0.1 ms, and no smaller tensor breaks a machine
constexpr auto kMostBytes = static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max());

std::string format_bytes(std::uint64_t bytes) {
  constexpr double kMebi = 1024.0 * 1024.0;
  const double size = static_cast<double>(bytes);
  if (size < kMebi) return fmt::format("{} bytes", bytes);
  return size < 1024.0 * kMebi ? fmt::format("{:.1f} MiB", size / kMebi) : fmt::format("{:.1f} GiB", size / kMebi / 1024.0);
}

tl::unexpected<Error> too_large(std::string what) {
  return fail(ErrorCode::OutOfMemory, std::move(what), "make the batch or another dimension smaller");
}

/// One dimension from the front of `text`, which it shortens. Digits only: no sign, no space.
bool take_dimension(std::string_view& text, std::int64_t& dimension) {
  if (text.empty() || text.front() < '0' || text.front() > '9') return false;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), dimension);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return status == std::errc{};
}

}  // namespace

std::string to_string(std::span<const std::int64_t> shape) {
  if (shape.empty()) return "scalar";
  std::string text;
  for (const std::int64_t dimension : shape) {
    if (!text.empty()) text += 'x';
    text += dimension < 0 ? "?" : std::to_string(dimension);
  }
  return text;
}

Result<Shape> parse_shape(std::string_view text) {
  if (text == "scalar") return Shape{};
  Shape shape;
  for (std::string_view rest = text;;) {
    std::int64_t dimension = 0;
    if (!take_dimension(rest, dimension)) break;
    shape.push_back(dimension);
    if (rest.empty()) return shape;
    if (rest.front() != 'x' && rest.front() != ',') break;
    rest.remove_prefix(1);
  }
  return fail(ErrorCode::BadInput, fmt::format("'{}' is not a shape", text), "write its dimensions as 1x3x224x224, or scalar");
}

Result<std::size_t> element_count(std::span<const std::int64_t> shape) {
  if (std::any_of(shape.begin(), shape.end(), [](std::int64_t dimension) { return dimension < 0; })) {
    return fail(ErrorCode::BadInput, fmt::format("shape {} has a negative dimension", to_string(shape)));
  }
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return 0;
  std::size_t count = 1;
  for (const std::int64_t dimension : shape) {
    if (static_cast<std::size_t>(dimension) > kMostBytes / count) {
      return too_large(fmt::format("shape {} has more elements than any memory", to_string(shape)));
    }
    count *= static_cast<std::size_t>(dimension);
  }
  return count;
}

Result<std::size_t> byte_size(DType dtype, std::span<const std::int64_t> shape) {
  const std::size_t element = size_of(dtype);
  if (element == 0) return fail(ErrorCode::BadInput, "a tensor of unknown element type has no size");
  LAPSE_TRY(const std::size_t count, element_count(shape));
  if (count > kMostBytes / element) return too_large(fmt::format("{} {} has more bytes than any memory", name(dtype), to_string(shape)));
  return count * element;
}

Result<Tensor> Tensor::make(DType dtype, Shape shape) {
  LAPSE_TRY(const std::size_t bytes, byte_size(dtype, shape));
  const auto available = bytes < kAskFrom ? std::nullopt : host::available();
  if (available && bytes > *available) {
    return too_large(fmt::format("a tensor of {} {} takes {}, and {} are left", name(dtype), to_string(shape), format_bytes(bytes),
                                 format_bytes(*available)));
  }
  // An empty tensor has an address too: some engines take null for "no tensor".
  const std::size_t whole_lines = std::max<std::size_t>(1, (bytes + kAlignment - 1) / kAlignment) * kAlignment;
  Tensor tensor;
  tensor.data_.reset(static_cast<std::byte*>(std::aligned_alloc(kAlignment, whole_lines)));
  if (!tensor.data_) {
    return too_large(fmt::format("no memory for a tensor of {} {} ({})", name(dtype), to_string(shape), format_bytes(bytes)));
  }
  std::memset(tensor.data_.get(), 0, whole_lines);
  tensor.dtype_ = dtype;
  tensor.shape_ = std::move(shape);
  tensor.bytes_ = bytes;
  return tensor;
}

void Tensor::Free::operator()(std::byte* memory) const noexcept { std::free(memory); }

void Tensor::reinterpret_as(DType dtype) noexcept {
  assert(size_of(dtype) == size_of(dtype_));
  dtype_ = dtype;
}

}  // namespace lapse::tensor
