#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <lapse/base/time.hpp>
#include <lapse/device/simulated.hpp>
#include <lapse/engine/builtin.hpp>
#include <memory>
#include <random>
#include <string_view>
#include <vector>

namespace lapse::engine {
namespace {

struct Model {
  Duration submit{0};
  Duration device = std::chrono::milliseconds{1};
  Duration first{-1};  // negative: as device
  double jitter = 0.0;
  std::uint64_t seed = 0;
  bool virtual_time = false;
  bool blocking = false;
};

struct SimSession {
  Model model;
  std::mt19937_64 random;
  std::normal_distribution<double> normal;
  bool ran = false;

  Duration next_duration() {
    const Duration base = !ran && model.first.count() >= 0 ? model.first : model.device;
    ran = true;
    if (model.jitter == 0.0) return base;
    return Duration{std::llround(static_cast<double>(base.count()) * std::exp(model.jitter * normal(random)))};
  }
};

struct SimBinding {
  SimSession* session = nullptr;
  const float* input = nullptr;
  int64_t dims[2]{};
  std::vector<float> values;  // written by the device
  lapse_tensor output{};
};

template <class T>
bool read_number(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

bool read_setting(std::string_view key, std::string_view value, Model& model) {
  const auto duration = [&](Duration& target) {
    const auto parsed = parse_duration(value);
    if (parsed) target = *parsed;
    return parsed.has_value();
  };
  if (key == "submit") return duration(model.submit);
  if (key == "device") return duration(model.device);
  if (key == "first") return duration(model.first);
  if (key == "jitter") return read_number(value, model.jitter) && model.jitter >= 0.0 && model.jitter <= 1.0;
  if (key == "seed") return read_number(value, model.seed);
  if (key == "time") return (model.virtual_time = value == "virtual") || value == "real";
  if (key == "blocking") return (model.blocking = value == "1") || value == "0";
  return false;
}

lapse_status read_model(std::string_view text, Model& model) {
  while (!text.empty()) {
    const std::string_view item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), item.size() + 1));
    const std::size_t equals = item.find('=');
    if (equals == item.npos || !read_setting(item.substr(0, equals), item.substr(equals + 1), model)) {
      return builtin::failed(LAPSE_BAD_MODEL, fmt::format("the simulated device does not understand '{}'", item),
                             "submit=, device= and first= take durations (50us), jitter= 0 to 1, seed= a number, time= real or virtual, "
                             "blocking= 0 or 1");
    }
  }
  return LAPSE_OK;
}

lapse_session* handle(SimSession* session) { return reinterpret_cast<lapse_session*>(session); }
SimSession* session_of(lapse_session* session) { return reinterpret_cast<SimSession*>(session); }
SimBinding* binding_of(lapse_binding* binding) { return reinterpret_cast<SimBinding*>(binding); }

lapse_status open(const lapse_option* options, size_t count, lapse_engine** engine) {
  if (count > 0) return builtin::failed(LAPSE_BAD_INPUT, fmt::format("the engine sim has no option '{}'", options[0].key), "");
  static char the_engine;
  *engine = reinterpret_cast<lapse_engine*>(&the_engine);
  return LAPSE_OK;
}

lapse_status engine_info(lapse_engine*, lapse_engine_info* info) {
  *info = {"1", "", "sim"};
  return LAPSE_OK;
}

lapse_status load(lapse_engine*, const char* model, const lapse_option* options, size_t count, lapse_session** session) {
  for (size_t i = 0; i < count; ++i) {
    const std::string_view key = options[i].key;
    if (key == "threads" || (key == "device" && std::string_view(options[i].value) == "sim")) continue;
    if (key == "device") {
      return builtin::failed(LAPSE_DEVICE_UNUSABLE, "the engine sim runs on the simulated device only", "leave --device out");
    }
    return builtin::failed(LAPSE_BAD_INPUT, fmt::format("the engine sim has no option '{}'", key),
                           "its settings stand behind the name: sim:submit=50us,device=5ms");
  }
  auto created = std::make_unique<SimSession>();
  if (const auto status = read_model(model, created->model); status != LAPSE_OK) return status;
  created->random.seed(created->model.seed);
  *session = handle(created.release());
  return LAPSE_OK;
}

lapse_status session_info(lapse_session* session, lapse_session_info* info) {
  const Model& model = session_of(session)->model;
  *info = {&builtin::kInput, 1, &builtin::kOutput, 1, model.virtual_time ? "sim:virtual" : "sim", model.blocking ? 0 : 1, 0, 1};
  return LAPSE_OK;
}

lapse_status bind(lapse_session* session, const lapse_tensor* inputs, size_t count, lapse_binding** binding) {
  if (const auto status = builtin::check_input(inputs, count); status != LAPSE_OK) return status;
  auto created = std::make_unique<SimBinding>();
  created->session = session_of(session);
  created->input = static_cast<const float*>(inputs[0].data);
  created->dims[0] = inputs[0].dims[0];
  created->dims[1] = inputs[0].dims[1];
  created->values.resize(inputs[0].bytes / sizeof(float));
  created->output = {LAPSE_FLOAT32, 2, created->dims, created->values.data(), inputs[0].bytes};
  *binding = reinterpret_cast<lapse_binding*>(created.release());
  return LAPSE_OK;
}

void copy_input(void* context) {
  auto& binding = *static_cast<SimBinding*>(context);
  std::copy_n(binding.input, binding.values.size(), binding.values.begin());
}

lapse_status submit(lapse_binding* binding, void* stream) {
  if (stream == nullptr) {
    return builtin::failed(LAPSE_BAD_INPUT, "the simulated device needs a stream", "use the timeline of session_info.device");
  }
  SimBinding& bound = *binding_of(binding);
  auto& device = *static_cast<device::SimStream*>(stream);
  device.host_work(bound.session->model.submit);
  device.enqueue(bound.session->next_duration(), copy_input, &bound);
  if (bound.session->model.blocking) device.drain();
  return LAPSE_OK;
}

lapse_status outputs(lapse_binding* binding, const lapse_tensor** outputs, size_t* count) {
  *outputs = &binding_of(binding)->output;
  *count = 1;
  return LAPSE_OK;
}

constexpr lapse_engine_api kSim{
    LAPSE_ENGINE_ABI_VERSION,
    sizeof(lapse_engine_api),
    "sim",
    "",
    "",
    open,
    [](lapse_engine*) {},
    engine_info,
    load,
    [](lapse_session* session) { delete session_of(session); },
    session_info,
    bind,
    [](lapse_binding* binding) { delete binding_of(binding); },
    submit,
    outputs,
    builtin::error,
    builtin::hint,
};

}  // namespace

const lapse_engine_api& sim_engine() noexcept { return kSim; }

}  // namespace lapse::engine
