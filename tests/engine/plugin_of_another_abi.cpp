#include <lapse/engine/abi.h>

extern "C" const lapse_engine_api* lapse_engine_entry() {
  static lapse_engine_api api{};
  api.abi_version = LAPSE_ENGINE_ABI_VERSION + 1;
  api.struct_size = sizeof(lapse_engine_api);
  return &api;
}
