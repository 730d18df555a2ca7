#include <lapse/serve/http/conversation.hpp>

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>

namespace lapse::serve::http {
namespace {

using boost::system::error_code;
using net::ip::tcp;

constexpr std::chrono::milliseconds kTick{100};
constexpr std::chrono::milliseconds kBackOff{100};  // after accept has failed, of descriptors or memory
constexpr std::size_t kTurnedAway = 64;             // at a time that are told why; more are closed without a word

// What must not die with the Server object: its coroutines end only when the io_context runs once more.
struct Listening {
  Listening(net::io_context& context, std::shared_ptr<Common> shared)
      : common(std::move(shared)), acceptor(context), clock(context), pause(context) {}
  std::shared_ptr<Common> common;
  tcp::acceptor acceptor;
  net::steady_timer clock, pause;
  bool closed = false;
};

net::awaitable<void> keep_time(std::shared_ptr<Listening> self) {
  while (!self->closed || self->common->wires.size() > 0) {
    self->clock.expires_after(kTick);
    error_code error;
    co_await self->clock.async_wait(net::redirect_error(net::use_awaitable, error));
    self->common->wires.tick(std::chrono::steady_clock::now());
  }
}

void welcome(const std::shared_ptr<Common>& common, tcp::socket socket) {
  error_code error;
  const auto peer = socket.remote_endpoint(error);
  if (error) return;  // gone already
  const auto executor = socket.get_executor();
  auto wire = std::make_shared<Wire>(common->wires, std::move(socket));
  const std::size_t open = common->wires.size(), most = common->options.max_connections;
  if (open > most + kTurnedAway) return;
  auto life = open > most ? turn_away(common, std::move(wire)) : converse(common, std::move(wire), peer.address().to_string());
  net::co_spawn(executor, std::move(life), [common](std::exception_ptr failure) {
    if (!failure) return;
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& error_of_life) {
      common->report(fmt::format("a connection ended: {}", error_of_life.what()));
    } catch (...) {
      common->report("a connection ended by an unknown exception");
    }
  });
}

net::awaitable<void> accept_all(std::shared_ptr<Listening> self) {
  const auto executor = co_await net::this_coro::executor;
  while (self->acceptor.is_open()) {
    tcp::socket socket{executor};
    error_code error;
    co_await self->acceptor.async_accept(socket, net::redirect_error(net::use_awaitable, error));
    if (!self->acceptor.is_open()) co_return;
    if (!error) {
      try {
        welcome(self->common, std::move(socket));
      } catch (const std::exception&) {  // no memory: this one is closed, and the next may be luckier
      }
      continue;
    }
    if (error == net::error::connection_aborted || error == net::error::interrupted) continue;
    self->common->report(fmt::format("connections can't be accepted: {}", error.message()));
    self->pause.expires_after(kBackOff);
    co_await self->pause.async_wait(net::redirect_error(net::use_awaitable, error));
  }
}

class ListeningServer final : public Server {
 public:
  ListeningServer(std::shared_ptr<Listening> listening, std::uint16_t port) : listening_(std::move(listening)), port_(port) {}
  ~ListeningServer() override { close(); }
  ListeningServer(const ListeningServer&) = delete;
  ListeningServer& operator=(const ListeningServer&) = delete;

  std::uint16_t port() const override { return port_; }
  std::size_t connections() const override { return listening_->common->wires.size(); }
  void stop_accepting() override {
    listening_->common->stopping = true;
    error_code ignored;
    listening_->acceptor.close(ignored);
    listening_->pause.cancel(ignored);
    listening_->common->wires.close_idle();
  }
  void close() override {
    stop_accepting();
    listening_->common->wires.close_all();
    listening_->closed = true;
    error_code ignored;
    listening_->clock.cancel(ignored);
  }

 private:
  std::shared_ptr<Listening> listening_;
  std::uint16_t port_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::listen(net::io_context& context, net::thread_pool& pool, const ServerOptions& options,
                                               const Router& router, Hooks hooks) {
  const std::string_view hint = "give an address of this machine and a free port, such as 127.0.0.1:8000";
  error_code error;
  const auto address = net::ip::make_address(options.address, error);
  if (error) return fail(ErrorCode::BadUse, fmt::format("{} is not an IP address", options.address), std::string{hint});
  const BodyBudget bodies{options.max_body_memory, 0};
  auto common = std::make_shared<Common>(Common{pool, options, router, std::move(hooks), {}, bodies});
  auto listening = std::make_shared<Listening>(context, std::move(common));

  const tcp::endpoint endpoint{address, options.port};
  tcp::acceptor& acceptor = listening->acceptor;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address{true}, error);  // a restart need not wait for old connections
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(net::socket_base::max_listen_connections, error);
  if (error) {
    return fail(ErrorCode::BadUse, fmt::format("{}:{} can't be listened on: {}", options.address, options.port, error.message()),
                std::string{hint});
  }
  const auto port = acceptor.local_endpoint(error).port();
  // What these throw is memory's end; both end with the acceptor and the last connection.
  net::co_spawn(context, accept_all(listening), [](std::exception_ptr) {});
  net::co_spawn(context, keep_time(listening), [](std::exception_ptr) {});
  return std::unique_ptr<Server>{std::make_unique<ListeningServer>(std::move(listening), port)};
}

}  // namespace lapse::serve::http
