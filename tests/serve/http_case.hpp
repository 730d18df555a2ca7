#pragma once
// A server with handlers of a test's own, on a thread, and clients that write what bytes they like.

#include <lapse/serve/http/server.hpp>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace lapse::serve::http::testing {

/// What came back: one response, or as much of it as there was.
struct Answer {
  unsigned status = 0;  // 0: the connection was closed without one
  std::string head, body;
  std::string header(std::string_view name) const {
    const std::string wanted = "\r\n" + std::string{name} + ": ";
    const auto at = head.find(wanted);
    if (at == std::string::npos) return {};
    const auto begin = at + wanted.size();
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
};

class Client {
 public:
  explicit Client(std::uint16_t port, int receive_buffer = 0) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer > 0) ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~Client() { close(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool connected() const { return connected_; }
  void close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }
  void finish_sending() { ::shutdown(socket_, SHUT_WR); }
  /// False: the server takes no more.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }
  /// More bytes; false: end, reset, or nothing for 10 seconds.
  bool receive() {
    pollfd waiting{socket_, POLLIN, 0};
    if (::poll(&waiting, 1, 10'000) <= 0) return false;
    char bytes[65536];
    const auto count = ::recv(socket_, bytes, sizeof bytes, 0);
    if (count <= 0) return false;
    received_.append(bytes, static_cast<std::size_t>(count));
    return true;
  }
  /// Until the server closes.
  std::string rest() {
    while (receive()) {
    }
    return std::exchange(received_, {});
  }
  /// Until `text` has come.
  bool wait_for(std::string_view text) {
    while (received_.find(text) == std::string::npos) {
      if (!receive()) return false;
    }
    return true;
  }
  std::string& received() { return received_; }

  Answer answer(bool to_head = false) {
    Answer answer;
    std::size_t end = 0;
    while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
      if (!receive()) return answer;
    }
    answer.head = received_.substr(0, end + 2);
    received_.erase(0, end + 4);
    answer.status = static_cast<unsigned>(std::stoul(answer.head.substr(9, 3)));
    const std::string length = answer.header("Content-Length");
    if (to_head || length.empty()) return answer;
    while (received_.size() < std::stoul(length)) {
      if (!receive()) break;
    }
    answer.body = received_.substr(0, std::stoul(length));
    received_.erase(0, answer.body.size());
    return answer;
  }
  Answer ask(std::string_view request) {
    send(request);
    return answer();
  }

 private:
  int socket_;
  bool connected_ = false;
  std::string received_;
};

class HttpTest : public ::testing::Test {
 protected:
  HttpTest() { options.port = 0; }
  ~HttpTest() override { stop(); }

  void start() {
    if (!hooks.trouble) {
      hooks.trouble = [this](std::string_view line) {
        const std::lock_guard lock{mutex};
        troubles.emplace_back(line);
      };
    }
    auto listening = Server::listen(context, pool, options, router, hooks);
    ASSERT_TRUE(listening) << listening.error().message;
    server = std::move(*listening);
    thread = std::thread{[this] { context.run(); }};
  }
  void stop() {
    if (!thread.joinable()) return;
    in_loop([this] { server->close(); });
    thread.join();  // ends when the last connection has
    pool.join();
    server.reset();
  }
  /// On the server's thread.
  template <class F>
  std::invoke_result_t<F> in_loop(F f) {
    std::packaged_task<std::invoke_result_t<F>()> task{std::move(f)};
    auto result = task.get_future();
    net::post(context, [task = std::move(task)]() mutable { task(); });
    return result.get();
  }
  std::size_t connections() {
    return in_loop([this] { return server->connections(); });
  }
  std::vector<std::string> troubles_so_far() {
    const std::lock_guard lock{mutex};
    return troubles;
  }
  Client connect() { return Client{server->port()}; }
  /// On a connection of its own.
  Answer ask(std::string_view request) { return Client{server->port()}.ask(request); }

  void on(const std::string& method, const std::string& pattern, Handler handler) { router.add(method, pattern, std::move(handler)); }

  net::io_context context{1};
  net::thread_pool pool{2};
  ServerOptions options;
  Router router;
  Hooks hooks;
  std::unique_ptr<Server> server;
  std::thread thread;
  std::mutex mutex;
  std::vector<std::string> troubles;
};

inline Response text(std::string body) {
  Response response;
  response.content_type = "text/plain";
  response.body = std::move(body);
  return response;
}

inline net::awaitable<void> hello(Exchange& exchange) { co_await exchange.respond(text("hello")); }

/// Answers with the body that it was sent.
inline Handler echo(std::uint64_t limit) {
  return [limit](Exchange& exchange) -> net::awaitable<void> {
    auto body = co_await exchange.body(limit);
    if (!body) {
      co_await exchange.respond(refuse(body.error()));
    } else {
      co_await exchange.respond(text(std::move(*body)));
    }
  };
}

}  // namespace lapse::serve::http::testing
