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
#include <utility>

namespace lapse::engine {
namespace {

// What a wrong engine does, so that the audit can be shown to find it.
enum class Fault {
  None,
  Pending,        // says that it blocks, and doesn't
  OtherStream,    // works on a stream that nobody marks
  SideStream,     // goes on working on such a stream when its own is done
  CopiesOutside,  // copies its outputs to the host when they are asked for, not before
};

struct Model {
  Duration submit{0};
  Duration device = std::chrono::milliseconds{1};
  Duration first{-1};           // negative: as device
  Duration cold{-1};            // after the cache was flushed; negative: as device
  Duration sleep{-1}, wake{0};  // idle for so long it falls asleep, and its next inference takes so much longer; negative: never
  Duration h2d{0}, d2h{0};
  int kernels = 1;  // pieces that submit and device are divided into
  double jitter = 0.0;
  std::uint64_t seed = 0;
  bool virtual_time = false;
  bool blocking = false;
  bool transfers = true;
  Fault fault = Fault::None;

  bool staged() const { return transfers && (h2d.count() > 0 || d2h.count() > 0); }
};

template <class T>
bool read_number(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

constexpr Duration kLongest = std::chrono::hours{24};  // so that no sum of durations overflows

bool read_fault(std::string_view text, Fault& fault) {
  constexpr std::pair<std::string_view, Fault> kFaults[]{{"pending", Fault::Pending},
                                                         {"other-stream", Fault::OtherStream},
                                                         {"side-stream", Fault::SideStream},
                                                         {"copies-outside", Fault::CopiesOutside}};
  for (const auto& [name, value] : kFaults) {
    if (text == name) fault = value;
  }
  return fault != Fault::None;
}

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
  if (key == "cold") return duration(model.cold);
  if (key == "sleep") return duration(model.sleep);
  if (key == "wake") return duration(model.wake);
  if (key == "h2d") return duration(model.h2d);
  if (key == "d2h") return duration(model.d2h);
  if (key == "kernels") return read_number(value, model.kernels) && model.kernels >= 1 && model.kernels <= 1000;
  if (key == "fault") return read_fault(value, model.fault);
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
        "submit=, device=, first=, cold=, sleep=, wake=, h2d= and d2h= take durations up to 24h (50us), kernels= 1 to 1000, jitter= 0 to "
        "1, "
        "seed= a number, time= real or virtual, blocking= 0 or 1, fault= pending, other-stream, side-stream or copies-outside");
  }
  return model;
}

// How long each inference takes: known, whether it spreads or not.
class Durations {
 public:
  explicit Durations(const Model& model) : model_(model), random_(model.seed) {}

  Duration next(bool cold) {
    const Duration base = first_ && model_.first.count() >= 0 ? model_.first
                          : cold && model_.cold.count() >= 0  ? model_.cold
                                                              : model_.device;
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
  ~Binding() {
    if (stream_ == nullptr) return;
    stream_->drain();         // the output is written here, and nobody waited yet where a fault says that it blocks, or …
    stream_->side().drain();  // … there
  }
  Binding(const Binding&) = delete;
  Binding& operator=(const Binding&) = delete;

  void submit(void* stream) {
    for (const lapse_stage part : {LAPSE_STAGE_H2D, LAPSE_STAGE_FORWARD, LAPSE_STAGE_D2H}) stage(part, stream);
  }

  void stage(lapse_stage part, void* stream) {
    if (stream == nullptr) {
      throw plugin::Failure(LAPSE_BAD_INPUT, "the simulated device needs a stream", "use the timeline of session_info.device");
    }
    stream_ = static_cast<device::SimStream*>(stream);
    if (part == LAPSE_STAGE_H2D) asleep_ = model_.sleep.count() >= 0 && stream_->idle() >= model_.sleep;
    part == LAPSE_STAGE_FORWARD ? forward() : copy(part);
    if (model_.blocking && model_.fault != Fault::Pending) stream_->drain();
  }

  std::span<const lapse_tensor> outputs() {
    const bool on_device = !model_.transfers || model_.fault == Fault::CopiesOutside;
    if (on_device && model_.d2h.count() > 0 && stream_ != nullptr) {
      stream_->enqueue(model_.d2h);
      stream_->drain();
    }
    return output_.view();
  }

 private:
  void copy(lapse_stage part) {
    if (!model_.transfers || (part == LAPSE_STAGE_D2H && model_.fault == Fault::CopiesOutside)) return;
    const Duration copy = part == LAPSE_STAGE_H2D ? model_.h2d : model_.d2h;
    if (copy.count() > 0) stream_->enqueue(copy);
  }

  void forward() {
    const Duration device = durations_.next(stream_->take_cold()) + (asleep_ ? model_.wake : Duration{0});
    device::SimStream& worker = model_.fault == Fault::OtherStream ? stream_->side() : *stream_;
    for (int i = 1; i < model_.kernels; ++i) {
      stream_->host_work(model_.submit / model_.kernels);
      worker.enqueue(device / model_.kernels);
    }
    stream_->host_work(model_.submit - model_.submit / model_.kernels * (model_.kernels - 1));
    worker.enqueue(
        device - device / model_.kernels * (model_.kernels - 1), [](void* output) { static_cast<SmallOutput*>(output)->copy_input(); },
        &output_);
    // Longer than whatever its own stream has still to do of this inference.
    if (model_.fault == Fault::SideStream) stream_->side().enqueue(model_.h2d + device + model_.d2h + device / 2);
  }

  const Model& model_;
  Durations& durations_;
  SmallOutput output_;  // written by the device
  bool asleep_ = false;
  device::SimStream* stream_ = nullptr;
};

class Session {
 public:
  explicit Session(const Model& settings) : settings_(settings) {
    if (settings_.fault == Fault::Pending) settings_.blocking = true;  // so it says
  }

  lapse_session_info info() const noexcept {
    lapse_session_info info = model_.info(settings_.virtual_time ? "sim:virtual" : "sim", !settings_.blocking, false);
    info.staged = settings_.staged() ? 1 : 0;
    info.transfers = settings_.h2d.count() == 0 && settings_.d2h.count() == 0 ? "" : settings_.transfers ? "pinned" : "none";
    return info;
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
    Model settings = read_model(model);
    settings.transfers = options.choice<bool>("transfers", {{"pinned", true}, {"none", false}}).value_or(true);
    options.refuse_unknown();
    return std::make_unique<Session>(settings);
  }
};

constexpr lapse_engine_api kSim = plugin::Table<Engine, Session, Binding>::make("sim", "", "");

}  // namespace

const lapse_engine_api& sim_engine() noexcept { return kSim; }

}  // namespace lapse::engine
