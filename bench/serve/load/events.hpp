#pragma once
// Server-sent events out of the pieces that they come in.

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace load {

class Events {
 public:
  /// Called with the type and the job of each event.
  explicit Events(std::function<void(std::string_view type, const std::string& job)> seen) : seen_(std::move(seen)) {}

  void take(std::string_view piece) {
    text_ += piece;
    std::size_t begin = 0;
    for (std::size_t end; (end = text_.find('\n', begin)) != std::string::npos; begin = end + 1) {
      line(std::string_view{text_}.substr(begin, end - begin));
    }
    text_.erase(0, begin);
  }

 private:
  static std::string_view value(std::string_view line, std::size_t name) {
    line.remove_prefix(name);
    if (line.starts_with(' ')) line.remove_prefix(1);
    return line;
  }

  void line(std::string_view text) {
    if (text.ends_with('\r')) text.remove_suffix(1);
    if (text.starts_with("event:")) type_ = value(text, 6);
    if (text.starts_with("data:")) data_ += value(text, 5);
    if (!text.empty()) return;
    if (!data_.empty()) {
      const auto json = nlohmann::json::parse(data_, nullptr, false);
      if (json.is_object()) seen_(type_, json.value("job", ""));
    }
    type_.clear();
    data_.clear();
  }

  std::function<void(std::string_view, const std::string&)> seen_;
  std::string text_, type_, data_;
};

}  // namespace load
