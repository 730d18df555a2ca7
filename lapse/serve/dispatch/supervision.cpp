// Models come and go, workers are started, watched and buried.

#include <lapse/serve/dispatch/local_dispatcher.hpp>
// After the first, which brings <utility>.
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <charconv>

namespace lapse::serve {
namespace {

constexpr Duration kLook = std::chrono::milliseconds{100};
constexpr auto kHealthy = std::chrono::minutes{1};  // after this a crash is a first one again

std::uint64_t number(const std::string& version) {
  std::uint64_t value = 0;
  std::from_chars(version.data(), version.data() + version.size(), value);
  return value;
}

// Nobody waits for company that can't come.
Scheduler::Rules rules(const ModelSettings& settings, const wire::Loaded& loaded) {
  if (!loaded.batches) return {1, {}, settings.max_waiting, wire::kMaxPayload};
  return {static_cast<std::size_t>(settings.max_batch), settings.max_delay, settings.max_waiting, wire::kMaxPayload};
}

}  // namespace

net::awaitable<void> LocalDispatcher::watch_folder() {
  net::steady_timer timer{context_};
  while (!stopped_) {
    if (!draining_) {
      auto scan = co_await on(pool_, [this] { return scan_models(options_.models); });
      if (scan) {
        apply(settled_.take(std::move(*scan)));
      } else if (told_.insert(scan.error().message).second) {
        observer_.log(Level::Warning, scan.error().message);
      }
    }
    timer.expires_after(options_.scan);
    co_await timer.async_wait(net::use_awaitable);
  }
}

void LocalDispatcher::apply(const Scan& scan) {
  scanned_ = true;
  for (const std::string& skipped : scan.skipped) {
    if (!told_.contains(skipped)) observer_.log(Level::Warning, skipped);
  }
  told_ = {scan.skipped.begin(), scan.skipped.end()};
  std::set<std::pair<std::string, std::uint64_t>> there;
  for (const ModelFile& file : scan.models) {
    const auto key = std::pair{file.name, number(file.version)};
    there.insert(key);
    ModelPtr& model = models_[key];
    if (!model) {
      model = std::make_shared<Model>(context_);
      model->name = file.name;
      model->version = file.version;
      go(pump(model));
    }
    model->gone = false;
    bring_up(*model, file);
  }
  for (const auto& [key, model] : models_) {
    if (there.contains(key) || model->gone) continue;
    observer_.log(Level::Info, "model removed; jobs that are queued for it wait until it is back",
                  {{"model", model->name}, {"version", model->version}});
    model->gone = true;
    if (model->current) retire(*model->current);
    if (model->next) retire(*model->next);
    model->current = model->next = nullptr;
    const auto waiting = model->waiting;
    for (const auto& [id, pending] : waiting) {
      if (model->scheduler.remove(id)) answer(*model, id, fail(ErrorCode::NotFound, fmt::format("model '{}' was removed", model->name)));
    }
  }
  mark_newest();
  supervise();
}

// Another state of the files: its workers are started beside the present ones, and take over when they are ready.
void LocalDispatcher::bring_up(Model& model, const ModelFile& file) {
  const bool known = model.next ? model.next->file.stamp == file.stamp : model.current && model.current->file.stamp == file.stamp;
  if (known) return;
  if (model.next) retire(*model.next);
  model.next = nullptr;
  if (model.current && model.current->file.stamp == file.stamp) return;  // it was changed back
  model.next = std::make_shared<Generation>();
  model.next->file = file;
  model.next->problem = file.problem;
  model.generations.push_back(model.next);
  if (!file.problem.empty()) {
    observer_.log(Level::Error, "model can't be served", {{"model", model.name}, {"version", model.version}, {"reason", file.problem}});
  }
}

// Of every model the highest version that is served; where none is, the highest.
void LocalDispatcher::mark_newest() {
  std::map<std::string, Model*> newest;
  for (const auto& [key, model] : models_) {
    model->newest = false;
    if (model->gone) continue;
    Model*& best = newest[key.first];
    if (best == nullptr || model->current || !best->current) best = model.get();
  }
  for (const auto& [name, model] : newest) {
    model->newest = true;
    model->wake.notify();
  }
}

net::awaitable<void> LocalDispatcher::supervise_for_ever() {
  net::steady_timer timer{context_};
  while (!stopped_) {
    supervise();
    timer.expires_after(kLook);
    co_await timer.async_wait(net::use_awaitable);
  }
}

void LocalDispatcher::supervise() {
  const auto now = Clock::now();
  for (const auto& [key, model] : models_) {
    if (!draining_) {
      for (const auto& generation : {model->current, model->next}) {
        if (generation) man(*model, generation);
      }
    }
    expire(*model);
    std::erase_if(model->generations, [](const auto& generation) { return generation->retired && generation->instances.empty(); });
  }
  each_instance([&](Model& model, Instance& instance) {
    if (!options_.kill_unresponsive) return;
    const auto generation = instance.generation.lock();
    const bool silent = now - instance.heard > options_.silence;
    const bool stuck = generation && instance.running_since && generation->file.settings.timeout > Duration{} &&
                       jobs::system_now() - *instance.running_since > generation->file.settings.timeout;
    if (!silent && !stuck) return;
    observer_.log(Level::Error, silent ? "the worker is silent, and is killed" : "a forward pass took too long; the worker is killed",
                  {{"model", model.name}, {"worker", instance.name}});
    observer_.worker(model.name, "killed");
    instance.heard = now;
    instance.running_since.reset();
    instance.process->kill();
  });
  forget_removed();
}

// Those whose last worker has gone. One that comes back is a new one.
void LocalDispatcher::forget_removed() {
  std::erase_if(models_, [](const auto& entry) {
    Model& model = *entry.second;
    if (!model.gone || !model.generations.empty() || !model.waiting.empty()) return false;
    model.forgotten = true;
    model.wake.notify();
    return true;
  });
}

void LocalDispatcher::man(Model& model, const std::shared_ptr<Generation>& generation) {
  if (!generation->file.problem.empty() || !generation->starting.over()) return;
  const auto wanted = static_cast<std::size_t>(generation->file.settings.instances);
  // One tries whether the model loads at all; the others follow.
  const std::size_t now = generation->loaded ? wanted : 1;
  while (generation->instances.size() < now) {
    const std::size_t before = generation->instances.size();
    start_instance(model, generation);
    if (generation->instances.size() == before) return;
  }
}

void LocalDispatcher::start_instance(Model& model, const std::shared_ptr<Generation>& generation) {
  const ModelPtr owner = models_.at({model.name, number(model.version)});
  const auto instance = std::make_shared<Instance>();
  instance->generation = generation;
  instance->name = fmt::format("{}/{}#{}", model.name, model.version, next_instance_++);
  instance->heard = instance->started = Clock::now();
  const auto self = shared_from_this();
  const auto process = WorkerProcess::start(context_, options_.program,
                                            {[self, owner, instance](wire::ToFront received, std::string payload) {
                                               self->message(owner, instance, std::move(received), std::move(payload));
                                             },
                                             [self, instance](const std::string& line) {
                                               self->observer_.log(Level::Warning, line, {{"worker", instance->name}});
                                             },
                                             [self, owner, instance](const std::string& how) { self->ended(owner, instance, how); }});
  if (!process) {
    generation->starting.again();
    observer_.log(Level::Error, process.error().message, {{"model", model.name}});
    return;
  }
  instance->process = *process;
  generation->instances.push_back(instance);
  const ModelSettings& settings = generation->file.settings;
  wire::Load load;
  load.name = model.name;
  load.version = model.version;
  load.model = generation->file.path;
  load.engine = settings.engine;
  load.device = settings.device;
  load.options = settings.engine_options;
  load.threads = settings.threads;
  load.max_batch = settings.max_batch;
  load.declared = settings.declared;
  load.blobs = options_.blobs;
  load.photo = settings.photo;
  instance->process->send(load);
  observer_.worker(model.name, "started");
  observer_.log(Level::Info, "worker started",
                {{"model", model.name}, {"worker", instance->name}, {"pid", std::to_string(instance->process->pid())}});
}

void LocalDispatcher::retire(Generation& generation) {
  generation.retired = true;
  for (const auto& instance : std::vector(generation.instances)) {
    instance->retiring = true;
    stop_if_done(*instance);
  }
}

void LocalDispatcher::stop_if_done(Instance& instance) {
  if (instance.retiring && instance.flights.empty()) instance.process->send(wire::Stop{});
}

void LocalDispatcher::loaded(const ModelPtr& model, const InstancePtr& instance, wire::Loaded message) {
  const auto generation = instance->generation.lock();
  if (!generation || generation->retired) return;
  instance->ready = true;
  if (generation->loaded) message.batches = message.batches && generation->loaded->batches;  // what one worker has found out
  generation->loaded = std::move(message);
  generation->problem.clear();
  if (generation == model->next) {
    if (model->current) retire(*model->current);
    model->current = std::exchange(model->next, nullptr);
    mark_newest();
    observer_.log(Level::Info, "model ready", {{"model", model->name}, {"version", model->version}});
  }
  model->scheduler.rules(rules(generation->file.settings, *generation->loaded));
  go(look_for_jobs());
  model->wake.notify();
}

void LocalDispatcher::unloadable(const ModelPtr& model, const InstancePtr& instance, const Error& error) {
  const auto generation = instance->generation.lock();
  if (!generation || generation->retired) return;
  if (std::exchange(generation->problem, error.message) != error.message) {
    observer_.log(Level::Error, "model can't be loaded", {{"model", model->name}, {"version", model->version}, {"reason", error.message}});
  }
  const bool served = std::ranges::any_of(generation->instances, [](const auto& other) { return other->ready; });
  if (generation != model->current || served) return;
  const auto waiting = model->waiting;  // it served before, and nobody knows when it will again
  for (const auto& [id, pending] : waiting) {
    if (model->scheduler.remove(id)) answer(*model, id, fail(ErrorCode::Unavailable, "the model can't be loaded again: " + error.message));
  }
}

void LocalDispatcher::ended(const ModelPtr& model, const InstancePtr& instance, const std::string& how) {
  const auto generation = instance->generation.lock();
  if (generation) {
    std::erase(generation->instances, instance);
    if (Clock::now() - instance->started > kHealthy) generation->starting = {};
    generation->starting.again();
  }
  const bool refused = generation && !generation->problem.empty();  // it ended because it could not load
  if (!instance->retiring && !stopped_ && !refused) {
    ++model->restarts;
    observer_.worker(model->name, "crashed");
    observer_.log(Level::Warning, "worker " + how, {{"model", model->name}, {"worker", instance->name}});
    if (!instance->ready) unloadable(model, instance, {ErrorCode::Internal, "the worker " + how + " while it loaded the model"});
  }
  const bool together = instance->flights.size() > 1;
  for (auto& [key, flight] : std::exchange(instance->flights, {})) {
    if (std::holds_alternative<std::shared_ptr<Pending>>(flight.of)) {
      answer(*model, key, fail(ErrorCode::Unavailable, fmt::format("the worker {}", how), "try again in a moment"));
      continue;
    }
    auto& claimed = std::get<jobs::Claimed>(flight.of);
    if (together) model->suspects.insert(claimed.lease.job);
    wire::Finished crashed;
    crashed.how = wire::Finished::How::Failed;
    crashed.error = Error{ErrorCode::Internal, fmt::format("the worker {}", how), "what it was given may be more than it can take"};
    crashed.retryable = true;
    go(settle(model, std::move(claimed), std::move(crashed)));
  }
  model->wake.notify();
}

}  // namespace lapse::serve
