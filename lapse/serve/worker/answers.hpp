#pragma once
// What a worker says of each request's end, exactly once, whoever of its threads gets there. Not installed.
//
// Threads: any.

#include <lapse/serve/worker/channel.hpp>
#include <lapse/serve/worker/ledger.hpp>
#include <string>
#include <string_view>

namespace lapse::serve {

class Answers {
 public:
  /// Borrows the channel. `cut_short`: what is said to have been stopped where a request is cancelled while it runs.
  Answers(Channel& channel, std::string cut_short) : channel_(channel), cut_short_(std::move(cut_short)) {}

  Ledger& ledger() noexcept { return ledger_; }
  const Ledger& ledger() const noexcept { return ledger_; }

  /// Error: BadInput for a key that is here already.
  Result<void> take_in(const wire::Run& run);
  void cancel(const wire::Cancel& cancel);

  void done(const wire::Item& item, const jobs::Trace& trace, wire::Finished finished, std::string_view payload = {});
  void failed(const wire::Item& item, const jobs::Trace& trace, const Error& error);
  /// Nothing was wrong with it; another attempt is not counted.
  void released(const wire::Item& item, const jobs::Trace& trace, const Error& error);
  /// Is it too late to start it? It is released then.
  bool late(const wire::Item& item, const jobs::Trace& trace);

 private:
  Channel& channel_;
  const std::string cut_short_;
  Ledger ledger_;
};

}  // namespace lapse::serve
