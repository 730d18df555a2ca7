#include <lapse/engine/plugin/table.hpp>
#include "session.hpp"

namespace lapse::plugin::libtorch {
namespace {

constexpr const char* kOptionsHelp =
    "inter_threads=N  threads for operators at the same time, for the whole process; set once\n"
    "freeze=0|1  torch.jit.freeze: weights folded into the graph (default: 0)\n"
    "optimize=0|1  torch.jit.optimize_for_inference, which freezes too (default: 0)\n"
    "tf32=0|1  on CUDA, for the whole process: products of float32 may be rounded to 10 bits of mantissa (default: LibTorch's own)";

constexpr lapse_engine_api kTable = Table<Engine, Session, Binding>::make("torch", ".pt,.pth,.ts", kOptionsHelp);

}  // namespace
}  // namespace lapse::plugin::libtorch

extern "C" __attribute__((visibility("default"))) const lapse_engine_api* lapse_engine_entry() { return &lapse::plugin::libtorch::kTable; }
