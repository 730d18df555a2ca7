#include <algorithm>
#include <lapse/report/csv_record.hpp>

namespace lapse::report {
namespace {

/// Of `text`, which begins with a quote: what stands in the quotes goes to `out`. Returns what stands behind them.
std::string_view unquote(std::string_view text, std::string& out) {
  out.clear();
  text.remove_prefix(1);
  while (true) {
    const std::size_t quote = text.find('"');
    out += text.substr(0, quote);
    if (quote == text.npos) return {};
    text.remove_prefix(quote + 1);
    if (!text.starts_with('"')) return text;
    out += '"';
    text.remove_prefix(1);
  }
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);  // npos + 1 is 0
}

bool CsvFields::next() {
  if (ended_) return false;
  const std::string_view content = trimmed(rest_);
  const bool quoted = content.starts_with('"');
  if (quoted) rest_ = unquote(content, unquoted_);
  const std::size_t comma = rest_.find(',');
  if (quoted) unquoted_ += rest_.substr(0, comma);
  field_ = trimmed(quoted ? unquoted_ : rest_.substr(0, comma));
  ended_ = comma == rest_.npos;
  if (!ended_) rest_.remove_prefix(comma + 1);
  return true;
}

}  // namespace lapse::report
