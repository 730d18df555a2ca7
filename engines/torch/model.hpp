#pragma once
// TorchScript files: told apart from the other things that are saved under the same suffixes, and loaded ready for inference.

#include <torch/script.h>

#include <string>

namespace lapse::plugin::libtorch {

struct LoadOptions {
  at::Device device = at::kCPU;
  bool freeze = false;    // constants folded into the graph
  bool optimize = false;  // frozen, and rewritten for inference: fused, and in the layout that oneDNN likes
};

/// In evaluation mode. Throws Failure(BAD_MODEL) for what is not TorchScript, Failure(UNSUPPORTED) for operators, types or a
/// file version that this LibTorch lacks.
torch::jit::Module load_model(const std::string& path, const LoadOptions& options);

}  // namespace lapse::plugin::libtorch
