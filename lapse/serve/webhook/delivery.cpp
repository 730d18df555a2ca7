#include <lapse/serve/webhook/delivery.hpp>

#include <fmt/format.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <lapse/base/version.hpp>
#include <lapse/serve/access/secrets.hpp>
#include <lapse/serve/webhook/target.hpp>

namespace lapse::serve::webhook {
namespace {

namespace beast = boost::beast;
using net::ip::tcp;

constexpr std::chrono::seconds kPatience{10};  // for the connection, and again for the answer

using Request = beast::http::request<beast::http::string_body>;

Request request_for(const Message& message, const Target& target) {
  Request request{beast::http::verb::post, target.path, 11};
  request.set(beast::http::field::host, target.authority);
  request.set(beast::http::field::user_agent, fmt::format("lapse/{}", version()));
  request.set(beast::http::field::content_type, "application/json");
  request.set(beast::http::field::connection, "close");
  for (const auto& [name, value] : message.headers) request.set(name, value);
  request.body() = message.body;
  request.prepare_payload();
  return request;
}

// The status is all that is of interest, so the answer's body is not even read.
template <class Stream>
net::awaitable<unsigned> ask(Stream& stream, Request& request) {
  beast::get_lowest_layer(stream).expires_after(kPatience);
  co_await beast::http::async_write(stream, request, net::use_awaitable);
  beast::flat_buffer buffer{64 * 1024};
  beast::http::response_parser<beast::http::empty_body> parser;
  co_await beast::http::async_read_header(stream, buffer, parser, net::use_awaitable);
  co_return parser.get().result_int();
}

net::awaitable<unsigned> ask_by_tls(beast::tcp_stream stream, const Target& target, Request& request) {
  net::ssl::context tls{net::ssl::context::tls_client};
  tls.set_default_verify_paths();
  tls.set_verify_mode(net::ssl::verify_peer);
  beast::ssl_stream<beast::tcp_stream> secure{std::move(stream), tls};
  secure.set_verify_callback(net::ssl::host_name_verification{target.host});
  // The macro for this has an old-style cast.
  std::string name = target.host;
  SSL_ctrl(secure.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
  beast::get_lowest_layer(secure).expires_after(kPatience);
  co_await secure.async_handshake(net::ssl::stream_base::client, net::use_awaitable);
  co_return co_await ask(secure, request);
}

// Nothing: none of them may be reached.
std::optional<tcp::endpoint> allowed(const tcp::resolver::results_type& found, bool private_allowed) {
  for (const auto& entry : found) {
    if (private_allowed || is_public(entry.endpoint().address())) return entry.endpoint();
  }
  return std::nullopt;
}

net::awaitable<Result<unsigned>> post(const Message& message, const Target& target, bool private_allowed) {
  const auto executor = co_await net::this_coro::executor;
  tcp::resolver resolver{executor};
  const auto found = co_await resolver.async_resolve(target.host, std::to_string(target.port), net::use_awaitable);
  const auto endpoint = allowed(found, private_allowed);
  if (!endpoint) co_return fail(ErrorCode::Forbidden, fmt::format("{} leads to no public address", target.host));
  beast::tcp_stream stream{executor};
  stream.expires_after(kPatience);
  co_await stream.async_connect(*endpoint, net::use_awaitable);
  Request request = request_for(message, target);
  auto asking = target.tls ? ask_by_tls(std::move(stream), target, request) : ask(stream, request);
  co_return co_await std::move(asking);
}

}  // namespace

net::awaitable<Result<void>> deliver(const Message& message, bool private_allowed) {
  const auto target = parse_target(message.url, private_allowed);
  if (!target) co_return tl::unexpected(target.error());
  try {
    const auto status = co_await post(message, *target, private_allowed);
    if (!status) co_return tl::unexpected(status.error());
    if (*status >= 200 && *status < 300) co_return Result<void>{};
    co_return fail(ErrorCode::Unavailable, fmt::format("{} answered {}", target->host, *status));
  } catch (const std::exception& error) {
    co_return fail(ErrorCode::Unavailable, fmt::format("{}: {}", target->host, error.what()));
  }
}

std::vector<std::pair<std::string, std::string>> signature(const std::string& secret, const std::string& body, std::int64_t unix_seconds,
                                                           std::uint64_t number) {
  const std::string code = hex(hmac_sha256(secret, fmt::format("{}.{}.{}", number, unix_seconds, body)));
  return {{"Lapse-Timestamp", std::to_string(unix_seconds)}, {"Lapse-Signature", "v1=" + code}, {"Lapse-Delivery", std::to_string(number)}};
}

}  // namespace lapse::serve::webhook
