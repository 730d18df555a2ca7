#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/beast/http/status.hpp>
#include <iterator>
#include <lapse/serve/http/response.hpp>
#include <lapse/serve/http/text.hpp>
#include <nlohmann/json.hpp>

namespace lapse::serve::http {
namespace {

// "Sun, 06 Nov 1994 08:49:37 GMT"; made anew once a second.
const std::string& date(std::time_t now) {
  thread_local std::time_t when = -1;
  thread_local std::string text;
  if (when == now) return text;
  constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm t{};
  gmtime_r(&now, &t);
  text = fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[static_cast<std::size_t>(t.tm_wday)], t.tm_mday,
                     kMonths[static_cast<std::size_t>(t.tm_mon)], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
  when = now;
  return text;
}

void add(std::string& head, std::string_view name, std::string_view value) {
  head += name;
  head += ": ";
  std::transform(value.begin(), value.end(), std::back_inserter(head),
                 [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c; });
  head += "\r\n";
}

}  // namespace

std::string head_text(const Response& response, Ending ending, std::uint64_t length, bool keep_alive, std::time_t now) {
  const auto reason = boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(response.status));
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", response.status, std::string_view{reason.data(), reason.size()});
  add(head, "Date", date(now));
  add(head, "Server", "lapse");
  add(head, "X-Content-Type-Options", "nosniff");
  const auto is_caching = [](const auto& header) { return same_letters(header.first, "Cache-Control"); };
  if (std::none_of(response.headers.begin(), response.headers.end(), is_caching)) add(head, "Cache-Control", "no-store");
  if (ending != Ending::NoBody && !response.content_type.empty()) add(head, "Content-Type", response.content_type);
  if (ending == Ending::Length) add(head, "Content-Length", std::to_string(length));
  if (ending == Ending::Chunked) add(head, "Transfer-Encoding", "chunked");
  add(head, "Connection", keep_alive ? "keep-alive" : "close");
  for (const auto& [name, value] : response.headers) add(head, name, value);
  head += "\r\n";
  return head;
}

Response problem(unsigned status, std::string_view message, std::string_view hint) {
  nlohmann::ordered_json document{{"error", message}};
  if (!hint.empty()) document["hint"] = hint;
  Response response;
  response.status = status;
  // A message may quote what the client sent, which need not be UTF-8.
  response.body = document.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  return response;
}

Response refuse(const Error& error, std::optional<Duration> retry_after) {
  Response response = problem(static_cast<unsigned>(http_status(error.code)), error.message, error.hint);
  if (error.code == ErrorCode::Unauthorized) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (error.code == ErrorCode::Busy && !retry_after) retry_after = std::chrono::seconds{1};
  if (retry_after) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(std::max(*retry_after, Duration{1}));
    response.headers.emplace_back("Retry-After", std::to_string(seconds.count()));
  }
  return response;
}

}  // namespace lapse::serve::http
