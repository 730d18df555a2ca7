#include <cassert>
#include <cstring>
#include <functional>
#include <lapse/pipeline/slot.hpp>
#include <string_view>

namespace lapse::pipeline {
namespace {

// With streams of their own the copies of one batch pass beside the forward pass of another.
std::size_t stream_of(Step step, const device::Timeline& timeline) {
  if (timeline.streams() < 3 || step == Step::Forward) return 0;
  return step == Step::H2D ? 1 : 2;
}

std::size_t place_of_marks(Step step) { return 2 * (static_cast<std::size_t>(step) - static_cast<std::size_t>(Step::H2D)); }

lapse_stage stage_of(Step step) {
  return step == Step::H2D ? LAPSE_STAGE_H2D : step == Step::Forward ? LAPSE_STAGE_FORWARD : LAPSE_STAGE_D2H;
}

// 64 bits of what bytes are and were before: not to be trusted against malice.
std::uint64_t mix(std::uint64_t seed, const std::byte* data, std::size_t bytes) {
  const std::uint64_t hash = std::hash<std::string_view>{}({reinterpret_cast<const char*>(data), bytes});
  return seed ^ (hash + 0x9e3779b97f4a7c15U + (seed << 6U) + (seed >> 2U));  // as boost::hash_combine does
}

constexpr std::array kOnDevice{Step::H2D, Step::Forward, Step::D2H};

}  // namespace

Result<std::unique_ptr<Slot>> Slot::make(engine::Session& session, device::Timeline& timeline, std::span<const tensor::Tensor> like) {
  std::unique_ptr<Slot> slot(new Slot(session, timeline));
  std::vector<tensor::TensorView> views;
  for (const tensor::Tensor& input : like) {
    LAPSE_TRY(auto own, tensor::Tensor::make(input.dtype(), input.shape()));
    if (own.bytes() > 0) std::memcpy(own.data(), input.data(), own.bytes());
    slot->tensors_.push_back(std::move(own));
  }
  for (const tensor::Tensor& own : slot->tensors_) views.push_back(own.view());
  LAPSE_TRY(slot->binding_, session.bind(views));
  LAPSE_TRY(slot->inputs_, slot->binding_->inputs());
  for (device::Mark& mark : slot->marks_) {
    LAPSE_TRY(mark, timeline.make_mark());
  }
  return slot;
}

bool Slot::staged() const noexcept { return session_->staged() && session_->asynchronous(); }

std::vector<Step> Slot::steps(const engine::Session& session) {
  if (session.staged() && session.asynchronous()) return {Step::Prepare, Step::H2D, Step::Forward, Step::D2H, Step::Consume};
  return {Step::Prepare, Step::Forward, Step::Consume};
}

Result<void> Slot::prepare(std::size_t batch, [[maybe_unused]] std::size_t items, std::uint32_t worker, const Prepare& with) {
  times_ = {};
  times_.batch = static_cast<std::uint32_t>(batch);
  times_.worker = worker;
  span(Step::Prepare).begin = timeline_->now();
  LAPSE_TRY(there_, with(batch, inputs_));
  assert(there_.size() == items);
  for (const bool there : there_) times_.items += there ? 1 : 0;
  span(Step::Prepare).end = timeline_->now();
  return {};
}

Result<void> Slot::outcome(lapse_status status) const {
  if (status == LAPSE_OK) return {};
  return tl::unexpected(binding_->error(status));
}

Result<void> Slot::hand_over() {
  if (!asynchronous()) {
    span(Step::Forward).begin = timeline_->now();
    LAPSE_CHECK(outcome(binding_->submit(timeline_->stream())));
    span(Step::Forward).end = timeline_->now();
    return {};
  }
  auto submitted = staged() ? submit_staged() : submit_whole();
  // Looked at once, so that a simulated device, which is done already where the host was slow, does not stamp it with the next batch's
  // work.
  if (submitted) submitted = timeline_->passed(end_mark()).map([](bool) {});
  // What was submitted before a failure uses memory that may be gone soon.
  if (!submitted) (void)timeline_->synchronize();
  return submitted;
}

Result<void> Slot::submit_staged() {
  std::optional<device::Mark> before;
  for (const Step step : kOnDevice) {
    const std::size_t stream = stream_of(step, *timeline_), mark = place_of_marks(step);
    if (before) LAPSE_CHECK(timeline_->follow(*before, stream));
    LAPSE_CHECK(timeline_->record(marks_[mark], stream));
    LAPSE_CHECK(outcome(binding_->stage(stage_of(step), timeline_->stream(stream))));
    LAPSE_CHECK(timeline_->record(marks_[mark + 1], stream));
    before = marks_[mark + 1];
  }
  return {};
}

Result<void> Slot::submit_whole() {
  const std::size_t mark = place_of_marks(Step::Forward);
  LAPSE_CHECK(timeline_->record(marks_[mark]));
  LAPSE_CHECK(outcome(binding_->submit(timeline_->stream())));
  return timeline_->record(marks_[mark + 1]);
}

Result<void> Slot::wait() {
  if (!asynchronous()) return {};
  return timeline_->wait(end_mark());
}

device::Mark Slot::end_mark() const noexcept { return marks_[place_of_marks(staged() ? Step::D2H : Step::Forward) + 1]; }

Result<void> Slot::carry_over(Step step, std::size_t first, device::Mark origin, device::Instant at) {
  LAPSE_TRY(const Duration begin, timeline_->elapsed(origin, marks_[first]));
  LAPSE_TRY(const Duration end, timeline_->elapsed(origin, marks_[first + 1]));
  span(step) = {at + begin, at + end};
  return {};
}

Result<bool> Slot::done(device::Mark origin, device::Instant at) {
  if (!asynchronous()) return true;
  LAPSE_TRY(const bool passed, timeline_->passed(end_mark()));
  if (!passed) return false;
  for (const Step step : kOnDevice) {
    if (staged() || step == Step::Forward) LAPSE_CHECK(carry_over(step, place_of_marks(step), origin, at));
  }
  return true;
}

Result<void> Slot::consume(std::span<std::uint64_t> digests) {
  span(Step::Consume).begin = timeline_->now();
  LAPSE_TRY(const auto outputs, binding_->outputs());
  for (std::size_t item = 0; item < digests.size(); ++item) {
    digests[item] = 0;
    if (!there_[item]) continue;
    for (const tensor::TensorView& output : outputs) {
      // An output that isn't divided among the items belongs to each of them.
      const bool divided = !output.shape.empty() && output.shape.front() == static_cast<std::int64_t>(digests.size());
      const std::size_t bytes = divided ? output.bytes / digests.size() : output.bytes;
      digests[item] = mix(digests[item], output.data + (divided ? item * bytes : 0), bytes);
    }
  }
  span(Step::Consume).end = timeline_->now();
  return {};
}

}  // namespace lapse::pipeline
