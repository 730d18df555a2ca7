#include <algorithm>
#include <array>
#include <lapse/report/terminal.hpp>

namespace lapse::report {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

struct Interval {
  char32_t first, last;
  constexpr bool contains(char32_t c) const { return first <= c && c <= last; }
};

// Unicode 15 EastAsianWidth.txt, W and F, adjacent blocks joined. Decomposed Hangul (file names from a Mac) adds up: the leading consonant
// is 2 wide, vowel and final consonant 0.
constexpr std::array kWide{
    Interval{0x1100, 0x115F},   Interval{0x231A, 0x231B},   Interval{0x23E9, 0x23EC},   Interval{0x2E80, 0x303E},
    Interval{0x3041, 0x4DBF},   Interval{0x4E00, 0xA4CF},   Interval{0xA960, 0xA97F},   Interval{0xAC00, 0xD7A3},
    Interval{0xF900, 0xFAFF},   Interval{0xFE30, 0xFE6F},   Interval{0xFF01, 0xFF60},   Interval{0xFFE0, 0xFFE6},
    Interval{0x1F300, 0x1F64F}, Interval{0x1F680, 0x1F6FF}, Interval{0x1F900, 0x1F9FF}, Interval{0x20000, 0x3FFFD},
};
constexpr std::array kZero{
    Interval{0x0300, 0x036F}, Interval{0x1160, 0x11FF}, Interval{0x1AB0, 0x1AFF}, Interval{0x1DC0, 0x1DFF}, Interval{0x200B, 0x200D},
    Interval{0x20D0, 0x20FF}, Interval{0xD7B0, 0xD7FF}, Interval{0xFE00, 0xFE0F}, Interval{0xFE20, 0xFE2F},
};
// C0, DEL, C1, line and paragraph separators, bidirectional marks, embeddings, overrides and isolates, byte order mark.
constexpr std::array kUnsafe{
    Interval{0x0000, 0x001F}, Interval{0x007F, 0x009F}, Interval{0x061C, 0x061C}, Interval{0x200E, 0x200F},
    Interval{0x2028, 0x202E}, Interval{0x2066, 0x2069}, Interval{0xFEFF, 0xFEFF},
};

template <std::size_t N>
bool among(char32_t c, const std::array<Interval, N>& table) {
  return std::any_of(table.begin(), table.end(), [c](const Interval& interval) { return interval.contains(c); });
}

struct Character {
  char32_t code = kReplacement;
  std::size_t bytes = 1;
};

/// The first character of `utf8`, which is not empty. A malformed byte is one replacement character.
Character first(std::string_view utf8) {
  const auto byte = [&](std::size_t i) -> char32_t { return i < utf8.size() ? static_cast<unsigned char>(utf8[i]) : 0U; };
  const char32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead >= 0xF0 && lead < 0xF5 ? 4 : lead >= 0xE0 && lead < 0xF0 ? 3 : lead >= 0xC2 && lead < 0xE0 ? 2 : 0;
  if (length == 0) return {};
  char32_t code = lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return {};
    code = (code << 6U) | (byte(i) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < kSmallest[length] || code > 0x10FFFF || surrogate) return {};
  return {code, length};
}

std::size_t width_of(char32_t code) { return among(code, kZero) ? 0 : among(code, kWide) ? 2 : 1; }

struct Spelling {
  std::string_view symbol, ascii;
};

constexpr std::array kSpellings{
    Spelling{"·", "-"},  Spelling{"…", "-"}, Spelling{"±", "+-"}, Spelling{"≥", ">="}, Spelling{"×", "x"}, Spelling{"≤", "<="},
    Spelling{"→", "->"}, Spelling{"µ", "u"}, Spelling{"▁", "_"},  Spelling{"▂", "."},  Spelling{"▃", ":"}, Spelling{"▄", "-"},
    Spelling{"▅", "="},  Spelling{"▆", "+"}, Spelling{"▇", "*"},  Spelling{"█", "#"},
};

}  // namespace

std::size_t display_width(std::string_view utf8) {
  std::size_t width = 0;
  while (!utf8.empty()) {
    const Character character = first(utf8);
    width += width_of(character.code);
    utf8.remove_prefix(character.bytes);
  }
  return width;
}

std::string padded(std::string_view utf8, std::size_t columns) {
  const std::size_t width = display_width(utf8);
  std::string out(utf8);
  if (width < columns) out.append(columns - width, ' ');
  return out;
}

std::string printable(std::string_view utf8) {
  std::string out;
  out.reserve(utf8.size());
  while (!utf8.empty()) {
    const Character character = first(utf8);
    const bool malformed = character.code == kReplacement && character.bytes == 1;
    if (malformed) {
      out += "\xEF\xBF\xBD";
    } else if (among(character.code, kUnsafe)) {
      out += '?';
    } else {
      out += utf8.substr(0, character.bytes);
    }
    utf8.remove_prefix(character.bytes);
  }
  return out;
}

std::string to_ascii(std::string_view utf8) {
  std::string out;
  out.reserve(utf8.size());
  while (!utf8.empty()) {
    const std::string_view symbol = utf8.substr(0, first(utf8).bytes);
    utf8.remove_prefix(symbol.size());
    const auto* spelling = std::find_if(kSpellings.begin(), kSpellings.end(), [&](const Spelling& s) { return s.symbol == symbol; });
    if (static_cast<unsigned char>(symbol.front()) < 0x80) {
      out += symbol;
    } else {
      out += spelling != kSpellings.end() ? spelling->ascii : "?";
    }
  }
  return out;
}

std::string wrapped(std::string_view utf8, std::size_t columns, std::size_t indent) {
  std::string out;
  std::size_t begin = std::min(utf8.find_first_not_of(' '), utf8.size());
  std::string line(begin, ' ');
  bool fresh = true;  // nothing but the indentation stands on the line
  while (begin < utf8.size()) {
    // A word goes with the spaces in front of it, so that aligned columns stay aligned.
    const std::size_t word = std::min(utf8.find_first_not_of(' ', begin), utf8.size());
    const std::size_t end = std::min(utf8.find(' ', word), utf8.size());
    if (!fresh && display_width(line) + display_width(utf8.substr(begin, end - begin)) > columns) {
      out += line + '\n';
      line.assign(indent, ' ');
      fresh = true;
    }
    line += utf8.substr(fresh ? word : begin, end - (fresh ? word : begin));
    fresh = false;
    begin = end;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return out + line + '\n';
}

}  // namespace lapse::report
