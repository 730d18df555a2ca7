#include <lapse/engine/plugin/options.hpp>

#include <algorithm>
#include <charconv>
#include <span>

#include <lapse/engine/plugin/failure.hpp>

namespace lapse::plugin {

std::optional<std::string> Options::text(std::string_view key) {
  known_.emplace_back(key);
  std::optional<std::string> value;
  for (const auto& option : std::span(options_, count_)) {
    if (key == option.key) value = option.value;
  }
  return value;
}

std::optional<int> Options::count(std::string_view key) {
  constexpr int kMost = 4096;
  const auto value = text(key);
  if (!value) return std::nullopt;
  int number = 0;
  const char* end = value->data() + value->size();
  const auto [stop, error] = std::from_chars(value->data(), end, number);
  if (error != std::errc{} || stop != end || number < 1 || number > kMost) refuse(key, *value, "a whole number from 1 to 4096");
  return number;
}

std::optional<bool> Options::flag(std::string_view key) { return choice<bool>(key, {{"0", false}, {"1", true}}); }

void Options::require_device(std::string_view only) {
  const auto device = text("device");
  if (!device || *device == only) return;
  throw Failure(LAPSE_DEVICE_UNUSABLE, "this engine has no device '" + *device + "'", "it runs on: " + std::string(only));
}

void Options::refuse_unknown() const {
  for (const auto& option : std::span(options_, count_)) {
    if (std::find(known_.begin(), known_.end(), option.key) != known_.end()) continue;
    std::string names;
    for (const auto& name : known_) names.append(names.empty() ? "" : ", ").append(name);
    throw Failure(LAPSE_BAD_INPUT, "unknown engine option '" + std::string(option.key) + "'",
                  names.empty() ? "this engine takes none" : "this engine takes " + names);
  }
}

void Options::refuse(std::string_view key, std::string_view value, std::string_view wanted) {
  throw Failure(LAPSE_BAD_INPUT, "engine option " + std::string(key) + "=" + std::string(value) + " must be " + std::string(wanted));
}

}  // namespace lapse::plugin
