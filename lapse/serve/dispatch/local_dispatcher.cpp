#include <lapse/serve/dispatch/local_dispatcher.hpp>
// After the first, which brings <utility>.
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace lapse::serve {
namespace {

constexpr auto kFarewell = std::chrono::seconds{2};  // for workers to end by themselves

bool ready(const Model& model) {
  return model.current && model.current->loaded &&
         std::ranges::any_of(model.current->instances, [](const auto& instance) { return instance->ready && !instance->retiring; });
}

// Empty: requests are taken. While a worker that has crashed is started again they wait.
std::string why_not(const Model& model) {
  if (ready(model)) return "";
  const auto& generation = model.current ? model.current : model.next;
  if (!generation) return fmt::format("model '{}' is being loaded", model.name);
  if (!generation->problem.empty()) return fmt::format("model '{}' can't be served: {}", model.name, generation->problem);
  return generation->loaded ? "" : fmt::format("model '{}' is being loaded", model.name);
}

// As metrics have it.
std::string_view outcome(const Result<DirectReply>& reply) {
  if (reply) return "done";
  switch (reply.error().code) {
    case ErrorCode::Deadline:
      return "expired";
    case ErrorCode::Cancelled:
      return "cancelled";
    default:
      return "failed";
  }
}

}  // namespace

LocalDispatcher::LocalDispatcher(net::io_context& context, net::thread_pool& pool, jobs::JobStore& store, jobs::BlobStore& blobs,
                                 Observer& observer, const DispatcherOptions& options)
    : context_(context), pool_(pool), store_(store), blobs_(blobs), observer_(observer), options_(options) {}

// It starts in a moment, and the dispatcher has to be there until then, too.
void LocalDispatcher::go(net::awaitable<void> work) {
  const auto kept = [](std::shared_ptr<LocalDispatcher>, net::awaitable<void> inner) -> net::awaitable<void> { co_await std::move(inner); };
  net::co_spawn(context_, kept(shared_from_this(), std::move(work)), net::detached);
}

void LocalDispatcher::start() {
  go(watch_folder());
  go(supervise_for_ever());
  go(heartbeat_for_ever());
  go(poll_for_ever());
}

void LocalDispatcher::stop() { stopped_ = true; }

Result<LocalDispatcher::ModelPtr> LocalDispatcher::find(const std::string& name, const std::string& version) const {
  ModelPtr found;
  for (const auto& [key, model] : models_) {
    if (key.first != name || model->gone) continue;
    if (version.empty() ? model->newest : model->version == version) found = model;
  }
  if (found) return found;
  if (!scanned_) return fail(ErrorCode::Unavailable, "the models are still being looked for", "try again in a moment");
  return fail(
      ErrorCode::NotFound,
      version.empty() ? fmt::format("there is no model '{}'", name) : fmt::format("there is no version '{}' of model '{}'", version, name),
      "GET /v2/models lists them");
}

net::awaitable<Result<DirectReply>> LocalDispatcher::infer(DirectRequest request, std::shared_ptr<Ticket> ticket) {
  const auto self = shared_from_this();
  const auto found = find(request.model, request.version);
  if (!found) co_return tl::unexpected(found.error());
  const ModelPtr model = *found;
  if (draining_) co_return fail(ErrorCode::Unavailable, "the server is stopping", "try again in a moment");
  if (const std::string reason = why_not(*model); !reason.empty()) co_return fail(ErrorCode::Unavailable, reason);
  if (request.body.size() > wire::kMaxPayload) co_return fail(ErrorCode::TooLarge, "a worker takes no request of more than 2 GiB");
  const auto now = Clock::now();
  const auto pending = std::make_shared<Pending>(context_);
  pending->request = std::move(request);
  pending->accepted = jobs::system_now();
  const std::uint64_t id = next_key_++;
  Scheduler::Direct direct{id, pending->request.priority, pending->request.owner,      now,
                           {}, pending->request.rows,     pending->request.body.size()};
  if (pending->request.timeout) direct.expires = now + *pending->request.timeout;
  if (!model->scheduler.add(std::move(direct))) {
    co_return fail(ErrorCode::Busy, fmt::format("too many requests wait for model '{}'", model->name), "use the asynchronous interface");
  }
  model->waiting.emplace(id, pending);
  ticket->hook([this, model, id] {
    if (!model->scheduler.remove(id)) return tell_to_cancel(id);
    answer(*model, id, fail(ErrorCode::Cancelled, "the client has gone"));
  });
  model->wake.notify();
  while (!pending->reply) co_await pending->answered.wait();
  ticket->hook(nullptr);
  co_return std::move(*pending->reply);
}

void LocalDispatcher::answer(Model& model, std::uint64_t id, Result<DirectReply> reply, jobs::Trace trace) {
  const auto found = model.waiting.find(id);
  if (found == model.waiting.end()) return;
  const auto pending = found->second;
  model.waiting.erase(found);
  trace.accepted = trace.queued = pending->accepted;
  observer_.answered(model.name, outcome(reply), trace);
  pending->reply = std::move(reply);
  pending->answered.notify();
}

void LocalDispatcher::expire(Model& model) {
  for (const std::uint64_t id : model.scheduler.expire(Clock::now())) {
    answer(model, id, fail(ErrorCode::Deadline, "the request waited longer than its timeout, and was not started"));
  }
}

void LocalDispatcher::wake(const std::string& name) {
  for (const auto& [key, model] : models_) {
    if (key.first != name) continue;
    model->scheduler.jobs_came(1, Clock::now());
    model->wake.notify();
  }
}

void LocalDispatcher::tell_to_cancel(std::uint64_t key) {
  each_instance([&](Model&, Instance& instance) {
    if (instance.flights.contains(key)) instance.process->send(wire::Cancel{{key}});
  });
}

void LocalDispatcher::cancelled(std::uint64_t job) {
  each_instance([&](Model&, Instance& instance) {
    for (const auto& [key, flight] : instance.flights) {
      const auto* claimed = std::get_if<jobs::Claimed>(&flight.of);
      if (claimed != nullptr && claimed->lease.job == job) instance.process->send(wire::Cancel{{key}});
    }
  });
}

ModelStatus LocalDispatcher::status(const Model& model) const {
  ModelStatus result;
  result.name = model.name;
  result.version = model.version;
  result.newest = model.newest;
  result.statistics = model.statistics;
  result.restarts = model.restarts;
  const auto& generation = model.current ? model.current : model.next;
  if (generation) {
    result.settings = generation->file.settings;
    result.workers = static_cast<int>(generation->instances.size());
    if (generation->loaded) {
      result.platform = generation->loaded->platform;
      result.signature = generation->loaded->signature;
      result.batches = generation->loaded->batches;
    }
  }
  if (model.next) result.reason = model.next->problem;
  if (model.current && !model.current->problem.empty()) result.reason = model.current->problem;
  if (ready(model)) {
    result.state = ModelState::Ready;
  } else if (!result.reason.empty()) {
    result.state = ModelState::Unavailable;
  }
  return result;
}

std::vector<ModelStatus> LocalDispatcher::models() const {
  std::vector<ModelStatus> result;
  for (const auto& [key, model] : models_) {
    if (!model->gone) result.push_back(status(*model));
  }
  return result;
}

Result<ModelStatus> LocalDispatcher::model(const std::string& name, const std::string& version) const {
  LAPSE_TRY(const ModelPtr model, find(name, version));
  return status(*model);
}

std::optional<Duration> LocalDispatcher::estimate(const std::string& name, std::uint64_t position) const {
  double per_second = 0;
  for (const auto& [key, model] : models_) {
    const bool counts = name.empty() ? model->scheduler.jobs() > 0 : key.first == name;
    if (counts && model->pace > Duration{}) per_second += 1 / std::chrono::duration<double>(model->pace).count();
  }
  if (per_second == 0) return std::nullopt;
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(static_cast<double>(position + 1) / per_second));
}

net::awaitable<void> LocalDispatcher::drain(Duration deadline) {
  const auto self = shared_from_this();
  draining_ = true;
  for (const auto& [key, model] : models_) {
    const auto waiting = model->waiting;
    for (const auto& [id, pending] : waiting) {
      if (model->scheduler.remove(id)) answer(*model, id, fail(ErrorCode::Unavailable, "the server is stopping", "try again in a moment"));
    }
    model->wake.notify();
  }
  net::steady_timer timer{context_};
  const auto until = Clock::now() + deadline;
  const auto busy = [this] {
    std::size_t flights = settling_.size() + claims_;
    each_instance([&](Model&, Instance& instance) { flights += instance.flights.size(); });
    return flights > 0;
  };
  while (busy() && Clock::now() < until) {
    timer.expires_after(std::chrono::milliseconds{20});
    co_await timer.async_wait(net::use_awaitable);
  }
  stopped_ = true;
  std::vector<jobs::Claimed> left;
  each_instance([&](Model&, Instance& instance) {
    for (auto& [key, flight] : instance.flights) {
      if (const auto* claimed = std::get_if<jobs::Claimed>(&flight.of)) left.push_back(*claimed);
    }
    instance.flights.clear();
    instance.retiring = true;
    instance.process->send(wire::Stop{});
  });
  co_await release(std::move(left));
  std::size_t alive = 1;
  for (const auto end = Clock::now() + kFarewell; alive > 0 && Clock::now() < end;) {
    timer.expires_after(std::chrono::milliseconds{20});
    co_await timer.async_wait(net::use_awaitable);
    alive = 0;
    each_instance([&](Model&, Instance&) { ++alive; });
  }
  each_instance([](Model&, Instance& instance) { instance.process->kill(); });
}

namespace {

// What others hold. Its going stops the coroutines at their next step.
class Handle final : public Dispatcher {
 public:
  explicit Handle(std::shared_ptr<LocalDispatcher> inner) : inner_(std::move(inner)) {}
  ~Handle() override { inner_->stop(); }
  void start() override { inner_->start(); }
  net::awaitable<Result<DirectReply>> infer(DirectRequest request, std::shared_ptr<Ticket> ticket) override {
    return inner_->infer(std::move(request), std::move(ticket));
  }
  void wake(const std::string& model) override { inner_->wake(model); }
  void cancelled(std::uint64_t job) override { inner_->cancelled(job); }
  std::vector<ModelStatus> models() const override { return inner_->models(); }
  Result<ModelStatus> model(const std::string& name, const std::string& version) const override { return inner_->model(name, version); }
  std::optional<Duration> estimate(const std::string& model, std::uint64_t position) const override {
    return inner_->estimate(model, position);
  }
  net::awaitable<void> drain(Duration deadline) override { return inner_->drain(deadline); }

 private:
  std::shared_ptr<LocalDispatcher> inner_;
};

}  // namespace

std::unique_ptr<Dispatcher> Dispatcher::make(net::io_context& context, net::thread_pool& pool, jobs::JobStore& store,
                                             jobs::BlobStore& blobs, Observer& observer, const DispatcherOptions& options) {
  return std::make_unique<Handle>(std::make_shared<LocalDispatcher>(context, pool, store, blobs, observer, options));
}

}  // namespace lapse::serve
