#include <lapse/engine/builtin.hpp>
#include <memory>
#include <string>
#include <vector>

namespace lapse::engine {
namespace {

// The engine and its session have no state: any address will do for their handles.
char nothing;

struct NullBinding {
  int64_t dims[2]{};
  std::vector<float> values;
  lapse_tensor output{};
};

NullBinding* binding_of(lapse_binding* binding) { return reinterpret_cast<NullBinding*>(binding); }

lapse_status open(const lapse_option* options, size_t count, lapse_engine** engine) {
  if (count > 0) return builtin::failed(LAPSE_BAD_INPUT, std::string("the engine null has no option '") + options[0].key + "'", "");
  *engine = reinterpret_cast<lapse_engine*>(&nothing);
  return LAPSE_OK;
}

lapse_status engine_info(lapse_engine*, lapse_engine_info* info) {
  *info = {"1", "", "cpu"};
  return LAPSE_OK;
}

lapse_status load(lapse_engine*, const char* model, const lapse_option* options, size_t count, lapse_session** session) {
  if (*model != '\0') return builtin::failed(LAPSE_BAD_MODEL, "the engine null takes no model", "write `lapse time null`");
  for (size_t i = 0; i < count; ++i) {
    const std::string key = options[i].key;
    if (key == "threads") continue;
    if (key == "device" && std::string(options[i].value) == "cpu") continue;
    if (key == "device") return builtin::failed(LAPSE_DEVICE_UNUSABLE, "the engine null runs on the cpu only", "leave --device out");
    return builtin::failed(LAPSE_BAD_INPUT, "the engine null has no option '" + key + "'", "");
  }
  *session = reinterpret_cast<lapse_session*>(&nothing);
  return LAPSE_OK;
}

lapse_status session_info(lapse_session*, lapse_session_info* info) {
  *info = {&builtin::kInput, 1, &builtin::kOutput, 1, "cpu", 0, 1, 1};
  return LAPSE_OK;
}

lapse_status bind(lapse_session*, const lapse_tensor* inputs, size_t count, lapse_binding** binding) {
  if (const auto status = builtin::check_input(inputs, count); status != LAPSE_OK) return status;
  auto created = std::make_unique<NullBinding>();
  const auto* values = static_cast<const float*>(inputs[0].data);
  created->dims[0] = inputs[0].dims[0];
  created->dims[1] = inputs[0].dims[1];
  created->values.assign(values, values + inputs[0].bytes / sizeof(float));
  created->output = {LAPSE_FLOAT32, 2, created->dims, created->values.data(), inputs[0].bytes};
  *binding = reinterpret_cast<lapse_binding*>(created.release());
  return LAPSE_OK;
}

lapse_status submit(lapse_binding*, void*) { return LAPSE_OK; }

lapse_status outputs(lapse_binding* binding, const lapse_tensor** outputs, size_t* count) {
  *outputs = &binding_of(binding)->output;
  *count = 1;
  return LAPSE_OK;
}

constexpr lapse_engine_api kNull{
    LAPSE_ENGINE_ABI_VERSION,
    sizeof(lapse_engine_api),
    "null",
    "",
    "",
    open,
    [](lapse_engine*) {},
    engine_info,
    load,
    [](lapse_session*) {},
    session_info,
    bind,
    [](lapse_binding* binding) { delete binding_of(binding); },
    submit,
    outputs,
    builtin::error,
    builtin::hint,
};

}  // namespace

const lapse_engine_api& null_engine() noexcept { return kNull; }

}  // namespace lapse::engine
