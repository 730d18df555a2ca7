#pragma once
// The chunked transfer coding (RFC 9112, section 7.1), read strictly: what two readers could understand in two ways is an error, because
// that is how requests are smuggled past a proxy. Extensions and trailers are read over, and bounded. Does no I/O.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lapse::serve::http {

class ChunkedDecoder {
 public:
  /// Takes bytes from the front of `input`, appends what they carry to `body`, and returns how many it took: all of them, unless the body
  /// ends within. Nothing: malformed.
  std::optional<std::size_t> feed(std::string_view input, std::string& body);
  bool done() const noexcept { return state_ == State::Done; }

 private:
  enum class State : std::uint8_t { Size, Extension, SizeEnd, Data, DataReturn, DataEnd, Trailer, TrailerEnd, Done };
  bool step(char c);

  State state_ = State::Size;
  int digits_ = 0;              // of the present chunk's size
  bool line_empty_ = true;      // of the present trailer line
  std::uint64_t left_ = 0;      // of the present chunk
  std::uint64_t overhead_ = 0;  // bytes of extensions and trailers so far
};

}  // namespace lapse::serve::http
