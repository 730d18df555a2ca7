#pragma once
// One connection's socket: reading, writing, and noticing what time and the other side do. Knows nothing of HTTP.
//
// Boost 1.74 has no cancellation, and a timer for every operation would cost more than the operation: each waiting operation writes down
// its deadline, and the server's clock (Wires::tick, ten times a second) wakes those that are late. The same clock asks with one poll(2)
// for all watched connections whether the other side has closed; bytes that wait there unread (pipelined requests) don't hide that from it.
//
// Threads: the front's one. Bytes are read when there are any, so a connection that waits holds no buffer.

#include <lapse/serve/async.hpp>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>

namespace lapse::serve::http {

using SteadyTime = std::chrono::steady_clock::time_point;

class Wire;

/// All wires of a server.
class Wires {
 public:
  /// Wakes the late, tells the watchers of the gone.
  void tick(SteadyTime now);
  std::size_t size() const noexcept { return wires_.size(); }
  /// Those that are between two requests, or all.
  void close_idle();
  void close_all();

 private:
  friend class Wire;
  std::unordered_set<Wire*> wires_;
  // What fill() reads into before it knows how much there is: nothing waits between its use and its release, so one is enough.
  std::array<char, 64 * 1024> scratch_;
};

class Wire : public std::enable_shared_from_this<Wire> {
 public:
  Wire(Wires& wires, net::ip::tcp::socket socket);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  enum class Outcome : std::uint8_t { Data, End, Late, Broken };

  /// What was received and not yet consumed.
  std::string_view buffered() const noexcept { return std::string_view{buffer_}.substr(begin_); }
  void consume(std::size_t bytes);
  /// Waits for more bytes, at most `limit`, to append to buffered().
  net::awaitable<Outcome> fill(std::size_t limit, SteadyTime deadline);
  /// How much still comes that is worth waiting for: receive() then wakes up for so much, up to a limit, and not for every packet.
  void expect(std::uint64_t bytes);
  /// Waits for bytes and reads them where they belong; only while nothing is buffered.
  net::awaitable<std::pair<Outcome, std::size_t>> receive(net::mutable_buffer target, SteadyTime deadline);
  /// All of the pieces, in order. False: the other side has gone, or took nothing for kWriteTimeout.
  using Pieces = std::array<net::const_buffer, 3>;
  net::awaitable<bool> send(Pieces pieces);
  /// Says that nothing more will be sent, and reads away what still comes for a moment: closing at once would reset the connection, and
  /// take the answer from a client that is still sending.
  net::awaitable<void> linger(std::chrono::nanoseconds moment);

  /// Once, when the other side closes its end or the server closes this one. Replaces what was set before; an empty one ends the watch.
  void on_gone(std::function<void()> gone);
  /// It was noticed that the other side has closed its end.
  bool gone() const noexcept { return has_gone_; }
  void idle(bool is) noexcept { idle_ = is; }
  void close();
  bool closed() const noexcept { return !socket_.is_open(); }

 private:
  friend class Wires;
  net::awaitable<boost::system::error_code> wait(net::ip::tcp::socket::wait_type what, SteadyTime deadline);
  net::awaitable<void> take_turns();

  Wires& wires_;
  net::ip::tcp::socket socket_;
  SteadyTime deadline_ = SteadyTime::max();
  std::function<void()> gone_;
  std::string buffer_;
  std::size_t begin_ = 0;
  int reads_in_a_row_ = 0;
  int woken_by_ = 1;  // bytes
  bool idle_ = false, late_ = false, has_gone_ = false;
};

inline constexpr std::chrono::seconds kWriteTimeout{30};  // without a byte taken

}  // namespace lapse::serve::http
