#include "binding.hpp"

#include <cstddef>
#include <string>
#include <utility>

#include "session.hpp"
#include "values.hpp"

namespace lapse::plugin::onnxruntime {

HostBinding::HostBinding(Session& session, std::span<const lapse_tensor> tensors)
    : api_(session.api()), session_(session), output_values_(session.outputs().size()), output_dims_(session.outputs().size()) {
  const auto memory = make_owned<OrtMemoryInfo>(api_, api_.ReleaseMemoryInfo, Stage::Bind, {}, [&](OrtMemoryInfo** out) {
    return api_.CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, out);
  });
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    inputs_.push_back(wrap(api_, *memory, tensors[i], tensors[i].data));
    input_values_.push_back(inputs_.back().get());
    input_names_.push_back(session.inputs()[i].name.c_str());
  }
  for (const auto& port : session.outputs().views()) output_names_.push_back(port.name);
  output_views_.reserve(output_values_.size());
}

HostBinding::~HostBinding() { release_outputs(); }

void HostBinding::release_outputs() noexcept {
  for (OrtValue*& value : output_values_) {
    api_.ReleaseValue(std::exchange(value, nullptr));
  }
}

void HostBinding::submit(void* /*stream*/) {
  release_outputs();
  check(api_,
        api_.Run(session_.native(), nullptr, input_names_.data(), input_values_.data(), input_values_.size(), output_names_.data(),
                 output_names_.size(), output_values_.data()),
        Stage::Submit);
}

void HostBinding::stage(lapse_stage stage, void* stream) {
  if (stage == LAPSE_STAGE_FORWARD) submit(stream);
}

std::span<const lapse_tensor> HostBinding::outputs() {
  output_views_.clear();
  for (std::size_t i = 0; i < output_values_.size(); ++i) {
    const std::string& name = session_.outputs()[i].name;
    if (output_values_[i] == nullptr) throw Failure(LAPSE_BAD_INPUT, "output '" + name + "' is not there: no submit has succeeded");
    output_views_.push_back(view_of(api_, output_values_[i], name, output_dims_[i]));
  }
  return output_views_;
}

}  // namespace lapse::plugin::onnxruntime
