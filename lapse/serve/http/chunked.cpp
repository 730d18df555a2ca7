#include <lapse/serve/http/chunked.hpp>

#include <algorithm>

namespace lapse::serve::http {
namespace {

constexpr int kMaxDigits = 15;                      // 2^60 bytes: no overflow, and more than anybody sends
constexpr std::uint64_t kMaxOverhead = 8ull << 10;  // what nobody reads shall not cost much to read over

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  const char letter = static_cast<char>(c | 0x20);
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

bool is_text(char c) noexcept { return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f); }

}  // namespace

std::optional<std::size_t> ChunkedDecoder::feed(std::string_view input, std::string& body) {
  std::size_t at = 0;
  while (at < input.size() && state_ != State::Done) {
    if (state_ == State::Data) {
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size() - at));
      body.append(input.substr(at, count));
      at += count;
      left_ -= count;
      if (left_ == 0) state_ = State::DataReturn;
    } else if (!step(input[at++])) {
      return std::nullopt;
    }
  }
  return at;
}

bool ChunkedDecoder::step(char c) {
  switch (state_) {
    case State::Size:
      if (const int digit = hex_digit(c); digit >= 0) {
        left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
        return ++digits_ <= kMaxDigits;
      }
      state_ = c == ';' ? State::Extension : State::SizeEnd;
      return digits_ > 0 && (c == ';' || c == '\r');
    case State::Extension:
      if (c == '\r') {
        state_ = State::SizeEnd;
        return true;
      }
      return is_text(c) && ++overhead_ <= kMaxOverhead;
    case State::SizeEnd:
      digits_ = 0;
      state_ = left_ == 0 ? State::Trailer : State::Data;
      return c == '\n';
    case State::DataReturn:
      state_ = State::DataEnd;
      return c == '\r';
    case State::DataEnd:
      state_ = State::Size;
      return c == '\n';
    case State::Trailer:
      if (c == '\r') {
        state_ = State::TrailerEnd;
        return true;
      }
      line_empty_ = false;
      return is_text(c) && ++overhead_ <= kMaxOverhead;
    case State::TrailerEnd:
      state_ = line_empty_ ? State::Done : State::Trailer;
      line_empty_ = true;
      return c == '\n';
    case State::Data:
    case State::Done:
      break;
  }
  return false;
}

}  // namespace lapse::serve::http
