// The first thing that anybody sees of an ONNX Runtime library (OrtApiBase of its C API), of a version that nobody can drive.

#include <cstdint>

namespace {
struct ApiBase {
  const void* (*get_api)(std::uint32_t version);
  const char* (*get_version)();
};
constexpr ApiBase kBase{[](std::uint32_t) -> const void* { return nullptr; }, [] { return "0.5.0"; }};
}  // namespace

extern "C" const void* OrtGetApiBase() { return &kBase; }
