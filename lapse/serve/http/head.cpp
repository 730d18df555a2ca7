#include <lapse/serve/http/head.hpp>
#include <lapse/serve/http/text.hpp>

#include <algorithm>
#include <array>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <charconv>

namespace lapse::serve::http {
namespace {

namespace beast = boost::beast;

// Which of two would count? A reader who takes the first and one who takes the last see different requests.
constexpr std::array<std::string_view, 14> kOnce{"Host",
                                                 "Content-Length",
                                                 "Transfer-Encoding",
                                                 "Authorization",
                                                 "Cookie",
                                                 "Origin",
                                                 "Expect",
                                                 "Content-Type",
                                                 "Content-Encoding",
                                                 "Range",
                                                 "Idempotency-Key",
                                                 "If-Range",
                                                 "Last-Event-ID",
                                                 "Inference-Header-Content-Length"};

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

bool is_token(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
}

// Beast accepts folded lines; bare returns and control characters it refuses only in some places.
std::optional<Refusal> check_lines(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if (c == '\r') {
      if (i + 1 >= bytes.size() || bytes[i + 1] != '\n')
        return Refusal{400, "a carriage return stands without a line feed in the header", {}};
      if (i + 2 < bytes.size() && (bytes[i + 2] == ' ' || bytes[i + 2] == '\t')) {
        return Refusal{400, "a header line begins with a space", "write each header on one line"};
      }
      ++i;
    } else if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f) {
      return Refusal{400, "a control character stands in the header", {}};
    }
  }
  return {};
}

std::optional<Refusal> read_target(std::string_view target, Head& head) {
  if (target.size() > kMaxTarget) return Refusal{414, "the request's target is longer than 8192 bytes", {}};
  if (head.method == "CONNECT" || head.method == "TRACE") return Refusal{405, head.method + " is not served here", {}};
  const auto bad = [](char c) { return c <= 0x20 || c >= 0x7f || c == '#' || c == '\\'; };
  if (std::any_of(target.begin(), target.end(), bad)) {
    return Refusal{400, "the request's target holds a character that has to be percent-encoded", {}};
  }
  if (target != "*" && !target.starts_with('/')) {
    return Refusal{400, "the request's target is not a path", "this is no proxy: send the path alone, and the host in Host"};
  }
  const auto mark = target.find('?');
  head.path = target.substr(0, mark);
  head.query = mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
  auto parameters = parse_query(head.query);
  if (!parameters) return Refusal{400, "the query is not properly percent-encoded, or holds a control character", {}};
  head.parameters = std::move(*parameters);
  return {};
}

std::optional<Refusal> check_host(const Head& head) {
  const auto host = head.field("Host");
  if (!host && head.version_1_1) return Refusal{400, "there is no Host header", {}};
  if (!host) return {};
  const auto good = [](char c) { return is_token(c) || std::string_view{":[]"}.find(c) != std::string_view::npos; };
  if (host->empty() || !std::all_of(host->begin(), host->end(), good)) return Refusal{400, "the Host header is not a host", {}};
  return {};
}

// How long the body is: exactly one way to say so.
std::optional<Refusal> read_framing(Head& head) {
  const auto length = head.field("Content-Length"), coding = head.field("Transfer-Encoding");
  if (length && coding) return Refusal{400, "both Content-Length and Transfer-Encoding are given", "send one of them"};
  if (coding) {
    if (!head.version_1_1) return Refusal{400, "HTTP/1.0 knows no Transfer-Encoding", {}};
    if (!same_letters(*coding, "chunked")) return Refusal{501, "the only Transfer-Encoding served is chunked", {}};
    head.chunked = true;
  }
  if (length) {
    std::uint64_t value = 0;
    const char* const end = length->data() + length->size();
    const auto [stop, error] = std::from_chars(length->data(), end, value);
    if (error != std::errc{} || stop != end) return Refusal{400, "Content-Length is not a number of bytes", {}};
    head.length = value;
  }
  return {};
}

std::optional<Refusal> check_coding(Head& head) {
  if (const auto coding = head.field("Content-Encoding"); coding && !coding->empty() && !same_letters(*coding, "identity")) {
    return Refusal{415, "a compressed body is not taken", "send it without Content-Encoding"};
  }
  if (const auto expect = head.field("Expect")) {
    if (!same_letters(*expect, "100-continue")) return Refusal{417, "the only expectation served is 100-continue", {}};
    head.expects_continue = head.version_1_1 && (head.chunked || head.length.value_or(0) > 0);
  }
  return {};
}

Refusal refusal(beast::error_code why, std::string_view bytes) {
  using beast::http::error;
  const std::string_view line = bytes.substr(0, bytes.find('\r'));
  const bool names_version = std::count(line.begin(), line.end(), ' ') == 2 && line.substr(line.rfind(' ')).starts_with(" HTTP/");
  if (why == error::bad_version && names_version) return {505, "only HTTP/1.0 and HTTP/1.1 are spoken here", {}};
  if (why == error::bad_transfer_encoding || why == error::bad_content_length) {
    return {400, "Content-Length and Transfer-Encoding don't agree, or are malformed", {}};
  }
  return {400, "the request is malformed: " + why.message(), {}};
}

}  // namespace

std::optional<std::string_view> Head::field(std::string_view name) const noexcept {
  const auto found = std::find_if(fields.begin(), fields.end(), [&](const auto& one) { return same_letters(one.first, name); });
  if (found == fields.end()) return std::nullopt;
  return found->second;
}

std::optional<Refusal> parse_head(std::string_view bytes, Head& head) {
  if (auto refused = check_lines(bytes)) return refused;
  beast::http::request_parser<beast::http::empty_body> parser;
  parser.header_limit(static_cast<std::uint32_t>(std::min<std::size_t>(bytes.size() + 1, UINT32_MAX)));
  parser.body_limit(UINT64_MAX);  // the handler sets one later; Beast takes "none" for 0
  beast::error_code error;
  parser.put(boost::asio::const_buffer{bytes.data(), bytes.size()}, error);
  if (error) return refusal(error, bytes);
  if (!parser.is_header_done()) return Refusal{400, "the request's header is not complete", {}};

  const auto& message = parser.get();
  head.method = view(message.method_string());
  head.version_1_1 = message.version() == 11;
  head.keep_alive = parser.keep_alive();
  for (const auto& field : message) head.fields.emplace_back(view(field.name_string()), view(field.value()));
  for (const auto name : kOnce) {
    const auto same = [&](const auto& one) { return same_letters(one.first, name); };
    if (std::count_if(head.fields.begin(), head.fields.end(), same) > 1)
      return Refusal{400, std::string{name} + " is given more than once", {}};
  }
  if (auto refused = read_target(view(message.target()), head)) return refused;
  if (auto refused = check_host(head)) return refused;
  if (auto refused = read_framing(head)) return refused;
  return check_coding(head);
}

std::optional<Refusal> hopeless(std::string_view bytes) {
  if (!bytes.empty() && !is_token(bytes.front())) return Refusal{400, "this is not an HTTP request", "TLS is not spoken here"};
  const auto feed = bytes.find('\n');
  if (feed != std::string_view::npos && (feed == 0 || bytes[feed - 1] != '\r')) {
    return Refusal{400, "a line ends without a carriage return", {}};
  }
  return {};
}

}  // namespace lapse::serve::http
