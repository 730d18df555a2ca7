#pragma once
// A wrong answer is never timed: the outputs are compared with expected ones before the measurement, and again after it.

#include <atomic>
#include <lapse/measure/session_subject.hpp>
#include <lapse/tensor/compare.hpp>
#include <string>
#include <string_view>

namespace lapse::measuring {

struct Answer {
  enum class Verdict {
    Unchecked,  // nothing was expected
    Correct,
    Random,  // not the expected output, but not the same one twice either: the model is random by design and can't be checked
  };
  Verdict verdict = Verdict::Unchecked;
  std::size_t sets = 0;             // input sets that had expected outputs
  double largest_difference = 0.0;  // |got - expected| over all of them
  std::string random_output;        // of a random model: the output that differs from run to run …
  double random_difference = 0.0;   // … and by how much
};
std::string_view name(Answer::Verdict verdict) noexcept;

/// Runs every set that has expected outputs once (twice where they are missed). Errors: WrongAnswer with what differs; BadInput when an
/// expected output is not one of the model's; Interrupted.
Result<Answer> check_answer(SessionSubject& subject, const std::vector<engine::Port>& outputs, const Inputs& inputs,
                            const tensor::Tolerance& tolerance, const std::atomic<bool>* stop = nullptr);

}  // namespace lapse::measuring
