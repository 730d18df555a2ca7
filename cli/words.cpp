#include "cli/words.hpp"

#include <fmt/format.h>

#include <optional>

namespace lapse::cli {

Result<std::vector<std::string>> split_words(std::string_view text) {
  std::vector<std::string> words;
  std::optional<std::string> word;
  char quote = '\0';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool blank = c == ' ' || c == '\t' || c == '\n';
    if (quote == '\0' && blank) {
      if (word) words.push_back(std::move(*word));
      word.reset();
      continue;
    }
    if (!word) word.emplace();
    if (quote == '\0' && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == quote) {
      quote = '\0';
    } else if (c == '\\' && quote != '\'' && i + 1 < text.size()) {
      const char next = text[++i];
      if (quote == '"' && next != '"' && next != '\\') *word += c;
      *word += next;
    } else {
      *word += c;
    }
  }
  if (quote != '\0')
    return fail(ErrorCode::BadUse, fmt::format("the quotation in {} has no end", text), fmt::format("close it with {}", quote));
  if (word) words.push_back(std::move(*word));
  if (words.empty()) return fail(ErrorCode::BadUse, "it is empty", "for example: --a 'model.onnx --threads 1'");
  return words;
}

}  // namespace lapse::cli
