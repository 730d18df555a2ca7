#include <lapse/measure/session_subject.hpp>

namespace lapse::measuring {

Result<SessionSubject> SessionSubject::make(engine::Session& session, device::Timeline& timeline, const Inputs& inputs, std::size_t slots) {
  if (slots > 1 && !session.asynchronous() && !session.concurrent()) {
    return fail(ErrorCode::BadUse, "this engine runs one inference at a time on a session", "use --scenario single-stream");
  }
  SessionSubject subject{timeline, session.asynchronous(), inputs.sets.size()};
  for (std::size_t slot = 0; slot < slots; ++slot) {
    for (const InputSet& set : inputs.sets) {
      std::vector<tensor::TensorView> views;
      for (const tensor::Tensor& input : set.inputs) views.push_back(input.view());
      LAPSE_TRY(auto binding, session.bind(views));
      subject.bindings_.push_back(std::move(binding));
    }
  }
  return subject;
}

Result<std::vector<tensor::TensorView>> SessionSubject::infer(std::size_t set) {
  LAPSE_CHECK(submit(0, set));
  LAPSE_CHECK(timeline_->synchronize());
  return bindings_[set].outputs();
}

}  // namespace lapse::measuring
