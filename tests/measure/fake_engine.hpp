#pragma once
// An engine behind the real C interface whose signature and answers a test writes down. One output y: float32 [2], with the values of
// `answer(submit number)`.

#include <array>
#include <functional>
#include <lapse/engine/session.hpp>
#include <string>
#include <vector>

namespace lapse::measuring {

class FakeEngine {
 public:
  struct Input {
    std::string name;
    lapse_dtype dtype;
    std::vector<std::int64_t> dims;      // -1: dynamic
    std::vector<std::string> dim_names;  // as many, or none
    bool shape_known = true;
  };

  explicit FakeEngine(std::vector<Input> inputs) : inputs_(std::move(inputs)) { current() = this; }
  ~FakeEngine() { current() = nullptr; }
  FakeEngine(const FakeEngine&) = delete;
  FakeEngine& operator=(const FakeEngine&) = delete;

  engine::Session load() {
    engine_.emplace(std::move(*engine::Engine::open(api(), {})));
    return std::move(*engine_->load("", {}));
  }

  std::function<std::array<float, 2>(std::size_t)> answer = [](std::size_t) { return std::array{1.0F, 2.0F}; };

 private:
  static FakeEngine*& current() {
    static FakeEngine* engine = nullptr;
    return engine;
  }
  template <class T>
  static T* handle() {
    return reinterpret_cast<T*>(current());
  }

  static const lapse_engine_api& api();
  lapse_status info(lapse_session_info* info);

  std::vector<Input> inputs_;
  std::vector<std::vector<const char*>> names_;
  std::vector<lapse_port> ports_;
  std::optional<engine::Engine> engine_;
  std::size_t submits_ = 0;
  std::array<float, 2> values_{};
  std::array<std::int64_t, 1> output_dims_{2};
  lapse_tensor output_{};
  lapse_port output_port_{"y", LAPSE_FLOAT32, 1, output_dims_.data(), nullptr};
};

inline lapse_status FakeEngine::info(lapse_session_info* info) {
  ports_.clear();
  names_.clear();
  for (const Input& input : inputs_) {
    auto& names = names_.emplace_back();
    for (const std::string& name : input.dim_names) names.push_back(name.c_str());
    ports_.push_back({input.name.c_str(), input.dtype, input.shape_known ? static_cast<int>(input.dims.size()) : -1, input.dims.data(),
                      names.empty() ? nullptr : names.data()});
  }
  *info = {ports_.data(), ports_.size(), &output_port_, 1, "cpu", 0, 1, 1, 0, ""};
  return LAPSE_OK;
}

inline const lapse_engine_api& FakeEngine::api() {
  static const lapse_engine_api table{
      LAPSE_ENGINE_ABI_VERSION,
      sizeof(lapse_engine_api),
      "fake",
      "",
      "",
      [](const lapse_option*, size_t, lapse_engine** engine) {
        *engine = handle<lapse_engine>();
        return LAPSE_OK;
      },
      [](lapse_engine*) {},
      [](lapse_engine*, lapse_engine_info* info) {
        *info = {"1", "", "cpu"};
        return LAPSE_OK;
      },
      [](lapse_engine*, const char*, const lapse_option*, size_t, lapse_session** session) {
        *session = handle<lapse_session>();
        return LAPSE_OK;
      },
      [](lapse_session*) {},
      [](lapse_session*, lapse_session_info* info) { return current()->info(info); },
      [](lapse_session*, const lapse_tensor*, size_t, lapse_binding** binding) {
        *binding = handle<lapse_binding>();
        return LAPSE_OK;
      },
      [](lapse_binding*) {},
      [](lapse_binding*, void*) {
        current()->values_ = current()->answer(current()->submits_++);
        return LAPSE_OK;
      },
      nullptr,
      [](lapse_binding*, const lapse_tensor** outputs, size_t* count) {
        FakeEngine& self = *current();
        self.output_ = {LAPSE_FLOAT32, 1, self.output_dims_.data(), self.values_.data(), sizeof(self.values_)};
        *outputs = &self.output_;
        *count = 1;
        return LAPSE_OK;
      },
      [] { return ""; },
      [] { return ""; },
      nullptr,
  };
  return table;
}

}  // namespace lapse::measuring
