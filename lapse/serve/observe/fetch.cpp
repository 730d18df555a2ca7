#include <fmt/format.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <lapse/serve/async.hpp>
#include <lapse/serve/observe/fetch.hpp>
#include <regex>

namespace lapse::serve {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr std::uint64_t kLargest = 16u << 20;  // bytes of an answer

/// Each step starts the next; the context runs dry when all are done or one has failed.
struct Get {
  net::io_context context{1};
  net::ip::tcp::resolver resolver{context};
  beast::tcp_stream stream{context};
  beast::flat_buffer buffer;
  http::request<http::empty_body> request;
  http::response_parser<http::string_body> parser;
  beast::error_code error = net::error::timed_out;

  void start(const Address& address) {
    resolver.async_resolve(address.host, address.port, [this](beast::error_code failed, const auto& found) {
      if ((error = failed)) return;
      stream.async_connect(found, [this](beast::error_code refused, const auto&) {
        if ((error = refused)) return;
        http::async_write(stream, request, [this](beast::error_code broken, std::size_t) {
          if ((error = broken)) return;
          http::async_read(stream, buffer, parser, [this](beast::error_code ended, std::size_t) { error = ended; });
        });
      });
    });
  }
};

}  // namespace

Result<Address> parse_address(const std::string& url) {
  static const std::regex kForm{R"(http://(\[([0-9A-Fa-f:.]+)\]|[A-Za-z0-9._-]+)(:([0-9]{1,5}))?/?)"};
  std::smatch parts;
  if (!std::regex_match(url, parts, kForm)) {
    return fail(ErrorCode::BadUse, fmt::format("'{}' is no address of a server", url), "such as http://127.0.0.1:8000");
  }
  const std::string host = parts[2].matched ? parts[2].str() : parts[1].str();
  const std::string port = parts[4].matched ? parts[4].str() : "80";
  return Address{host, port, parts[4].matched ? parts[1].str() + ":" + port : parts[1].str()};
}

Result<std::string> fetch(const Address& address, const std::string& target, const std::string& token, Duration timeout) {
  Get get;
  get.request = {http::verb::get, target, 11};
  get.request.set(http::field::host, address.authority);
  if (!token.empty()) get.request.set(http::field::authorization, "Bearer " + token);
  get.parser.body_limit(kLargest);
  get.start(address);
  get.context.run_for(timeout);
  if (!get.context.stopped()) get.error = net::error::timed_out;
  const std::string hint = "start it: lapse serve --models DIR --data DIR";
  if (get.error) {
    return fail(ErrorCode::Unavailable, fmt::format("no answer from http://{}: {}", address.authority, get.error.message()), hint);
  }
  const auto status = get.parser.get().result_int();
  if (status == 401)
    return fail(ErrorCode::Unauthorized, "the server asks for a token", "--token TOKEN, or LAPSE_TOKEN in the environment");
  if (status == 403) return fail(ErrorCode::Forbidden, "the server does not answer to this name", "start it with --host NAME");
  if (status != 200) {
    return fail(ErrorCode::BadInput, fmt::format("http://{}{} answers {}", address.authority, target, status), "is it a lapse server?");
  }
  return std::move(get.parser.get().body());
}

}  // namespace lapse::serve
