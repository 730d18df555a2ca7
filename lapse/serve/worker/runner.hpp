#pragma once
// What a worker does with the requests that come: a model's own way, on threads of its own. Not installed.
//
// Threads: all of these are called by the one that reads the socket. The destructor waits for the threads; stop() or abandon() came before.

#include <lapse/serve/worker/wire.hpp>
#include <memory>
#include <optional>
#include <string>

namespace lapse::serve {

class Runner {
 public:
  virtual ~Runner() = default;

  /// Error: BadInput for a key that is here already.
  virtual Result<void> run(wire::Run run, std::shared_ptr<const std::string> payload) = 0;
  virtual void cancel(const wire::Cancel& cancel) = 0;
  /// What was sent is finished, nothing else taken.
  virtual void stop() = 0;
  /// Nothing more is started or answered.
  virtual void abandon() = 0;

  /// When all is done; the channel's receive is woken then.
  virtual bool ended() const noexcept = 0;
  /// Not 0: the device was lost, or the model can't be loaded, and the process is of no use any more.
  virtual int status() const noexcept = 0;
  /// Since when the model, or a decoder, is busy with the same piece of work.
  virtual std::optional<jobs::Time> running_since() const = 0;
};

}  // namespace lapse::serve
