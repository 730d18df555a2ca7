#pragma once
// The one model of a worker, and one forward pass of it with its times by the device's own marks. Not installed.
//
// Threads: load and infer on one and the same; the rest on any, once it is loaded.

#include <lapse/measure/model.hpp>
#include <lapse/serve/worker/wire.hpp>
#include <optional>
#include <span>
#include <vector>

namespace lapse::serve {

class Model {
 public:
  /// Errors: everything that can be wrong with a model or its engine.
  static Result<Model> load(const wire::Load& load);

  const oip::Signature& signature() const noexcept { return loaded_.signature; }
  const wire::Loaded& loaded() const noexcept { return loaded_; }

  struct Pass {
    std::vector<tensor::Tensor> outputs;
    std::optional<Duration> h2d, d2h;
    Duration forward{};
  };
  /// `inputs` in the order of the signature. Blocks until the outputs are there. Errors: the engine's.
  Result<Pass> infer(std::span<const tensor::TensorView> inputs);

 private:
  Model(measuring::LoadedModel model, wire::Loaded loaded) : model_(std::move(model)), loaded_(std::move(loaded)) {}
  Result<void> submit(engine::Binding& binding);
  measuring::LoadedModel model_;
  wire::Loaded loaded_;
  std::vector<device::Mark> marks_;  // before and after the forward pass; staged: before each stage and after the last
};

}  // namespace lapse::serve
