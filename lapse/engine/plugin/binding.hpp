#pragma once
// What table.hpp asks of one set of inputs that is ready to run, for engines that have several kinds of it.

#include <lapse/engine/abi.h>

#include <span>

namespace lapse::plugin {

class Binding {
 public:
  Binding() = default;
  virtual ~Binding() = default;
  Binding(const Binding&) = delete;
  Binding& operator=(const Binding&) = delete;

  virtual void submit(void* stream) = 0;
  virtual void stage(lapse_stage stage, void* stream) = 0;
  virtual std::span<const lapse_tensor> outputs() = 0;
  /// Page-locked memory, where there is some; empty: what was bound is read itself.
  virtual std::span<const lapse_tensor> inputs() { return {}; }
};

}  // namespace lapse::plugin
