// An engine for photos_test.cpp: y = x, float32 N x 3 x rows x columns, so that a photo "enlarged" by 1 keeps every pixel. Load option
// delay_us: how long a pass takes, in microseconds.

#include <lapse/engine/abi.h>

#include <chrono>
#include <cstring>
#include <lapse/engine/plugin/ports.hpp>
#include <lapse/engine/plugin/table.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace lapse::plugin;

const Port kPort{"x", LAPSE_FLOAT32, std::vector<std::int64_t>{-1, 3, -1, -1}, {}};

class Binding {
 public:
  Binding(const lapse_tensor& input, std::chrono::microseconds delay) : input_(input), delay_(delay) {}
  void submit(void*) {
    std::this_thread::sleep_for(delay_);
    y_.resize(input_.bytes / sizeof(float));
    std::memcpy(y_.data(), input_.data, input_.bytes);
    dims_.assign(input_.dims, input_.dims + input_.rank);
    view_ = {LAPSE_FLOAT32, input_.rank, dims_.data(), y_.data(), input_.bytes};
  }
  std::span<const lapse_tensor> outputs() const { return {&view_, 1}; }

 private:
  lapse_tensor input_;
  std::chrono::microseconds delay_;
  std::vector<float> y_;
  std::vector<std::int64_t> dims_;
  lapse_tensor view_{};
};

class Session {
 public:
  explicit Session(std::chrono::microseconds delay) : delay_(delay) {}
  lapse_session_info info() const noexcept { return session_info(inputs_, outputs_, "cpu", false, false, 1); }
  std::unique_ptr<Binding> bind(std::span<const lapse_tensor> inputs) const {
    inputs_.check(inputs);
    return std::make_unique<Binding>(inputs[0], delay_);
  }

 private:
  std::chrono::microseconds delay_;
  Ports inputs_{{kPort}}, outputs_{{kPort}};
};

class Engine {
 public:
  static std::unique_ptr<Engine> open(Options&) { return std::make_unique<Engine>(); }
  lapse_engine_info info() const noexcept { return {"1", "", "cpu"}; }
  std::unique_ptr<Session> load(const std::string&, Options& options) {
    options.require_device("cpu");
    options.count("threads");
    const auto delay = options.count("delay_us").value_or(0);
    options.refuse_unknown();
    return std::make_unique<Session>(std::chrono::microseconds{delay});
  }
};

constexpr lapse_engine_api kCopying = Table<Engine, Session, Binding>::make("copying", "", "");

}  // namespace

extern "C" __attribute__((visibility("default"))) const lapse_engine_api* lapse_engine_entry() { return &kCopying; }
