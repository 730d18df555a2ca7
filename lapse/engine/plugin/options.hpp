#pragma once
// The options of one call, read key by key. A later option of the same key wins. Every reader throws Failure(BAD_INPUT) for a value that
// does not fit, and refuse_unknown() for a key that nobody asked for.

#include <lapse/engine/abi.h>

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lapse::plugin {

class Options {
 public:
  Options(const lapse_option* options, std::size_t count) : options_(options), count_(count) {}

  std::optional<std::string> text(std::string_view key);
  /// A whole number from 1 to 4096.
  std::optional<int> count(std::string_view key);
  /// 0 or 1.
  std::optional<bool> flag(std::string_view key);
  /// One of the names.
  template <class T>
  std::optional<T> choice(std::string_view key, std::initializer_list<std::pair<std::string_view, T>> choices) {
    const auto value = text(key);
    if (!value) return std::nullopt;
    std::string names;
    for (const auto& [name, meaning] : choices) {
      if (*value == name) return meaning;
      names.append(names.empty() ? "" : ", ").append(name);
    }
    refuse(key, *value, "one of " + names);
  }

  /// "device", for an engine that has only one. Throws Failure(DEVICE_UNUSABLE) for another.
  void require_device(std::string_view only);

  /// After all keys were read.
  void refuse_unknown() const;

 private:
  [[noreturn]] static void refuse(std::string_view key, std::string_view value, std::string_view wanted);

  const lapse_option* options_;
  std::size_t count_;
  std::vector<std::string> known_;
};

}  // namespace lapse::plugin
