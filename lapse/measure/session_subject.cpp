#include <lapse/device/controls.hpp>
#include <lapse/measure/session_subject.hpp>

namespace lapse::measuring {

static_assert(static_cast<int>(Stage::H2D) == LAPSE_STAGE_H2D && static_cast<int>(Stage::Forward) == LAPSE_STAGE_FORWARD &&
              static_cast<int>(Stage::D2H) == LAPSE_STAGE_D2H);

Result<SessionSubject> SessionSubject::make(engine::Session& session, device::Timeline& timeline, const Inputs& inputs, std::size_t slots) {
  if (slots > 1 && !session.asynchronous() && !session.concurrent()) {
    return fail(ErrorCode::BadUse, "this engine runs one inference at a time on a session", "use --scenario single-stream");
  }
  SessionSubject subject{timeline, session, inputs.sets.size()};
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

Result<void> SessionSubject::submit(std::size_t slot, std::size_t iteration, Stage stage) {
  engine::Binding& binding = at(slot, iteration);
  return outcome(binding, binding.stage(static_cast<lapse_stage>(stage), timeline_->stream(stream_of(slot))));
}

Result<void> SessionSubject::fetch(std::size_t slot, std::size_t iteration) {
  LAPSE_CHECK(at(slot, iteration).outputs());
  return {};
}

Result<std::vector<tensor::TensorView>> SessionSubject::infer(std::size_t set) {
  {
    const Within step(pulse_, Step::Submit);
    LAPSE_CHECK(submit(0, set));
  }
  LAPSE_CHECK(wait());
  const Within step(pulse_, Step::Fetch);
  return at(0, set).outputs();
}

Result<void> SessionSubject::wait() {
  const Within step(pulse_, Step::Wait);
  // All of the device: an engine that works on other streams than ours gives right answers all the same.
  if (device::Controls* controls = timeline_->controls()) {
    return controls->synchronize_device();
  }
  return timeline_->synchronize();
}

}  // namespace lapse::measuring
