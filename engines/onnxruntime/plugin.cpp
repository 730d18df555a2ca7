#include "plugin.hpp"

#include <lapse/engine/plugin/table.hpp>
#include "session.hpp"

namespace lapse::plugin::onnxruntime {
namespace {

using Functions = Table<Engine, Session, Binding>;

constexpr const char* kOptionsHelp =
    "inter_threads=N  operators at the same time, with execution=parallel\n"
    "execution=sequential|parallel  one operator after the other, or independent ones together (default: sequential)\n"
    "optimization=disable|basic|extended|all  how far the graph is rewritten before it runs (default: all)\n"
    "spinning=0|1  idle threads of the pool wait by spinning (default: 1)\n"
    "arena=0|1  memory comes from the library's arena (default: 1)\n"
    "conv_search=exhaustive|heuristic|default  on CUDA: how the algorithm of a convolution is chosen (default: exhaustive)\n"
    "tf32=0|1  on CUDA: products of float32 may be rounded to 10 bits of mantissa (default: the library's, 1)";

constexpr lapse_engine_api kTable = Functions::make("onnxruntime", ".onnx,.ort", kOptionsHelp);

}  // namespace

const lapse_engine_api& table() noexcept { return kTable; }

NativeSession native(lapse_session* session) noexcept {
  const Session* own = Functions::session(session);
  return {&own->api(), own->native()};
}

}  // namespace lapse::plugin::onnxruntime
