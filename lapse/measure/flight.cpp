#include <lapse/measure/flight.hpp>

namespace lapse::measuring {

Result<Flight> Flight::make(Subject& subject, std::size_t slot) {
  Flight flight{subject, slot};
  for (device::Mark& mark : flight.marks_) {
    LAPSE_TRY(mark, subject.timeline().make_mark());
  }
  return flight;
}

Result<void> Flight::launch(std::size_t iteration) {
  device::Timeline& timeline = subject_->timeline();
  LAPSE_CHECK(timeline.record(begin(), stream_));
  start_ = timeline.now();
  auto submitted = staged_ ? submit_stages(iteration) : subject_->submit(slot_, iteration);
  returned_ = timeline.now();
  if (submitted) submitted = timeline.record(end(), stream_);
  // What was submitted before a failure uses memory of the subject, which may be gone soon.
  if (!submitted) (void)timeline.synchronize();
  return submitted;
}

Result<void> Flight::submit_stages(std::size_t iteration) {
  device::Timeline& timeline = subject_->timeline();
  LAPSE_CHECK(subject_->submit(slot_, iteration, Stage::H2D));
  LAPSE_CHECK(timeline.record(marks_[1], stream_));
  LAPSE_CHECK(subject_->submit(slot_, iteration, Stage::Forward));
  LAPSE_CHECK(timeline.record(marks_[2], stream_));
  return subject_->submit(slot_, iteration, Stage::D2H);
}

Result<Sample> Flight::land() {
  device::Timeline& timeline = subject_->timeline();
  LAPSE_CHECK(timeline.wait(end()));
  const device::Instant done = timeline.now();
  Sample sample{start_, returned_ - start_, {}, done - start_, {}, {}};
  if (!staged_) {
    LAPSE_TRY(sample.device, timeline.elapsed(begin(), end()));
    return sample;
  }
  LAPSE_TRY(sample.h2d, timeline.elapsed(marks_[0], marks_[1]));
  LAPSE_TRY(sample.device, timeline.elapsed(marks_[1], marks_[2]));
  LAPSE_TRY(sample.d2h, timeline.elapsed(marks_[2], marks_[3]));
  return sample;
}

}  // namespace lapse::measuring
