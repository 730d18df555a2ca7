#pragma once
// Requests that go through the model together: which fit, how their inputs are joined, whose rows of an output are whose. Not installed.

#include <lapse/serve/worker/wire.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace lapse::serve {

/// One request on its way through the worker.
struct Task {
  wire::Item item;
  oip::InferRequest request;  // inputs in the order of the model's
  std::int64_t rows = 0;      // its share of a joined pass; 0: goes alone
  jobs::Trace trace;
};
using Batch = std::vector<Task>;  // one forward pass

/// The first dimension, if all inputs have the same, it is at least 1 and at most `most`; else 0.
std::int64_t rows_of(const std::vector<tensor::NamedTensor>& inputs, int most);
std::int64_t rows_of(const Batch& batch);
/// Same types and shapes but for the first dimension, and not too many rows together.
bool fits(const Batch& batch, const Task& task, int most);

/// What the model is given: a task's own tensors, or new ones where there are several. Owns what it made.
class JoinedInputs {
 public:
  /// Error: OutOfMemory.
  static Result<JoinedInputs> make(std::span<const Task> batch);
  std::span<const tensor::TensorView> views() const noexcept { return views_; }

 private:
  std::vector<tensor::Tensor> tensors_;
  std::vector<tensor::TensorView> views_;
};

/// Is the first dimension of every output the number of rows?
bool splits(const std::vector<tensor::Tensor>& outputs, std::int64_t rows);

/// Some rows of outputs that are shared with the rest of the batch.
struct OutputRows {
  std::shared_ptr<const std::vector<tensor::Tensor>> outputs;
  std::int64_t first = 0, rows = 0;  // rows 0: all of them
};
/// Views with shapes of their own, kept in `shapes`.
std::vector<tensor::TensorView> views_of(const OutputRows& part, std::vector<tensor::Shape>& shapes);

}  // namespace lapse::serve
