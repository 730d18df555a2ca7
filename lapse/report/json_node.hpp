#pragma once
// How a document of docs/json.md is read back: every complaint names the key. Of lapse/report alone.

#include <algorithm>
#include <initializer_list>
#include <lapse/base/error.hpp>
#include <lapse/host/fingerprint.hpp>
#include <lapse/stats/summary.hpp>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace lapse::report {

/// What is wrong with a document. Thrown by a JsonNode, caught by read_json.
struct WrongJson {
  std::string message;
};

/// A value of a document that knows where it stands.
class JsonNode {
 public:
  JsonNode(const nlohmann::json& value, std::string path) : value_(value), path_(std::move(path)) {}

  JsonNode operator[](const char* key) const;
  JsonNode operator[](std::size_t index) const;

  std::string text() const;
  std::vector<std::string> texts() const;
  bool boolean() const;
  std::int64_t count(std::int64_t most = std::numeric_limits<std::int64_t>::max()) const;
  int small_count() const { return static_cast<int>(count(std::numeric_limits<int>::max())); }
  std::uint64_t unsigned_count() const { return static_cast<std::uint64_t>(count()); }
  /// Finite, or infinite where it is null.
  double number() const;
  double duration() const;
  std::vector<double> durations() const;
  std::string one_of(std::initializer_list<const char*> words) const;
  std::map<std::string, std::string> facts() const;
  stats::QuantileEstimate quantile() const;

  bool is_null() const { return value_.is_null(); }
  bool has(const char* key) const { return value_.contains(key); }
  std::size_t size() const;

  /// Always throws.
  [[noreturn]] void expected(const std::string& what) const;

 private:
  std::string below(const char* key) const { return path_.empty() ? key : path_ + '.' + key; }

  const nlohmann::json& value_;
  std::string path_;
};

/// What fingerprint_json wrote.
host::Fingerprint read_fingerprint(const JsonNode& node);

/// Of a byte that counts from 1: "line 3, column 5".
std::string json_place(std::string_view text, std::size_t byte);

/// What `read` makes of the document. An error says `what` before what is wrong, and `hint` behind it. Safe on hostile bytes.
template <class Read>
auto read_json(std::string_view text, const std::string& what, const std::string& hint, Read read)
    -> Result<decltype(read(std::declval<const JsonNode&>()))> {
  const auto bad = [&](const std::string& message) { return fail(ErrorCode::BadInput, what + ": " + message, hint); };
  try {
    const auto document = nlohmann::json::parse(text);
    return read(JsonNode(document, ""));
  } catch (const WrongJson& wrong) {
    return bad(wrong.message);
  } catch (const nlohmann::json::parse_error& error) {
    return bad("not JSON at " + json_place(text, error.byte));
  } catch (const nlohmann::json::exception&) {
    return bad("a number is out of range");
  }
}

}  // namespace lapse::report
