#include "cli/sweep_axes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <lapse/engine/catalogue.hpp>
#include <string_view>

namespace lapse::cli {
namespace {

constexpr std::size_t kMostPoints = 10'000;  // at a second each that is three hours already

/// "a,,b" → "a", "", "b"; an empty text has one empty element.
std::vector<std::string> elements(std::string_view text) {
  std::vector<std::string> out;
  while (true) {
    const std::size_t comma = text.find(',');
    out.emplace_back(text.substr(0, comma));
    if (comma == text.npos) return out;
    text.remove_prefix(comma + 1);
  }
}

bool read_count(std::string_view text, std::int64_t most, std::int64_t& count) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  return error == std::errc{} && end == text.data() + text.size() && count >= 1 && count <= most;
}

template <class T>
Result<void> refuse_repeats(const std::string& option, const std::vector<T>& list) {
  for (auto each = list.begin(); each != list.end(); ++each) {
    if (std::find(list.begin(), each, *each) == each) continue;
    return fail(ErrorCode::BadUse, fmt::format("{} has {} twice", option, *each), "name each once");
  }
  return {};
}

Result<std::vector<std::string>> parse_names(const std::string& option, const std::string& text) {
  std::vector<std::string> out = elements(text);
  if (text.empty()) return out;
  if (std::ranges::find(out, "") != out.end()) {
    return fail(ErrorCode::BadUse, fmt::format("{} '{}' has an empty element", option, text), "separate names by one comma");
  }
  LAPSE_CHECK(refuse_repeats(option, out));
  return out;
}

// What lies in a file of its own is looked for when it is used.
Result<void> check_engines(const std::vector<std::string>& engines) {
  const std::vector<std::string> known = engine::engine_names();
  for (const std::string& name : engines) {
    std::error_code failed;
    const bool file = name.find('/') != name.npos;
    if (name.empty() || (file ? std::filesystem::exists(name, failed) : std::ranges::find(known, name) != known.end())) continue;
    return fail(ErrorCode::BadUse, fmt::format("--engine: there is no engine '{}'", name),
                fmt::format("there are: {}; or the path of a plug-in", fmt::join(known, ", ")));
  }
  return {};
}

Result<std::vector<std::int64_t>> counts_or(const std::string& option, const std::string& text, std::int64_t most, std::int64_t otherwise) {
  if (text.empty()) return std::vector<std::int64_t>{otherwise};
  return parse_counts(option, text, most);
}

/// As it may stand in a file's name. What is changed by that gets a number of its own, so that no two names become one.
std::string for_file(const std::string& name) {
  std::string out = name;
  for (char& c : out) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
    if (!plain) c = '-';
  }
  if (out == name) return out;
  constexpr std::size_t kLongest = 40;
  std::uint64_t hash = 14695981039346656037U;  // FNV-1a
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return fmt::format("{}~{:016x}", out.substr(out.size() - std::min(out.size(), kLongest)), hash);
}

}  // namespace

std::string SweepRequest::file_name() const {
  std::string out = "point";
  if (batch > 0) out += fmt::format("-batch{}", batch);
  if (threads > 0) out += fmt::format("-threads{}", threads);
  out += fmt::format("-inflight{}", in_flight);
  if (!engine.empty()) out += "-" + for_file(engine);
  if (!device.empty()) out += "-on-" + for_file(device);
  return out;
}

Result<std::vector<std::int64_t>> parse_counts(const std::string& option, const std::string& text, std::int64_t most) {
  std::vector<std::int64_t> out;
  for (const std::string& element : elements(text)) {
    const std::size_t dots = element.find("..");
    std::int64_t first = 0, last = 0;
    const std::string_view view = element;
    const bool range = dots != element.npos;
    const bool read = read_count(view.substr(0, dots), most, first) && (!range || read_count(view.substr(dots + 2), most, last));
    if (!read || (range && last < first)) {
      return fail(ErrorCode::BadUse,
                  fmt::format("{} '{}': '{}' is no number from 1 to {}, and no range of them", option, text, element, most),
                  fmt::format("for example: {} 1,2,4 or {} 1..32", option, option));
    }
    for (; range && first < last; first *= 2) out.push_back(first);
    out.push_back(range ? last : first);
  }
  LAPSE_CHECK(refuse_repeats(option, out));
  return out;
}

Result<std::vector<SweepRequest>> SweepAxes::points() const {
  constexpr std::int64_t kMostItems = 1'000'000'000'000, kMostThreads = 4096, kMostInFlight = 1024;  // as for `lapse time`
  LAPSE_TRY(const auto batch_list, counts_or("--batch", batches, kMostItems, 0));
  LAPSE_TRY(const auto thread_list, counts_or("--threads", threads, kMostThreads, 0));
  LAPSE_TRY(const auto in_flight_list, counts_or("--inflight", in_flight, kMostInFlight, 1));
  LAPSE_TRY(const auto engine_list, parse_names("--engine", engines));
  LAPSE_TRY(const auto device_list, parse_names("--device", devices));
  LAPSE_CHECK(check_engines(engine_list));

  // A list is as long as a command line at the most: no product of five of them overflows a double.
  const double count = static_cast<double>(batch_list.size()) * static_cast<double>(thread_list.size()) *
                       static_cast<double>(in_flight_list.size()) * static_cast<double>(engine_list.size()) *
                       static_cast<double>(device_list.size());
  if (count > static_cast<double>(kMostPoints)) {
    return fail(ErrorCode::BadUse, fmt::format("{:.0f} points are more than {}", count, kMostPoints), "shorten the lists");
  }
  std::vector<SweepRequest> out;
  for (const std::string& engine : engine_list)
    for (const std::string& device : device_list)
      for (const std::int64_t thread_count : thread_list)
        for (const std::int64_t in_flight_count : in_flight_list)
          for (const std::int64_t batch : batch_list) {
            out.push_back({batch, static_cast<int>(thread_count), in_flight_count, engine, device});
          }
  return out;
}

}  // namespace lapse::cli
