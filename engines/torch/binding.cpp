#include "binding.hpp"

#include <cstdint>

#include "dtype.hpp"
#include "translate.hpp"

namespace lapse::plugin::libtorch {

void HostBinding::submit(void* /*stream*/) {
  translate(Stage::Submit, {}, [this] {
    const c10::InferenceMode inference;
    forward_.run();
  });
}

void HostBinding::stage(lapse_stage stage, void* stream) {
  if (stage == LAPSE_STAGE_FORWARD) submit(stream);
}

std::span<const lapse_tensor> HostBinding::outputs() {
  views_.clear();
  tensors_.clear();
  translate(Stage::Submit, {}, [this] {
    const c10::InferenceMode inference;
    for (const auto& result : forward_.results()) tensors_.push_back(result.resolve_neg().contiguous());
  });
  for (const auto& tensor : tensors_) views_.push_back(view_of(tensor));
  return views_;
}

lapse_tensor view_of(const at::Tensor& tensor) {
  return {to_lapse(tensor.scalar_type()), static_cast<std::int32_t>(tensor.dim()), tensor.sizes().data(), tensor.data_ptr(),
          tensor.nbytes()};
}

}  // namespace lapse::plugin::libtorch
