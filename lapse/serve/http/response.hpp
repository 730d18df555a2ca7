#pragma once
// The head of an answer, as bytes.

#include <ctime>
#include <lapse/serve/http/exchange.hpp>
#include <string>

namespace lapse::serve::http {

/// How the end of the body is told.
enum class Ending : std::uint8_t { Length, Chunked, Close, NoBody };

/// Status line, the server's own headers, the response's, and the empty line. Control characters in a handler's headers become spaces: no
/// header can be smuggled in by a value. `now` is for Date.
std::string head_text(const Response& response, Ending ending, std::uint64_t length, bool keep_alive, std::time_t now);

/// An answer that no ErrorCode stands for.
Response problem(unsigned status, std::string_view message, std::string_view hint = {});

}  // namespace lapse::serve::http
