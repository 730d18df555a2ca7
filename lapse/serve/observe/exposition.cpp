#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <lapse/serve/observe/exposition.hpp>
#include <limits>

namespace lapse::serve {
namespace {

constexpr std::size_t kLargest = 16u << 20;  // bytes; a thousand models' histograms are less

bool of_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == ':'; }

std::string_view take_name(std::string_view& line) {
  const auto end = static_cast<std::size_t>(std::ranges::find_if_not(line, of_name) - line.begin());
  const std::string_view name = line.substr(0, end);
  line.remove_prefix(end);
  return name;
}

bool take(std::string_view& line, char c) {
  if (line.empty() || line.front() != c) return false;
  line.remove_prefix(1);
  return true;
}

void skip_spaces(std::string_view& line) {
  while (take(line, ' ') || take(line, '\t')) {
  }
}

std::optional<std::string> take_quoted(std::string_view& line) {
  if (!take(line, '"')) return std::nullopt;
  std::string text;
  while (!line.empty() && line.front() != '"') {
    if (take(line, '\\')) {
      if (line.empty()) return std::nullopt;
      text += line.front() == 'n' ? '\n' : line.front();
    } else {
      text += line.front();
    }
    line.remove_prefix(1);
  }
  if (!take(line, '"')) return std::nullopt;
  return text;
}

std::optional<double> take_number(std::string_view& line) {
  const std::string_view word = line.substr(0, line.find_first_of(" \t"));
  line.remove_prefix(word.size());
  if (word == "+Inf") return std::numeric_limits<double>::infinity();
  double value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (word.empty() || error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return value;
}

bool take_labels(std::string_view& line, Sample& sample) {
  if (!take(line, '{')) return true;
  while (!take(line, '}')) {
    const std::string name(take_name(line));
    if (name.empty() || !take(line, '=')) return false;
    auto value = take_quoted(line);
    if (!value) return false;
    sample.labels[name] = std::move(*value);
    if (!take(line, ',') && (line.empty() || line.front() != '}')) return false;
  }
  return true;
}

bool has(const Sample& sample, const Exposition::Wanted& wanted) {
  return std::ranges::all_of(wanted, [&](const auto& label) {
    const auto found = sample.labels.find(label.first);
    return found != sample.labels.end() && found->second == label.second;
  });
}

}  // namespace

Result<Exposition> Exposition::parse(std::string_view text) {
  if (text.size() > kLargest) return fail(ErrorCode::BadInput, "these metrics are too many");
  Exposition out;
  for (std::size_t number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    const std::string_view name = take_name(line);
    Sample sample;
    const bool labelled = !name.empty() && take_labels(line, sample);
    skip_spaces(line);
    const auto value = labelled ? take_number(line) : std::nullopt;
    if (!value) return fail(ErrorCode::BadInput, fmt::format("line {} is no metric", number), "is this the address of a lapse server?");
    sample.value = *value;
    out.samples_[std::string(name)].push_back(std::move(sample));
  }
  return out;
}

const std::vector<Sample>& Exposition::of(std::string_view name) const {
  static const std::vector<Sample> kNone;
  const auto found = samples_.find(name);
  return found == samples_.end() ? kNone : found->second;
}

double Exposition::sum(std::string_view name, const Wanted& wanted) const {
  double total = 0;
  for (const Sample& sample : of(name)) total += has(sample, wanted) ? sample.value : 0;
  return total;
}

std::map<double, double> Exposition::buckets(std::string_view name, const Wanted& wanted) const {
  std::map<double, double> out;
  for (const Sample& sample : of(fmt::format("{}_bucket", name))) {
    const auto le = sample.labels.find("le");
    if (le == sample.labels.end() || !has(sample, wanted)) continue;
    std::string_view text = le->second;
    if (const auto bound = take_number(text); bound && !std::isnan(*bound)) out[*bound] += sample.value;
  }
  return out;
}

double increase(double before, double now) { return now >= before ? now - before : now; }

std::map<double, double> increase(const std::map<double, double>& before, const std::map<double, double>& now) {
  if (before.empty() || now.empty() || before.rbegin()->second > now.rbegin()->second) return now;  // the server was started anew
  std::map<double, double> out;
  for (const auto& [bound, count] : now) {
    const auto then = before.find(bound);
    out[bound] = count - (then == before.end() ? 0 : then->second);
  }
  return out;
}

std::optional<double> quantile(const std::map<double, double>& cumulative, double q) {
  if (cumulative.empty() || !(cumulative.rbegin()->second > 0)) return std::nullopt;
  const double rank = q * cumulative.rbegin()->second;
  const auto found = std::ranges::find_if(cumulative, [&](const auto& bucket) { return bucket.second >= rank && bucket.second > 0; });
  return found == cumulative.end() ? cumulative.rbegin()->first : found->first;
}

}  // namespace lapse::serve
