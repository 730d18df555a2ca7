#include <algorithm>
#include <cstring>
#include <lapse/serve/worker/batch.hpp>
#include <numeric>

namespace lapse::serve {

std::int64_t rows_of(const std::vector<tensor::NamedTensor>& inputs, int most) {
  const auto first = [](const tensor::NamedTensor& input) { return input.tensor.shape().empty() ? 0 : input.tensor.shape().front(); };
  if (inputs.empty()) return 0;
  const std::int64_t rows = first(inputs.front());
  const bool same = std::ranges::all_of(inputs, [&](const auto& input) { return first(input) == rows; });
  return same && rows <= most ? rows : 0;
}

std::int64_t rows_of(const Batch& batch) {
  return std::accumulate(batch.begin(), batch.end(), std::int64_t{0}, [](std::int64_t sum, const Task& task) { return sum + task.rows; });
}

bool fits(const Batch& batch, const Task& task, int most) {
  if (task.rows == 0 || batch.front().rows == 0 || rows_of(batch) + task.rows > most) return false;
  return std::ranges::equal(batch.front().request.inputs, task.request.inputs, [](const auto& a, const auto& b) {
    const tensor::Shape &shape = a.tensor.shape(), &other = b.tensor.shape();
    return a.tensor.dtype() == b.tensor.dtype() && std::equal(shape.begin() + 1, shape.end(), other.begin() + 1, other.end());
  });
}

Result<JoinedInputs> JoinedInputs::make(std::span<const Task> batch) {
  JoinedInputs joined;
  if (batch.size() == 1) {
    for (const auto& input : batch.front().request.inputs) joined.views_.push_back(input.tensor.view());
    return joined;
  }
  std::int64_t rows = 0;
  for (const Task& task : batch) rows += task.rows;
  for (std::size_t i = 0; i < batch.front().request.inputs.size(); ++i) {
    const tensor::Tensor& like = batch.front().request.inputs[i].tensor;
    tensor::Shape shape = like.shape();
    shape.front() = rows;
    LAPSE_TRY(auto tensor, tensor::Tensor::make(like.dtype(), std::move(shape)));
    std::byte* to = tensor.data();
    for (const Task& task : batch) {
      const tensor::Tensor& from = task.request.inputs[i].tensor;
      if (from.bytes() > 0) std::memcpy(to, from.data(), from.bytes());
      to += from.bytes();
    }
    joined.tensors_.push_back(std::move(tensor));
  }
  for (const auto& tensor : joined.tensors_) joined.views_.push_back(tensor.view());
  return joined;
}

bool splits(const std::vector<tensor::Tensor>& outputs, std::int64_t rows) {
  return std::ranges::all_of(outputs, [&](const auto& output) { return !output.shape().empty() && output.shape().front() == rows; });
}

std::vector<tensor::TensorView> views_of(const OutputRows& part, std::vector<tensor::Shape>& shapes) {
  std::vector<tensor::TensorView> views;
  shapes.reserve(part.outputs->size());
  for (const tensor::Tensor& output : *part.outputs) {
    if (part.rows == 0) {
      views.push_back(output.view());
      continue;
    }
    shapes.push_back(output.shape());
    shapes.back().front() = part.rows;
    const std::size_t row = output.bytes() / static_cast<std::size_t>(output.shape().front());
    views.push_back({output.dtype(), shapes.back(), output.data() + row * static_cast<std::size_t>(part.first),
                     row * static_cast<std::size_t>(part.rows)});
  }
  return views;
}

}  // namespace lapse::serve
