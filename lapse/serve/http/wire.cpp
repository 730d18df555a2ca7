#include <lapse/serve/http/wire.hpp>

#include <poll.h>

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <span>
#include <vector>

namespace lapse::serve::http {
namespace {

using boost::system::error_code;
using Socket = net::ip::tcp::socket;

constexpr int kReadsInARow = 16;  // then the other connections have their turn
constexpr std::chrono::seconds kLingerPause{2};
constexpr std::uint64_t kWorthWaking = 128 * 1024;  // bytes

}  // namespace

void Wires::tick(SteadyTime now) {
  std::vector<pollfd> watched;
  std::vector<std::shared_ptr<Wire>> watchers;
  for (Wire* const wire : wires_) {
    if (wire->deadline_ <= now) {
      wire->late_ = true;
      error_code ignored;
      wire->socket_.cancel(ignored);
    }
    if (wire->gone_ && !wire->closed()) {
      watched.push_back({wire->socket_.native_handle(), POLLRDHUP, 0});
      watchers.push_back(wire->shared_from_this());
    }
  }
  if (watched.empty() || ::poll(watched.data(), watched.size(), 0) <= 0) return;
  for (std::size_t i = 0; i < watched.size(); ++i) {
    if (watched[i].revents == 0) continue;
    watchers[i]->has_gone_ = true;
    if (const auto gone = std::exchange(watchers[i]->gone_, nullptr)) gone();
  }
}

void Wires::close_idle() {
  for (Wire* const wire : wires_) {
    if (wire->idle_) wire->close();
  }
}

void Wires::close_all() {
  std::vector<std::shared_ptr<Wire>> all;
  for (Wire* const wire : wires_) all.push_back(wire->shared_from_this());
  for (const auto& wire : all) {
    wire->close();
    if (const auto gone = std::exchange(wire->gone_, nullptr)) gone();
  }
}

Wire::Wire(Wires& wires, Socket socket) : wires_(wires), socket_(std::move(socket)) {
  error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(net::ip::tcp::no_delay{true}, ignored);
  wires_.wires_.insert(this);
}

Wire::~Wire() { wires_.wires_.erase(this); }

void Wire::close() {
  error_code ignored;
  socket_.close(ignored);
}

void Wire::on_gone(std::function<void()> gone) { gone_ = std::move(gone); }

void Wire::consume(std::size_t bytes) {
  begin_ += bytes;
  if (begin_ < buffer_.size()) return;
  buffer_ = {};  // nothing is kept while the connection waits
  begin_ = 0;
}

void Wire::expect(std::uint64_t bytes) {
  const int least = static_cast<int>(std::clamp<std::uint64_t>(bytes, 1, kWorthWaking));
  if (least == woken_by_) return;
  error_code ignored;  // then it wakes up more often
  socket_.set_option(net::socket_base::receive_low_watermark{least}, ignored);
  woken_by_ = least;
}

net::awaitable<error_code> Wire::wait(Socket::wait_type what, SteadyTime deadline) {
  if (closed()) co_return net::error::operation_aborted;
  if (deadline <= std::chrono::steady_clock::now()) {
    late_ = true;
    co_return net::error::operation_aborted;
  }
  late_ = false;
  deadline_ = deadline;
  error_code error;
  co_await socket_.async_wait(what, net::redirect_error(net::use_awaitable, error));
  deadline_ = SteadyTime::max();
  reads_in_a_row_ = 0;
  co_return error;
}

net::awaitable<void> Wire::take_turns() {
  reads_in_a_row_ = 0;
  const auto executor = co_await net::this_coro::executor;
  co_await net::post(executor, net::use_awaitable);
}

net::awaitable<std::pair<Wire::Outcome, std::size_t>> Wire::receive(net::mutable_buffer target, SteadyTime deadline) {
  if (++reads_in_a_row_ > kReadsInARow) co_await take_turns();
  for (;;) {
    error_code error;
    const std::size_t count = socket_.read_some(target, error);
    if (!error) co_return std::pair{Outcome::Data, count};
    if (error == net::error::eof) co_return std::pair{Outcome::End, std::size_t{0}};
    if (error != net::error::would_block && error != net::error::try_again) co_return std::pair{Outcome::Broken, std::size_t{0}};
    error = co_await wait(Socket::wait_read, deadline);
    if (late_ && woken_by_ > 1) {  // what is there may be less than what was waited for
      expect(1);
      const std::size_t some = socket_.read_some(target, error);
      if (!error) co_return std::pair{Outcome::Data, some};
      error = net::error::operation_aborted;
    }
    if (error) co_return std::pair{late_ ? Outcome::Late : Outcome::Broken, std::size_t{0}};
  }
}

net::awaitable<Wire::Outcome> Wire::fill(std::size_t limit, SteadyTime deadline) {
  const auto [outcome, count] = co_await receive(net::buffer(wires_.scratch_, limit), deadline);
  if (outcome != Outcome::Data) co_return outcome;
  buffer_.erase(0, begin_);
  begin_ = 0;
  buffer_.append(wires_.scratch_.data(), count);
  co_return outcome;
}

net::awaitable<bool> Wire::send(Pieces pieces) {
  for (;;) {
    error_code error;
    std::size_t count = socket_.write_some(pieces, error);
    if (error == net::error::would_block || error == net::error::try_again) {
      error = co_await wait(Socket::wait_write, std::chrono::steady_clock::now() + kWriteTimeout);
    }
    if (error) {
      close();  // half an answer must not be followed by anything
      co_return false;
    }
    std::size_t left = 0;
    for (auto& piece : pieces) {
      const std::size_t taken = std::min(count, piece.size());
      piece += taken;
      count -= taken;
      left += piece.size();
    }
    if (left == 0) co_return true;
  }
}

net::awaitable<void> Wire::linger(std::chrono::nanoseconds moment) {
  error_code error;
  socket_.shutdown(Socket::shutdown_send, error);
  if (error) co_return;
  buffer_ = {};
  begin_ = 0;
  const auto end = std::chrono::steady_clock::now() + moment;
  for (;;) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= end) break;
    const auto [outcome, count] = co_await receive(net::buffer(wires_.scratch_), std::min<SteadyTime>(end, now + kLingerPause));
    if (outcome != Outcome::Data) break;
  }
}

}  // namespace lapse::serve::http
