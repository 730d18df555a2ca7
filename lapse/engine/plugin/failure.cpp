#include <lapse/engine/plugin/failure.hpp>

#include <array>
#include <cctype>
#include <cstddef>
#include <cstring>
#include <new>
#include <string_view>

namespace lapse::plugin {
namespace {

// Three lines of a terminal: longer than that, nobody reads an error.
using Text = std::array<char, 320>;

thread_local Text message_text{};
thread_local Text hint_text{};

bool continues_utf8(char c) noexcept { return (static_cast<unsigned char>(c) & 0xC0u) == 0x80u; }

// Copies with every run of white space and control characters as one space, without a full stop at the end, and cut with an ellipsis where
// it does not fit.
void keep(Text& text, std::string_view source) noexcept {
  constexpr std::string_view kEllipsis = "…";
  const std::size_t room = text.size() - kEllipsis.size() - 1;
  std::size_t length = 0;
  bool gap = false;
  bool cut = false;
  for (const char c : source) {
    if (std::isspace(static_cast<unsigned char>(c)) != 0 || std::iscntrl(static_cast<unsigned char>(c)) != 0) {
      gap = length > 0;
      continue;
    }
    if (length + 2 > room) {
      cut = true;
      break;
    }
    if (gap) text[length++] = ' ';
    gap = false;
    text[length++] = c;
  }
  if (cut) {
    while (length > 0 && continues_utf8(text[length - 1])) --length;
    if (length > 0 && static_cast<unsigned char>(text[length - 1]) >= 0xC0u) --length;
    std::memcpy(text.data() + length, kEllipsis.data(), kEllipsis.size());
    length += kEllipsis.size();
  }
  if (length > 0 && text[length - 1] == '.') --length;
  text[length] = '\0';
}

lapse_status keep(lapse_status status, std::string_view message, std::string_view hint) noexcept {
  keep(message_text, message);
  keep(hint_text, hint);
  return status;
}

}  // namespace

const char* last_message() noexcept { return message_text.data(); }
const char* last_hint() noexcept { return hint_text.data(); }

lapse_status remember_failure() noexcept {
  try {
    throw;
  } catch (const Failure& failure) {
    return keep(failure.status(), failure.what(), failure.hint());
  } catch (const std::bad_alloc&) {
    return keep(LAPSE_OUT_OF_MEMORY, "out of memory", "");
  } catch (const std::exception& exception) {
    return keep(LAPSE_INTERNAL, exception.what(), "");
  } catch (...) {
    return keep(LAPSE_INTERNAL, "an exception of an unknown type", "");
  }
}

}  // namespace lapse::plugin
