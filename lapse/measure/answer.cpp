#include <fmt/format.h>

#include <algorithm>
#include <lapse/measure/answer.hpp>
#include <optional>

namespace lapse::measuring {
namespace {

using Outputs = std::vector<tensor::TensorView>;

// Outputs belong to the binding until its next submit; a second run needs the first one's kept.
Result<tensor::Tensor> copy(const tensor::TensorView& output) {
  LAPSE_TRY(auto tensor, tensor::Tensor::make(output.dtype, {output.shape.begin(), output.shape.end()}));
  std::copy_n(output.data, output.bytes, tensor.data());
  return tensor;
}

class Check {
 public:
  Check(SessionSubject& subject, const std::vector<engine::Port>& ports, const tensor::Tolerance& tolerance)
      : subject_(subject), ports_(ports), tolerance_(tolerance) {}

  Result<void> one_set(std::size_t set, const InputSet& data) {
    LAPSE_TRY(Outputs outputs, subject_.infer(set));
    ++answer_.sets;
    for (const auto& [position, tensor] : data.expected) {
      if (position >= outputs.size()) {
        return fail(ErrorCode::BadInput, fmt::format("an output number {} is expected, but the model has {}", position, outputs.size()),
                    "outputs are numbered from 0");
      }
      tensor::TensorView expected = tensor.view();
      expected.dtype = adopted_type(expected.dtype, outputs[position].dtype);
      answer_.largest_difference = std::max(answer_.largest_difference, tensor::largest_difference(outputs[position], expected));
      const auto difference = tensor::difference(outputs[position], expected, tolerance_);
      if (!difference) continue;
      LAPSE_TRY(const bool random, is_random(set, outputs, position));
      if (random) continue;
      return fail(
          ErrorCode::WrongAnswer,
          fmt::format("wrong answer{}: output {}: {}", data.name.empty() ? "" : " for " + data.name, label(position), difference->what),
          fmt::format("nothing was timed; the tolerance is rtol {:g}, atol {:g} (--rtol, --atol)", tolerance_.relative,
                      tolerance_.absolute));
    }
    if (answer_.verdict == Answer::Verdict::Unchecked) answer_.verdict = Answer::Verdict::Correct;
    return {};
  }

  Answer answer() && { return std::move(answer_); }

 private:
  std::string label(std::size_t position) const {
    return position < ports_.size() && !ports_[position].name.empty() ? ports_[position].name : std::to_string(position);
  }

  // The same inputs some times more: does this output always come out the same? `outputs` are those of the last run afterwards. Some
  // times, as a few random bits can well be the same twice.
  Result<bool> is_random(std::size_t set, Outputs& outputs, std::size_t position) {
    constexpr int kRuns = 4;
    LAPSE_TRY(const auto first, copy(outputs[position]));
    for (int run = 0; run < kRuns; ++run) {
      LAPSE_TRY(outputs, subject_.infer(set));
      if (!tensor::difference(outputs[position], first.view(), tolerance_)) continue;
      answer_.verdict = Answer::Verdict::Random;
      answer_.random_output = label(position);
      answer_.random_difference = tensor::largest_difference(outputs[position], first.view());
      return true;
    }
    return false;
  }

  SessionSubject& subject_;
  const std::vector<engine::Port>& ports_;
  const tensor::Tolerance& tolerance_;
  Answer answer_;
};

}  // namespace

std::string_view name(Answer::Verdict verdict) noexcept {
  switch (verdict) {
    case Answer::Verdict::Correct:
      return "correct";
    case Answer::Verdict::Random:
      return "random";
    case Answer::Verdict::Unchecked:
      break;
  }
  return "unchecked";
}

Result<Answer> check_answer(SessionSubject& subject, const std::vector<engine::Port>& outputs, const Inputs& inputs,
                            const tensor::Tolerance& tolerance, const std::atomic<bool>* stop) {
  Check check{subject, outputs, tolerance};
  for (std::size_t set = 0; set < inputs.sets.size(); ++set) {
    if (stop != nullptr && stop->load()) return fail(ErrorCode::Interrupted, "interrupted before anything was timed");
    if (!inputs.sets[set].expected.empty()) LAPSE_CHECK(check.one_set(set, inputs.sets[set]));
  }
  return std::move(check).answer();
}

}  // namespace lapse::measuring
