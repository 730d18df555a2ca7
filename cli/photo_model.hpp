#pragma once
// The model that enlarges photos: where it lies, what its settings say, and its forward pass.

#include <filesystem>
#include <lapse/image/line.hpp>
#include <lapse/measure/model.hpp>
#include <string>

namespace lapse::cli {

struct PhotoModelOptions {
  std::string file;  // empty: the one that comes with lapse
  std::size_t scale = 2;
  std::size_t tile = 0, batch = 0;  // 0: as the model's settings say
  int threads = 0;                  // 0: the usable CPUs but one, which decodes and encodes
  std::string device;
};

class PhotoModel {
 public:
  /// Errors: BadModel for a model that isn't there, or whose settings (photo-x2.json beside photo-x2.onnx) don't say how it scales.
  static Result<PhotoModel> load(const PhotoModelOptions& options);
  const image::Scaling& scaling() const noexcept { return scaling_; }
  std::size_t batch() const noexcept { return batch_; }
  Result<tensor::Tensor> infer(const tensor::TensorView& tiles);

 private:
  image::Scaling scaling_;
  std::size_t batch_ = 4;
  measuring::LoadedModel model_;
};

}  // namespace lapse::cli
