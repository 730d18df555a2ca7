#pragma once
// One inference of an asynchronous subject between its marks.
//
//   mark │ H2D │ mark │ forward │ mark │ D2H │ mark          with stages
//          mark │ all of it │ mark                           without
//   start ├─ submit ─┤ … ─────────── end_to_end ─────────┤
//
// The outer marks stand outside the readings of `submit`, so that it holds the subject's call alone; a staged one holds two inner marks.

#include <array>
#include <cstddef>
#include <lapse/base/error.hpp>
#include <lapse/measure/sample.hpp>
#include <lapse/measure/subject.hpp>

namespace lapse::measuring {

/// Belongs to a slot of a subject, which outlives it. One thread.
class Flight {
 public:
  /// Allocates the marks. Errors: those of make_mark.
  static Result<Flight> make(Subject& subject, std::size_t slot);

  /// Submits inference number `iteration`. Not again before it has landed. After an error our streams are idle.
  Result<void> launch(std::size_t iteration);
  /// Waits until it is done. Errors: those of the timeline.
  Result<Sample> land();
  /// The first and the last of its marks on the device.
  device::Mark begin() const noexcept { return marks_.front(); }
  device::Mark end() const noexcept { return marks_[staged_ ? 3 : 1]; }

 private:
  Flight(Subject& subject, std::size_t slot)
      : subject_(&subject), slot_(slot), stream_(subject.stream_of(slot)), staged_(subject.staged()) {}
  Result<void> submit_stages(std::size_t iteration);

  Subject* subject_;
  std::size_t slot_;
  std::size_t stream_;
  bool staged_;
  std::array<device::Mark, 4> marks_{};
  device::Instant start_{}, returned_{};
};

}  // namespace lapse::measuring
