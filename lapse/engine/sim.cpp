#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <lapse/base/time.hpp>
#include <lapse/device/simulated.hpp>
#include <lapse/engine/builtin.hpp>
#include <lapse/engine/plugin/table.hpp>
#include <lapse/engine/small_model.hpp>
#include <memory>
#include <random>
#include <string>
#include <string_view>

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

template <class T>
bool read_number(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

constexpr Duration kLongest = std::chrono::hours{24};  // so that no sum of durations overflows

bool read_setting(std::string_view key, std::string_view value, Model& model) {
  const auto duration = [&](Duration& target) {
    const auto parsed = parse_duration(value);
    if (!parsed || *parsed > kLongest) return false;
    target = *parsed;
    return true;
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

Model read_model(std::string_view text) {
  Model model;
  while (!text.empty()) {
    const std::string_view item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), item.size() + 1));
    const std::size_t equals = item.find('=');
    if (equals != item.npos && read_setting(item.substr(0, equals), item.substr(equals + 1), model)) continue;
    throw plugin::Failure(
        LAPSE_BAD_MODEL, fmt::format("the simulated device does not understand '{}'", item),
        "submit=, device= and first= take durations up to 24h (50us), jitter= 0 to 1, seed= a number, time= real or virtual, "
        "blocking= 0 or 1");
  }
  return model;
}

// How long each inference takes: known, whether it spreads or not.
class Durations {
 public:
  explicit Durations(const Model& model) : model_(model), random_(model.seed) {}

  Duration next() {
    const Duration base = first_ && model_.first.count() >= 0 ? model_.first : model_.device;
    first_ = false;
    if (model_.jitter == 0.0) return base;
    return Duration{std::llround(static_cast<double>(base.count()) * std::exp(model_.jitter * normal_(random_)))};
  }

 private:
  const Model& model_;
  std::mt19937_64 random_;
  std::normal_distribution<double> normal_;
  bool first_ = true;
};

class Binding {
 public:
  Binding(const Model& model, Durations& durations, const lapse_tensor& input) : model_(model), durations_(durations), output_(input) {}

  void submit(void* stream) {
    if (stream == nullptr) {
      throw plugin::Failure(LAPSE_BAD_INPUT, "the simulated device needs a stream", "use the timeline of session_info.device");
    }
    auto& device = *static_cast<device::SimStream*>(stream);
    device.host_work(model_.submit);
    device.enqueue(
        durations_.next(), [](void* output) { static_cast<SmallOutput*>(output)->copy_input(); }, &output_);
    if (model_.blocking) device.drain();
  }
  std::span<const lapse_tensor> outputs() const noexcept { return output_.view(); }

 private:
  const Model& model_;
  Durations& durations_;
  SmallOutput output_;  // written by the device
};

class Session {
 public:
  explicit Session(const Model& settings) : settings_(settings) {}

  lapse_session_info info() const noexcept {
    return model_.info(settings_.virtual_time ? "sim:virtual" : "sim", !settings_.blocking, false);
  }
  std::unique_ptr<Binding> bind(std::span<const lapse_tensor> inputs) {
    model_.inputs.check(inputs);
    return std::make_unique<Binding>(settings_, durations_, inputs[0]);
  }

 private:
  Model settings_;
  Durations durations_{settings_};
  SmallModel model_;
};

class Engine {
 public:
  static std::unique_ptr<Engine> open(plugin::Options& options) {
    options.refuse_unknown();
    return std::make_unique<Engine>();
  }
  lapse_engine_info info() const noexcept { return {"1", "", "sim"}; }
  std::unique_ptr<Session> load(const std::string& model, plugin::Options& options) {
    options.require_device("sim");
    options.count("threads");
    options.refuse_unknown();
    return std::make_unique<Session>(read_model(model));
  }
};

constexpr lapse_engine_api kSim = plugin::Table<Engine, Session, Binding>::make("sim", "", "");

}  // namespace

const lapse_engine_api& sim_engine() noexcept { return kSim; }

}  // namespace lapse::engine
