#pragma once
// One keep-alive HTTP connection of the load client: as little work a request as can be, so that what is measured is the server.
// Errors are boost::system::system_error: a load client that can't talk to its server ends, or counts a drop.

#include <utility>  // first: Boost 1.74's coroutine header needs std::exchange and forgets to say so

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace load {

namespace net = boost::asio;
namespace http = boost::beast::http;
using Clock = std::chrono::steady_clock;
using Instant = Clock::time_point;
using Nanoseconds = std::chrono::nanoseconds;

struct Address {
  std::string host;  // numeric
  std::uint16_t port = 0;
  net::ip::tcp::endpoint endpoint() const { return {net::ip::make_address(host), port}; }
  std::string text() const { return host + ":" + std::to_string(port); }
};

struct Answer {
  unsigned status = 0;
  std::string body, cookie;  // cookie: NAME=VALUE of Set-Cookie, without its attributes
};

class Connection {
 public:
  Connection(net::io_context& context, const Address& address) : socket_(context), address_(address) {}

  net::awaitable<void> connect() {
    co_await socket_.async_connect(address_.endpoint(), net::use_awaitable);
    socket_.set_option(net::ip::tcp::no_delay(true));
  }

  /// `head` is the request up to its body, or all of it; `body` is sent after it.
  net::awaitable<Answer> exchange(std::string_view head, net::const_buffer body = {}) {
    const std::array<net::const_buffer, 2> parts{net::buffer(head), body};
    co_await net::async_write(socket_, parts, net::use_awaitable);
    http::response_parser<http::string_body> parser;
    parser.body_limit(64u << 20);
    co_await http::async_read(socket_, buffer_, parser, net::use_awaitable);
    http::response<http::string_body> response = parser.release();
    Answer answer{response.result_int(), std::move(response.body()), {}};
    if (const auto cookie = response.find(http::field::set_cookie); cookie != response.end()) {
      answer.cookie = std::string{cookie->value().substr(0, cookie->value().find(';'))};
    }
    if (!response.keep_alive()) close();
    co_return answer;
  }

  net::awaitable<Answer> ask(std::string_view method, std::string_view target, std::string_view headers = {}) {
    const std::string head = request(method, target, headers, 0);
    co_return co_await exchange(head);
  }

  /// Reads a stream that has no end, `seen` gets each piece; returns when the server ends it or the connection breaks. Throws on a status
  /// other than 200.
  net::awaitable<void> listen(std::string_view target, std::string_view headers, std::function<void()> opened,
                              std::function<void(std::string_view)> seen) {
    const std::string head = request("GET", target, "Accept: text/event-stream\r\n" + std::string{headers}, 0);
    co_await net::async_write(socket_, net::buffer(head), net::use_awaitable);
    http::response_parser<http::buffer_body> parser;
    parser.body_limit(boost::none);
    co_await http::async_read_header(socket_, buffer_, parser, net::use_awaitable);
    if (parser.get().result_int() != 200) throw std::runtime_error("the stream was answered " + std::to_string(parser.get().result_int()));
    opened();
    std::array<char, 2048> piece;
    while (!parser.is_done()) {
      parser.get().body() = {piece.data(), piece.size(), true};
      boost::system::error_code error;
      co_await http::async_read_some(socket_, buffer_, parser, net::redirect_error(net::use_awaitable, error));
      if (const std::size_t size = piece.size() - parser.get().body().size; size > 0) seen({piece.data(), size});
      if (error && error != http::error::need_buffer) co_return;
    }
  }

  std::string request(std::string_view method, std::string_view target, std::string_view headers, std::size_t body_bytes) const {
    std::string head;
    head.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: ").append(address_.text()).append("\r\n").append(headers);
    if (method != "GET" && method != "DELETE") head.append("Content-Length: ").append(std::to_string(body_bytes)).append("\r\n");
    return head.append("\r\n");
  }

  bool open() const { return socket_.is_open(); }
  void close() {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

 private:
  net::ip::tcp::socket socket_;
  Address address_;
  boost::beast::flat_buffer buffer_;
};

}  // namespace load
