#include "plugin.hpp"

extern "C" __attribute__((visibility("default"))) const lapse_engine_api* lapse_engine_entry() {
  return &lapse::plugin::onnxruntime::table();
}
