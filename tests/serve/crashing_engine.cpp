// An engine for dispatcher_test.cpp: y = x, float32 [batch, 4]; a negative first number in any row takes the process with it, and a file
// "crash" beside the model does so when that is loaded.

#include <lapse/engine/abi.h>

#include <cstdlib>
#include <filesystem>
#include <lapse/engine/plugin/table.hpp>
#include <lapse/engine/small_model.hpp>
#include <memory>
#include <span>
#include <string>

namespace {

using namespace lapse;

class Binding {
 public:
  explicit Binding(const lapse_tensor& input) : input_(input), output_(input) { output_.copy_input(); }
  void submit(void*) {
    const std::span numbers{static_cast<const float*>(input_.data), input_.bytes / sizeof(float)};
    for (std::size_t i = 0; i < numbers.size(); i += 4) {
      if (numbers[i] < 0) std::abort();
    }
  }
  std::span<const lapse_tensor> outputs() const noexcept { return output_.view(); }

 private:
  lapse_tensor input_;
  engine::SmallOutput output_;
};

class Session {
 public:
  lapse_session_info info() const noexcept { return model_.info("cpu", false, true); }
  std::unique_ptr<Binding> bind(std::span<const lapse_tensor> inputs) const {
    model_.inputs.check(inputs);
    return std::make_unique<Binding>(inputs[0]);
  }

 private:
  engine::SmallModel model_;
};

class Engine {
 public:
  static std::unique_ptr<Engine> open(plugin::Options&) { return std::make_unique<Engine>(); }
  lapse_engine_info info() const noexcept { return {"1", "", "cpu"}; }
  std::unique_ptr<Session> load(const std::string& model, plugin::Options& options) {
    if (std::filesystem::exists(std::filesystem::path(model).replace_filename("crash"))) std::abort();
    options.require_device("cpu");
    options.count("threads");
    options.refuse_unknown();
    return std::make_unique<Session>();
  }
};

constexpr lapse_engine_api kCrashing = plugin::Table<Engine, Session, Binding>::make("crashing", "", "");

}  // namespace

extern "C" __attribute__((visibility("default"))) const lapse_engine_api* lapse_engine_entry() { return &kCrashing; }
