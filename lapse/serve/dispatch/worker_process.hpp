#pragma once
// One worker process: started, spoken to, read from, buried. Knows the frames of wire.hpp and nothing of jobs.
//
// Threads: the front's one. Lifetime: shared with its coroutines; the callbacks are not called after `ended`.

#include <lapse/serve/async.hpp>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <deque>
#include <functional>
#include <lapse/serve/worker/wire.hpp>
#include <memory>
#include <string>

namespace lapse::serve {

class WorkerProcess : public std::enable_shared_from_this<WorkerProcess> {
 public:
  struct Listener {
    std::function<void(wire::ToFront message, std::string payload)> message;
    std::function<void(std::string line)> output;  // of its stderr
    /// It is gone, and everything that it had sent was read. `how`: "ended with status 3", "crashed: signal 11".
    std::function<void(std::string how)> ended;
  };

  /// `program work --socket 3`. Error: Unavailable when no process can be started.
  static Result<std::shared_ptr<WorkerProcess>> start(net::io_context& context, const std::string& program, Listener listener);
  ~WorkerProcess();

  void send(const wire::ToWorker& message, std::string payload = {});
  void kill();
  int pid() const noexcept { return pid_; }

 private:
  WorkerProcess(net::io_context& context, Listener listener);
  // `self` keeps it alive from before they start, which is a moment after they are spawned.
  net::awaitable<void> read(std::shared_ptr<WorkerProcess> self);
  net::awaitable<void> write(std::shared_ptr<WorkerProcess> self);
  net::awaitable<void> read_output(std::shared_ptr<WorkerProcess> self);
  net::awaitable<void> bury(std::shared_ptr<WorkerProcess> self);
  void one_less();

  net::local::stream_protocol::socket socket_;
  net::posix::stream_descriptor output_, death_;
  Listener listener_;
  std::deque<std::string> outgoing_;
  bool writing_ = false;
  int pid_ = -1;
  int running_ = 0;  // coroutines whose end is waited for
  std::string how_;
};

}  // namespace lapse::serve
