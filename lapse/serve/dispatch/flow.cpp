// Requests and jobs go out to workers, and results come home.

#include <lapse/serve/dispatch/local_dispatcher.hpp>
// After the first, which brings <utility>.
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace lapse::serve {
namespace {

constexpr std::size_t kInHand = 2;                             // dispatches that a worker has at a time, so that it never waits for one
constexpr std::size_t kPhotosInHand = 4;                       // so that one person's large ones don't hold up another's
constexpr Duration kShort = std::chrono::milliseconds{100};    // passes beside which the way to the worker counts: longer ones hide it
constexpr Duration kDispatch = std::chrono::milliseconds{20};  // work of one dispatch, where passes are shorter
constexpr std::size_t kLargestDispatch = 64;                   // rows
constexpr auto kPause = std::chrono::milliseconds{500};        // after an error of the store
constexpr auto kPoll = std::chrono::seconds{1};

bool late(const wire::Finished& message) { return message.error && message.error->code == ErrorCode::Deadline; }

bool is_photo(const Model& model) { return model.current && model.current->file.settings.photo; }

// Rows of one dispatch, so many that it is worth its while. The first passes show how long one takes.
std::size_t several(const Model& model) {
  if (model.pass == Duration{} || is_photo(model)) return 1;
  const Duration pass = std::max<Duration>(model.pass, std::chrono::microseconds{100});
  return std::clamp<std::size_t>(static_cast<std::size_t>(kDispatch / pass), 1, kLargestDispatch);
}

}  // namespace

net::awaitable<void> LocalDispatcher::pump(ModelPtr model) {
  while (!stopped_ && !model->forgotten) {
    const InstancePtr instance = draining_ || model->gone ? nullptr : free_instance(*model);
    if (!instance) {
      co_await model->wake.wait();
      continue;
    }
    expire(*model);
    if (!model->claiming.over()) model->scheduler.jobs(0, Clock::now());  // the poll finds them again
    auto decision = model->suspects.empty() ? model->scheduler.decide(Clock::now(), several(*model), instance->dispatches.empty())
                                            : model->scheduler.decide_alone(Clock::now());
    if (!decision.go()) {
      co_await model->wake.wait(decision.wake.value_or(Clock::time_point::max()));
      continue;
    }
    co_await dispatch(model, std::move(decision));
  }
}

// The one with least in hand. What would wait there for a long pass waits in the queue: it is not called running, and others may overtake
// it. Photos take turns in the worker, tile by tile.
LocalDispatcher::InstancePtr LocalDispatcher::free_instance(const Model& model) const {
  InstancePtr best;
  if (!model.current) return best;
  const bool is_short = model.pass > Duration{} && model.pass < kShort;
  const std::size_t in_hand = !model.suspects.empty() ? 1 : is_photo(model) ? kPhotosInHand : is_short ? kInHand : 1;
  for (const auto& instance : model.current->instances) {
    if (!instance->ready || instance->retiring || instance->dispatches.size() >= in_hand) continue;
    if (Clock::now() - instance->heard > options_.silence / 2) continue;
    if (!best || instance->dispatches.size() < best->dispatches.size()) best = instance;
  }
  return best;
}

net::awaitable<void> LocalDispatcher::dispatch(ModelPtr model, Scheduler::Decision decision) {
  std::vector<jobs::Claimed> claimed;
  if (decision.jobs > 0) {
    ++claims_;
    claimed = co_await claim(*model, decision.jobs);
    --claims_;
    if (claimed.size() < decision.jobs) model->scheduler.jobs_ran_out(Clock::now());
    if (claimed.empty()) model->suspects.clear();  // they are elsewhere by now
  }
  if (claimed.empty() && decision.direct.empty()) co_return;
  const InstancePtr instance = stopped_ ? nullptr : free_instance(*model);
  if (!instance) {  // it went meanwhile
    for (const std::uint64_t id : decision.direct) {
      answer(*model, id, fail(ErrorCode::Unavailable, "the worker has gone", "try again in a moment"));
    }
    co_await release(std::move(claimed));
    co_return;
  }
  send(*model, *instance, decision.direct, std::move(claimed));
}

net::awaitable<std::vector<jobs::Claimed>> LocalDispatcher::claim(const Model& model, std::size_t count) {
  jobs::JobStore::ClaimRequest request;
  request.worker = model.name + "/" + model.version;
  request.model = model.name;
  request.versions = {model.version};
  request.newest = model.newest;
  request.count = count;
  request.lease = options_.lease;
  auto claimed = co_await on(pool_, [&] { return store_.claim(request); });
  if (claimed) co_return std::move(*claimed);
  // The next poll asks again; synchronous requests don't wait for the store.
  observer_.log(Level::Error, "jobs can't be claimed", {{"model", model.name}, {"reason", claimed.error().message}});
  co_return std::vector<jobs::Claimed>{};
}

void LocalDispatcher::send(Model& model, Instance& instance, std::span<const std::uint64_t> direct, std::vector<jobs::Claimed> claimed) {
  const std::uint64_t dispatch = next_dispatch_++;
  wire::Run run;
  std::string payload;
  for (const std::uint64_t id : direct) {
    const auto& pending = model.waiting.at(id);
    wire::Item item;
    item.key = id;
    item.offset = payload.size();
    item.size = pending->request.body.size();
    item.header_length = pending->request.header_length;
    if (pending->request.timeout) item.deadline = pending->accepted + *pending->request.timeout;
    payload += pending->request.body;
    instance.flights.emplace(id, Flight{pending, dispatch});
    run.items.push_back(std::move(item));
  }
  for (jobs::Claimed& one : claimed) {
    wire::Item item;
    item.key = next_key_++;
    item.blob = one.job.spec.input.blob;
    item.header_length = one.job.spec.input.header_length;
    item.deadline = one.job.spec.deadline;
    item.owner = one.job.spec.owner;
    item.parameters = one.job.spec.parameters;
    instance.flights.emplace(item.key, Flight{std::move(one), dispatch});
    run.items.push_back(std::move(item));
  }
  instance.dispatches.emplace(dispatch, run.items.size());
  instance.process->send(run, std::move(payload));
}

void LocalDispatcher::message(const ModelPtr& model, const InstancePtr& instance, wire::ToFront message, std::string payload) {
  instance->heard = Clock::now();
  if (auto* loaded_now = std::get_if<wire::Loaded>(&message)) {
    loaded(model, instance, std::move(*loaded_now));
  } else if (const auto* cannot = std::get_if<wire::Unloadable>(&message)) {
    unloadable(model, instance, cannot->error);
  } else if (const auto* running = std::get_if<wire::Started>(&message)) {
    started(*instance, *running);
  } else if (const auto* further = std::get_if<wire::Progress>(&message)) {
    progress(*instance, *further);
  } else if (auto* done = std::get_if<wire::Finished>(&message)) {
    finished(model, instance, std::move(*done), std::move(payload));
  } else if (const auto* alive = std::get_if<wire::Alive>(&message)) {
    instance->running_since = alive->running_since;
    if (!model->waiting.empty() || model->scheduler.jobs() > 0) model->wake.notify();  // it may have been silent before
  }
}

void LocalDispatcher::started(Instance& instance, const wire::Started& message) {
  if (message.keys.empty()) return;
  const auto flight = instance.flights.find(message.keys.front());
  if (flight != instance.flights.end()) flight->second.pass_rows = message.rows;
}

void LocalDispatcher::progress(Instance& instance, const wire::Progress& message) {
  const auto flight = instance.flights.find(message.key);
  const auto* claimed = flight == instance.flights.end() ? nullptr : std::get_if<jobs::Claimed>(&flight->second.of);
  if (claimed != nullptr) go(note(claimed->lease, {message.done, message.total}));
}

// Where it can't be noted nothing is lost: more comes, and then the end.
net::awaitable<void> LocalDispatcher::note(jobs::Lease lease, jobs::Progress progress) {
  co_await on(pool_, [&] { return store_.progress(lease, progress); });
}

void LocalDispatcher::finished(const ModelPtr& model, const InstancePtr& instance, wire::Finished message, std::string payload) {
  const auto found = instance->flights.find(message.key);
  if (found == instance->flights.end()) {
    observer_.rejected("fenced");
    return;
  }
  Flight flight = std::move(found->second);
  instance->flights.erase(found);
  if (const auto open = instance->dispatches.find(flight.dispatch); open != instance->dispatches.end() && --open->second == 0) {
    instance->dispatches.erase(open);
  }
  stop_if_done(*instance);
  count(*model, flight, message);
  if (auto* claimed = std::get_if<jobs::Claimed>(&flight.of)) {
    model->suspects.erase(claimed->lease.job);
    pause_or_go_on(*model, claimed->job.spec.id, message);
    go(settle(model, std::move(*claimed), std::move(message)));
  } else {
    jobs::Trace trace = message.trace;
    trace.claimed = trace.batched;
    trace.stored = jobs::system_now();
    Result<DirectReply> reply = tl::unexpected(message.error.value_or(Error{ErrorCode::Cancelled, "it was cancelled", ""}));
    if (message.how == wire::Finished::How::Done) reply = DirectReply{std::move(payload), message.header_length, message.content_type};
    answer(*model, message.key, std::move(reply), trace);
  }
  model->wake.notify();
}

// What failed for want of room or memory would fail again at once, and so would those behind it.
void LocalDispatcher::pause_or_go_on(Model& model, const std::string& job, const wire::Finished& message) {
  if (message.how == wire::Finished::How::Done) model.claiming = {};
  const bool may_pass =
      (message.how == wire::Finished::How::Released && !late(message)) || (message.how == wire::Finished::How::Failed && message.retryable);
  if (!may_pass || !model.claiming.over()) return;
  model.claiming.again();
  observer_.log(Level::Warning, "a job could not be finished, and is tried again; no other is started for a while",
                {{"model", model.name}, {"job", job}, {"reason", message.error ? message.error->message : ""}});
}

void LocalDispatcher::count(Model& model, const Flight& flight, const wire::Finished& message) {
  auto& statistics = model.statistics;
  const jobs::Trace& trace = message.trace;
  const Duration forward = trace.forward.value_or(Duration{});
  const auto now = jobs::system_now();
  const auto* claimed = std::get_if<jobs::Claimed>(&flight.of);
  const jobs::Time queued = claimed != nullptr ? claimed->job.trace.queued : std::get<std::shared_ptr<Pending>>(flight.of)->accepted;
  if (message.how == wire::Finished::How::Released) return;
  if (message.how == wire::Finished::How::Cancelled) {
    ++statistics.cancelled;
    return;
  }
  if (message.how == wire::Finished::How::Failed) {
    ++statistics.failures;
    statistics.fail += now - queued;
    return;
  }
  // What waited already when the one before it ended took the time since then; what came later, its own.
  const Duration took = std::max<Duration>(now - std::max(queued, model.last_end.value_or(queued)), Duration{});
  model.pace = model.last_end ? (model.pace * 31 + took) / 32 : took;
  model.last_end = now;
  ++statistics.successes;
  statistics.last = now;
  statistics.success += now - queued;
  statistics.inferences += message.rows;
  if (trace.started) statistics.queue += *trace.started - queued;
  statistics.input += trace.h2d.value_or(Duration{});
  statistics.forward += forward;
  statistics.output += trace.d2h.value_or(Duration{});
  if (flight.pass_rows == 0) return;
  ++statistics.executions;
  auto& passes = statistics.batches[flight.pass_rows];
  ++passes.count;
  passes.input += trace.h2d.value_or(Duration{});
  passes.forward += forward;
  passes.output += trace.d2h.value_or(Duration{});
  model.pass = model.pass == Duration{} ? forward : (model.pass * 7 + forward) / 8;
  observer_.batch(model.name, trace.batch_size, forward);
}

// What became of a job is said to the store until it has heard it; nothing is lost while its disk is full.
net::awaitable<void> LocalDispatcher::settle(ModelPtr model, jobs::Claimed claimed, wire::Finished message) {
  const std::uint64_t job = claimed.lease.job;
  settling_.insert_or_assign(job, claimed.lease);
  net::steady_timer timer{context_};
  const auto give_up = Clock::now() + options_.lease * 20;
  while (true) {
    const auto reported = co_await on(pool_, [&] { return report(claimed, message); });
    if (reported) {
      if (!*reported) observer_.rejected("fenced");
      if (!*reported || claimed.job.attempt >= claimed.job.max_attempts) model->suspects.erase(job);
      break;
    }
    observer_.log(Level::Error, "what became of a job can't be stored, and is tried again",
                  {{"job", claimed.job.spec.id}, {"reason", reported.error().message}});
    if (Clock::now() > give_up) break;  // the lease lapses, and the job is run again
    timer.expires_after(kPause);
    co_await timer.async_wait(net::use_awaitable);
  }
  settling_.erase(job);
  model->wake.notify();
}

// On the pool.
Result<bool> LocalDispatcher::report(const jobs::Claimed& claimed, const wire::Finished& message) {
  switch (message.how) {
    case wire::Finished::How::Released:
      return store_.release(claimed.lease);
    case wire::Finished::How::Cancelled:
      return store_.confirm_cancelled(claimed.lease, message.stopped);
    case wire::Finished::How::Failed:
      return store_.fail(claimed.lease, message.error.value_or(Error{}), message.retryable);
    case wire::Finished::How::Done:
      break;
  }
  if (!message.blob) return store_.fail(claimed.lease, {ErrorCode::Internal, "the worker named no result", ""}, true);
  const auto result = blobs_.open(message.blob->id);
  if (!result && result.error().code != ErrorCode::NotFound) return tl::unexpected(result.error());
  if (!result || (*result)->size() != message.blob->size) {
    return store_.fail(claimed.lease, {ErrorCode::Internal, "the result that the worker named is not there", ""}, true);
  }
  return store_.complete({claimed.lease, {*message.blob, message.content_type, message.header_length}, message.trace, message.notes});
}

net::awaitable<void> LocalDispatcher::release(std::vector<jobs::Claimed> claimed) {
  if (claimed.empty()) co_return;
  const bool done = co_await on(
      pool_, [&] { return std::ranges::all_of(claimed, [&](const jobs::Claimed& one) { return store_.release(one.lease).has_value(); }); });
  if (!done) observer_.log(Level::Warning, "some jobs could not be given back; their leases will lapse");
}

net::awaitable<void> LocalDispatcher::heartbeat_for_ever() {
  net::steady_timer timer{context_};
  while (!stopped_) {
    co_await heartbeat();
    timer.expires_after(options_.heartbeat);
    co_await timer.async_wait(net::use_awaitable);
  }
}

net::awaitable<void> LocalDispatcher::heartbeat() {
  struct Held {
    InstancePtr instance;
    std::uint64_t key;
  };
  std::vector<jobs::Lease> leases;
  std::vector<Held> held;
  for (const auto& [key, model] : models_) {
    for (const auto& generation : model->generations) {
      for (const auto& instance : generation->instances) {
        if (Clock::now() - instance->heard > options_.silence / 2) continue;
        for (const auto& [flight_key, flight] : instance->flights) {
          const auto* claimed = std::get_if<jobs::Claimed>(&flight.of);
          if (claimed == nullptr) continue;
          leases.push_back(claimed->lease);
          held.push_back({instance, flight_key});
        }
      }
    }
  }
  for (const auto& [job, lease] : settling_) leases.push_back(lease);
  if (leases.empty()) co_return;
  const auto pulses = co_await on(pool_, [&] { return store_.heartbeat(leases, options_.lease); });
  if (!pulses) co_return;
  for (std::size_t i = 0; i < held.size() && i < pulses->size(); ++i) {
    if ((*pulses)[i] == jobs::Pulse::Held) continue;
    wire::Cancel cancel;
    cancel.keys.push_back(held[i].key);
    held[i].instance->process->send(cancel);
  }
}

// Those that nobody woke this one for: from before, after a pause, of another front. Of several versions each takes all for its own, until
// it claims.
net::awaitable<void> LocalDispatcher::look_for_jobs() {
  const auto depths = co_await on(pool_, [this] { return store_.depths(); });
  if (!depths) co_return;
  for (const jobs::QueueDepth& depth : *depths) {
    for (const auto& [key, model] : models_) {
      if (key.first != depth.model || depth.queued <= model->scheduler.jobs()) continue;
      model->scheduler.jobs(depth.queued, Clock::now());
      model->wake.notify();
    }
  }
}

net::awaitable<void> LocalDispatcher::poll_for_ever() {
  net::steady_timer timer{context_};
  while (!stopped_) {
    timer.expires_after(kPoll);
    co_await timer.async_wait(net::use_awaitable);
    if (!draining_) co_await look_for_jobs();
  }
}

}  // namespace lapse::serve
