#include <fmt/format.h>

#include <lapse/engine/builtin.hpp>
#include <utility>

namespace lapse::engine::builtin {
namespace {

thread_local std::string last_message;
thread_local std::string last_hint;

constexpr int64_t kDims[] = {-1, kColumns};
constexpr const char* kDimNames[] = {"batch", nullptr};

}  // namespace

const lapse_port kInput{"x", LAPSE_FLOAT32, 2, kDims, kDimNames};
const lapse_port kOutput{"y", LAPSE_FLOAT32, 2, kDims, kDimNames};

lapse_status failed(lapse_status status, std::string message, std::string hint) noexcept {
  last_message = std::move(message);
  last_hint = std::move(hint);
  return status;
}

const char* error() noexcept { return last_message.c_str(); }
const char* hint() noexcept { return last_hint.c_str(); }

lapse_status check_input(const lapse_tensor* inputs, size_t count) noexcept {
  if (count != 1) return failed(LAPSE_BAD_INPUT, fmt::format("one input is expected, not {}", count), "the input is x, float32 batch x 4");
  const lapse_tensor& input = inputs[0];
  if (input.dtype != LAPSE_FLOAT32)
    return failed(LAPSE_BAD_INPUT, "input x is float32", "leave the type out, or write --shape x:float32=1x4");
  if (input.rank != 2 || input.dims[1] != kColumns) {
    return failed(LAPSE_BAD_INPUT, "input x has the shape batch x 4", "write --shape x=1x4, or --batch N");
  }
  return LAPSE_OK;
}

}  // namespace lapse::engine::builtin
