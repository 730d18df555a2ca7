// An engine for worker_joins_test.cpp that does to a request what the first number of its rows says.
//
//   y = 2 x, float32 [batch, 4], but for
//   13   out of memory          99   the device is lost       666  fails, in more than one line
//   500  waits until moody_gate(1) has been called
// Load option sum=1: y is the sum of everything, [1], so that requests can't be told apart.

#include <lapse/engine/abi.h>

#include <atomic>
#include <cstdint>
#include <lapse/engine/plugin/ports.hpp>
#include <lapse/engine/plugin/table.hpp>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#define MOODY_EXPORT extern "C" __attribute__((visibility("default")))

namespace {

using namespace lapse::plugin;

std::atomic<int> gate{0}, passes{0};

struct Model {
  Ports inputs{{Port{"x", LAPSE_FLOAT32, std::vector<std::int64_t>{-1, 4}, {}}}};
  Ports outputs{{Port{"y", LAPSE_FLOAT32, std::nullopt, {}}}};
  bool sum = false;
};

class Binding {
 public:
  Binding(const lapse_tensor& input, bool sum) : input_(input), sum_(sum) {}
  void submit(void*) {
    ++passes;
    const auto* x = static_cast<const float*>(input_.data);
    const std::size_t count = input_.bytes / sizeof(float);
    for (std::size_t i = 0; i < count; i += 4) obey(static_cast<int>(x[i]));
    y_.assign(x, x + count);
    for (float& value : y_) value *= 2;
    dims_.assign(input_.dims, input_.dims + 2);
    if (sum_) {
      y_ = {std::accumulate(y_.begin(), y_.end(), 0.0F)};
      dims_ = {1};
    }
    view_ = {LAPSE_FLOAT32, static_cast<std::int32_t>(dims_.size()), dims_.data(), y_.data(), y_.size() * sizeof(float)};
  }
  std::span<const lapse_tensor> outputs() const { return {&view_, 1}; }

 private:
  static void obey(int order) {
    if (order == 13) throw Failure(LAPSE_OUT_OF_MEMORY, "no room for this one");
    if (order == 99) throw Failure(LAPSE_DEVICE_UNUSABLE, "the device fell off the bus");
    if (order == 666) throw Failure(LAPSE_INTERNAL, "this request\nis poison");
    if (order == 500) gate.wait(0);
  }
  lapse_tensor input_;
  bool sum_;
  std::vector<float> y_;
  std::vector<std::int64_t> dims_;
  lapse_tensor view_{};
};

class Session {
 public:
  explicit Session(bool sum) { model_.sum = sum; }
  lapse_session_info info() const noexcept { return session_info(model_.inputs, model_.outputs, "cpu", false, false, 1); }
  std::unique_ptr<Binding> bind(std::span<const lapse_tensor> inputs) const {
    model_.inputs.check(inputs);
    return std::make_unique<Binding>(inputs[0], model_.sum);
  }

 private:
  Model model_;
};

class Engine {
 public:
  static std::unique_ptr<Engine> open(Options&) { return std::make_unique<Engine>(); }
  lapse_engine_info info() const noexcept { return {"1", "", "cpu"}; }
  std::unique_ptr<Session> load(const std::string&, Options& options) {
    options.require_device("cpu");
    options.count("threads");
    const bool sum = options.flag("sum").value_or(false);
    options.refuse_unknown();
    return std::make_unique<Session>(sum);
  }
};

constexpr lapse_engine_api kMoody = Table<Engine, Session, Binding>::make("moody", "", "");

}  // namespace

MOODY_EXPORT const lapse_engine_api* lapse_engine_entry() { return &kMoody; }
MOODY_EXPORT void moody_gate(int open) {
  gate = open;
  gate.notify_all();
}
MOODY_EXPORT int moody_passes() { return passes.exchange(0); }
