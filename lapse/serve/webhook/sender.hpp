#pragma once
// Messages to webhooks: taken from the store when they are due, tried until they are delivered or it is no use any more.
//
// A receiver has the message when it answers 2xx within ten seconds; redirects are not followed. After a failure comes a pause of
// 1 s · 2^n with jitter, an hour at the most; the twelfth failure is the last. What is known of a message lies in the store, so a restart
// loses none; a receiver can get one twice, under the same number.
//
// Threads: the front's one.

#include <lapse/serve/async.hpp>

#include <lapse/jobs/job_store.hpp>
#include <lapse/serve/access/sessions.hpp>
#include <lapse/serve/observe/observer.hpp>
#include <memory>

namespace lapse::serve::webhook {

class Sender {
 public:
  Sender(net::io_context& context, net::thread_pool& pool, jobs::JobStore& store, const Sessions& sessions, Observer& observer,
         bool private_allowed);
  ~Sender();

  void start();
  /// There may be messages that are due.
  void wake();
  /// Begins nothing new; what is under way ends by its time limit.
  void stop();

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace lapse::serve::webhook
