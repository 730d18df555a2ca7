#pragma once
// A report on a terminal of 80 columns: titles, rows of a label and a value, the table of times. Everything is safe to print, and in ASCII
// where that is asked for. Of lapse/report alone.

#include <cstddef>
#include <lapse/report/outline.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace lapse::report {

class TextPage {
 public:
  explicit TextPage(bool unicode) : unicode_(unicode) {}

  void line(std::string_view text, std::size_t hanging_indent);
  void blank() { text_ += '\n'; }
  /// To be read before any number.
  void alert(const std::string& text) { line("!! " + text, 3); }
  void row(const Row& row);
  void rows(const std::vector<Row>& rows) {
    for (const Row& each : rows) row(each);
  }
  void latency(const Latency& latency);
  void table(const Table& table);
  void remark(const std::string& text) { line("  ! " + text, 4); }
  void warnings(const std::vector<Message>& warnings);
  std::string take() { return std::move(text_); }

 private:
  bool unicode_;
  std::string text_;
};

}  // namespace lapse::report
