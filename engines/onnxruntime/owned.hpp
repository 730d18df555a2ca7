#pragma once
// Objects of the library that release themselves.

#include <onnxruntime_c_api.h>

#include <memory>
#include <string_view>
#include <utility>

#include "status.hpp"

namespace lapse::plugin::onnxruntime {

/// An object of the library with the function that releases it.
template <class T>
using Owned = std::unique_ptr<T, void (*)(T*)>;

/// Calls `make(&object)` and owns what it made. Throws Failure.
template <class T, class Make>
Owned<T> make_owned(const OrtApi& api, void (*release)(T*), Stage stage, std::string_view subject, Make&& make) {
  T* object = nullptr;
  check(api, std::forward<Make>(make)(&object), stage, subject);
  return {object, release};
}

}  // namespace lapse::plugin::onnxruntime
