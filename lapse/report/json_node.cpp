#include <fmt/format.h>

#include <lapse/base/time.hpp>
#include <lapse/report/json_node.hpp>

namespace lapse::report {
namespace {

bool is_duration(double ns) { return ns >= 0 && ns <= kLongestDuration; }

}  // namespace

JsonNode JsonNode::operator[](const char* key) const {
  if (!value_.is_object()) expected("an object");
  const auto found = value_.find(key);
  if (found == value_.end()) throw WrongJson{below(key) + ": missing"};
  return {*found, below(key)};
}

JsonNode JsonNode::operator[](std::size_t index) const { return {value_[index], fmt::format("{}[{}]", path_, index)}; }

std::string JsonNode::text() const {
  if (!value_.is_string()) expected("a string");
  return value_.get<std::string>();
}

std::vector<std::string> JsonNode::texts() const {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < size(); ++i) out.push_back((*this)[i].text());
  return out;
}

bool JsonNode::boolean() const {
  if (!value_.is_boolean()) expected("true or false");
  return value_.get<bool>();
}

std::int64_t JsonNode::count(std::int64_t most) const {
  if (!value_.is_number_integer()) expected("a whole number");
  const auto count = value_.get<std::int64_t>();  // what only uint64 holds wraps round to a negative number
  if (count < 0 || count > most) expected(fmt::format("a whole number in 0 … {}", most));
  return count;
}

double JsonNode::number() const {
  if (value_.is_null()) return std::numeric_limits<double>::infinity();
  if (!value_.is_number()) expected("a number");
  return value_.get<double>();
}

double JsonNode::duration() const {
  const double ns = number();
  if (!value_.is_null() && !is_duration(ns)) expected("nanoseconds, 0 or more");
  return ns;
}

std::vector<double> JsonNode::durations() const {
  if (!value_.is_array()) expected("an array of numbers");
  std::vector<double> out;
  out.reserve(value_.size());
  for (const nlohmann::json& item : value_) {
    if (!item.is_number()) expected("an array of numbers");
    out.push_back(item.get<double>());
    if (!is_duration(out.back())) expected("an array of nanoseconds, each 0 or more");
  }
  return out;
}

std::string JsonNode::one_of(std::initializer_list<const char*> words) const {
  const bool known = value_.is_string() && std::any_of(words.begin(), words.end(), [this](const char* word) { return value_ == word; });
  if (!known) expected(fmt::format("one of {}", fmt::join(words, ", ")));
  return value_.get<std::string>();
}

std::map<std::string, std::string> JsonNode::facts() const {
  if (!value_.is_object()) expected("an object of strings");
  std::map<std::string, std::string> out;
  for (const auto& [key, value] : value_.items()) {
    if (!value.is_string()) expected("an object of strings");
    out.emplace(key, value.get<std::string>());
  }
  return out;
}

stats::QuantileEstimate JsonNode::quantile() const {
  if (has("needs")) return tl::unexpected(stats::Needs{(*this)["needs"].unsigned_count()});
  const double effective = has("effective") ? (*this)["effective"].duration() : 0.0;
  return stats::Estimate{(*this)["value"].duration(), (*this)["low"].duration(), (*this)["high"].duration(), effective};
}

std::size_t JsonNode::size() const {
  if (!value_.is_array()) expected("an array");
  return value_.size();
}

void JsonNode::expected(const std::string& what) const {
  throw WrongJson{fmt::format("{}: expected {}", path_.empty() ? "the document" : path_, what)};
}

host::Fingerprint read_fingerprint(const JsonNode& node) {
  host::Fingerprint host;
  host.cpu = node["cpu"].text();
  host.cpus_online = node["cpus_online"].small_count();
  host.cpus_allowed = node["cpus_allowed"].small_count();
  if (!node["cpu_limit"].is_null()) host.cpu_limit = node["cpu_limit"].number();
  if (!node["memory_limit_bytes"].is_null()) host.memory_limit = node["memory_limit_bytes"].unsigned_count();
  host.memory_total = node["memory_total_bytes"].unsigned_count();
  host.governor = node["governor"].text();
  host.hypervisor = node["hypervisor"].text();
  host.os = node["os"].text();
  host.kernel = node["kernel"].text();
  host.libc = node["libc"].text();
  host.compiler = node["compiler"].text();
  host.build_type = node["build_type"].text();
  host.lapse_version = node["lapse_version"].text();
  host.git_commit = node["git_commit"].text();
  return host;
}

std::string json_place(std::string_view text, std::size_t byte) {
  const std::string_view before = text.substr(0, std::min(byte == 0 ? 0 : byte - 1, text.size()));
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return fmt::format("line {}, column {}", line, before.size() - line_start + 1);
}

}  // namespace lapse::report
