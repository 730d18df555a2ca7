#pragma once
// The inputs or outputs of a model: kept once, shown through the C interface, and checked against the tensors to be bound.

#include <lapse/engine/abi.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace lapse::plugin {

/// Bytes of one element; 0 for a type that lapse can't pass.
std::size_t size_of(std::int32_t dtype) noexcept;

struct Port {
  std::string name;
  lapse_dtype dtype = LAPSE_DTYPE_UNKNOWN;
  std::optional<std::vector<std::int64_t>> dims;  // nothing: the model does not tell
  std::vector<std::string> dim_names;             // empty, or one per dimension, empty where it has none
};

/// Its views point into it: they live as long as it does, moved or not.
class Ports {
 public:
  Ports() = default;
  explicit Ports(std::vector<Port> ports);
  Ports(Ports&&) = default;
  Ports& operator=(Ports&&) = default;

  std::span<const lapse_port> views() const noexcept { return views_; }
  std::size_t size() const noexcept { return ports_.size(); }
  const Port& operator[](std::size_t index) const noexcept { return ports_[index]; }

  /// Throws Failure(BAD_INPUT) for a wrong number of tensors, or the first whose type, shape or size does not fit.
  void check(std::span<const lapse_tensor> tensors) const;

 private:
  std::vector<Port> ports_;
  std::vector<std::vector<const char*>> dim_names_;
  std::vector<lapse_port> views_;
};

/// What a session that is not staged tells of itself; its texts live as long as what they are taken from.
lapse_session_info session_info(const Ports& inputs, const Ports& outputs, const char* device, bool asynchronous, bool concurrent,
                                int threads) noexcept;

}  // namespace lapse::plugin
