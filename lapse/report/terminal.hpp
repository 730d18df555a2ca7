#pragma once
// Text for a terminal: how many columns it takes, and what of it is safe to print.
//
// Everything here takes any bytes: what is not UTF-8 counts and prints as U+FFFD. Widths are those of a modern terminal (Unicode Standard
// Annex #11: wide and fullwidth 2, combining 0, the rest 1; characters of ambiguous width are narrow).

#include <cstddef>
#include <string>
#include <string_view>

namespace lapse::report {

/// Columns that `utf8` takes on a terminal.
std::size_t display_width(std::string_view utf8);

/// `utf8` with spaces behind it up to `columns`; as it is when it is wider already.
std::string padded(std::string_view utf8, std::size_t columns);

/// Without what would move the cursor, start an escape sequence or reorder the line: control and bidirectional characters become '?'.
/// Text from a file (names in a model, a saved result) goes through this before it reaches a terminal.
std::string printable(std::string_view utf8);

/// ASCII only: the symbols that reports use are spelt out ("± 1 %" → "+- 1 %", "µs" → "us"), anything else becomes '?'.
std::string to_ascii(std::string_view utf8);

/// Breaks at spaces so that no line is wider than `columns`, further lines indented by `indent` spaces. Leading spaces of `utf8` stay. A
/// word wider than the line stays whole: a path is to be copied. Every line ends in '\n'.
std::string wrapped(std::string_view utf8, std::size_t columns, std::size_t indent);

}  // namespace lapse::report
