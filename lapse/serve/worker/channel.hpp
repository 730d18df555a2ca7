#pragma once
// The worker's end of the socket: whole frames in, whole frames out. Not installed.
//
// Threads: one receives; any may send.

#include <lapse/serve/worker/wire.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace lapse::serve {

class Channel {
 public:
  struct Frame {
    wire::ToWorker message;
    std::shared_ptr<const std::string> payload;
  };

  /// Borrows the socket (a stream). Error: BadInput when it is none.
  static Result<std::unique_ptr<Channel>> open(int socket);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  /// Waits up to `wait` for a frame to begin; nothing: none did, or wake() was called. Errors: Unavailable when the other side has closed,
  /// BadInput for a frame that is none.
  Result<std::optional<Frame>> receive(Duration wait);
  /// Ends a waiting receive; from any thread.
  void wake() noexcept;
  /// Blocks until all is handed to the system. What the other side no longer reads is lost, and receive tells so.
  void send(const wire::ToFront& message, std::string_view payload = {});

 private:
  Channel(int socket, int wake) : socket_(socket), wake_(wake) {}
  bool read(char* bytes, std::size_t size);
  const int socket_, wake_;
  std::mutex sending_;
};

}  // namespace lapse::serve
