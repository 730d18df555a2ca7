#pragma once
// The model that null and sim share: one float32 tensor x [batch, 4] in, one y of the same shape out.

#include <lapse/engine/abi.h>

#include <cstdint>
#include <lapse/engine/plugin/ports.hpp>
#include <span>
#include <vector>

namespace lapse::engine {

struct SmallModel {
  plugin::Ports inputs{{plugin::Port{"x", LAPSE_FLOAT32, std::vector<std::int64_t>{-1, 4}, {"batch", ""}}}};
  plugin::Ports outputs{{plugin::Port{"y", LAPSE_FLOAT32, std::vector<std::int64_t>{-1, 4}, {"batch", ""}}}};

  lapse_session_info info(const char* device, bool asynchronous, bool concurrent) const noexcept {
    return plugin::session_info(inputs, outputs, device, asynchronous, concurrent, 1);
  }
};

/// An output y of the shape of `input`, with values of its own. Stays where it is made: the view points into it.
class SmallOutput {
 public:
  explicit SmallOutput(const lapse_tensor& input)
      : source_(static_cast<const float*>(input.data)), dims_(input.dims, input.dims + 2), values_(input.bytes / sizeof(float)) {
    view_ = {LAPSE_FLOAT32, 2, dims_.data(), values_.data(), input.bytes};
  }
  SmallOutput(const SmallOutput&) = delete;
  SmallOutput& operator=(const SmallOutput&) = delete;

  void copy_input() noexcept {
    for (std::size_t i = 0; i < values_.size(); ++i) values_[i] = source_[i];
  }
  std::span<const lapse_tensor> view() const noexcept { return {&view_, 1}; }

 private:
  const float* source_;
  std::vector<std::int64_t> dims_;
  std::vector<float> values_;
  lapse_tensor view_{};
};

}  // namespace lapse::engine
