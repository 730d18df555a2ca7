#pragma once
// The fields of one record of CSV (RFC 4180, section 2). Of lapse/report alone.

#include <string>
#include <string_view>

namespace lapse::report {

/// Without the blanks and line ends round it.
std::string_view trimmed(std::string_view text);

/// Goes through them from the left. The record outlives it.
class CsvFields {
 public:
  explicit CsvFields(std::string_view record) : rest_(record) {}

  /// False behind the last. A record has at least one field, which may be empty.
  bool next();
  /// Trimmed, and without its quotes; until the next call of next(). What follows a closing quote belongs to it: nothing is lost silently.
  std::string_view field() const { return field_; }

 private:
  std::string_view rest_, field_;
  std::string unquoted_;
  bool ended_ = false;
};

}  // namespace lapse::report
