#include <lapse/measure/graph_subject.hpp>

namespace lapse::measuring {
Result<GraphSubject> GraphSubject::make(Subject& subject) {
  GraphSubject graph{subject};
  graph.controls_ = subject.timeline().controls();
  if (graph.controls_ == nullptr || !subject.asynchronous()) {
    return fail(ErrorCode::BadUse, "a graph can be captured only of work that is asynchronous on its device",
                "leave --cuda-graph out, or name a device: --device cuda");
  }
  for (std::size_t slot = 0; slot < subject.slots(); ++slot) {
    for (std::size_t set = 0; set < subject.sets(); ++set) {
      for (std::size_t run = 0; run < kRunsBefore; ++run) {
        LAPSE_CHECK(subject.submit(slot, set));
        LAPSE_CHECK(graph.controls_->synchronize_device());
      }
      LAPSE_TRY(const device::Graph captured, graph.capture(slot, set));
      graph.graphs_.push_back(captured);
    }
  }
  return graph;
}

Result<device::Graph> GraphSubject::capture(std::size_t slot, std::size_t set) {
  const std::size_t stream = subject_->stream_of(slot);
  LAPSE_CHECK(controls_->begin_capture(stream));
  auto submitted = hand_over(slot, set);
  auto captured = controls_->end_capture(stream);
  if (submitted && captured) return captured;
  const Error& error = submitted ? captured.error() : submitted.error();
  return fail(ErrorCode::Unsupported, "the forward pass can't be captured as a graph: " + error.message, "leave --cuda-graph out");
}

Result<void> GraphSubject::hand_over(std::size_t slot, std::size_t iteration) {
  return staged() ? subject_->submit(slot, iteration, Stage::Forward) : subject_->submit(slot, iteration);
}

Result<void> GraphSubject::forward(std::size_t slot, std::size_t iteration) {
  return controls_->launch(graphs_[slot * sets() + iteration % sets()], subject_->stream_of(slot));
}

Result<void> GraphSubject::submit(std::size_t slot, std::size_t iteration) {
  if (!staged()) return forward(slot, iteration);
  for (const Stage stage : {Stage::H2D, Stage::Forward, Stage::D2H}) LAPSE_CHECK(submit(slot, iteration, stage));
  return {};
}

Result<void> GraphSubject::submit(std::size_t slot, std::size_t iteration, Stage stage) {
  return stage == Stage::Forward ? forward(slot, iteration) : subject_->submit(slot, iteration, stage);
}

}  // namespace lapse::measuring
