#pragma once
// The C functions of a plug-in, made from three C++ classes that throw Failure:
//
//   Engine    static unique_ptr<Engine> open(Options&);  lapse_engine_info info();  unique_ptr<Session> load(string, Options&)
//   Session   lapse_session_info info();  unique_ptr<Binding> bind(span<const lapse_tensor>)
//   Binding   void submit(void* stream);  span<const lapse_tensor> outputs();  where sessions are staged also
//             void stage(lapse_stage, void* stream); where they have memory for their inputs also  span<const lapse_tensor> inputs()
//
// The opaque handles of the ABI are these objects under another name, so that two plug-ins in one program never share a type.

#include <lapse/engine/abi.h>

#include <cstddef>
#include <memory>
#include <span>

#include <lapse/engine/plugin/failure.hpp>
#include <lapse/engine/plugin/options.hpp>

namespace lapse::plugin {

template <class Engine, class Session, class Binding>
struct Table {
  static Engine* engine(lapse_engine* handle) noexcept { return reinterpret_cast<Engine*>(handle); }
  static Session* session(lapse_session* handle) noexcept { return reinterpret_cast<Session*>(handle); }
  static Binding* binding(lapse_binding* handle) noexcept { return reinterpret_cast<Binding*>(handle); }

  static lapse_status open(const lapse_option* given, std::size_t count, lapse_engine** out) noexcept {
    return guarded([&] {
      Options options(given, count);
      *out = reinterpret_cast<lapse_engine*>(Engine::open(options).release());
    });
  }
  static void close(lapse_engine* handle) noexcept { delete engine(handle); }
  static lapse_status engine_info(lapse_engine* handle, lapse_engine_info* info) noexcept {
    return guarded([&] { *info = engine(handle)->info(); });
  }

  static lapse_status load(lapse_engine* handle, const char* model, const lapse_option* given, std::size_t count,
                           lapse_session** out) noexcept {
    return guarded([&] {
      Options options(given, count);
      *out = reinterpret_cast<lapse_session*>(engine(handle)->load(model, options).release());
    });
  }
  static void unload(lapse_session* handle) noexcept { delete session(handle); }
  static lapse_status session_info(lapse_session* handle, lapse_session_info* info) noexcept {
    return guarded([&] { *info = session(handle)->info(); });
  }

  static lapse_status bind(lapse_session* handle, const lapse_tensor* inputs, std::size_t count, lapse_binding** out) noexcept {
    return guarded([&] { *out = reinterpret_cast<lapse_binding*>(session(handle)->bind(std::span(inputs, count)).release()); });
  }
  static void unbind(lapse_binding* handle) noexcept { delete binding(handle); }
  static lapse_status submit(lapse_binding* handle, void* stream) noexcept {
    return guarded([&] { binding(handle)->submit(stream); });
  }
  static lapse_status stage(lapse_binding* handle, std::int32_t stage, void* stream) noexcept {
    return guarded([&] {
      if constexpr (kStaged) binding(handle)->stage(static_cast<lapse_stage>(stage), stream);
    });
  }
  static lapse_status outputs(lapse_binding* handle, const lapse_tensor** out, std::size_t* count) noexcept {
    return guarded([&] {
      const auto views = binding(handle)->outputs();
      *out = views.data();
      *count = views.size();
    });
  }

  static lapse_status inputs(lapse_binding* handle, const lapse_tensor** out, std::size_t* count) noexcept {
    return guarded([&] {
      if constexpr (kOwnInputs) {
        const auto views = binding(handle)->inputs();
        *out = views.data();
        *count = views.size();
      }
    });
  }

  static constexpr bool kOwnInputs = requires(Binding & binding) { binding.inputs(); };
  static constexpr bool kStaged = requires(Binding & binding) { binding.stage(LAPSE_STAGE_FORWARD, nullptr); };

  static constexpr lapse_engine_api make(const char* name, const char* suffixes, const char* options_help) noexcept {
    return {LAPSE_ENGINE_ABI_VERSION,
            sizeof(lapse_engine_api),
            name,
            suffixes,
            options_help,
            open,
            close,
            engine_info,
            load,
            unload,
            session_info,
            bind,
            unbind,
            submit,
            kStaged ? stage : nullptr,
            outputs,
            last_message,
            last_hint,
            kOwnInputs ? inputs : nullptr};
  }
};

}  // namespace lapse::plugin
