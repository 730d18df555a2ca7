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
constexpr Duration kFirstBackOff = std::chrono::milliseconds{100}, kLongestBackOff = std::chrono::seconds{10};
constexpr auto kHealthy = std::chrono::minutes{1};  // after this a crash is a first one again
constexpr auto kSilence = std::chrono::seconds{10};

std::uint64_t number(const std::string& version) {
  std::uint64_t value = 0;
  std::from_chars(version.data(), version.data() + version.size(), value);
  return value;
}

Scheduler::Rules rules(const ModelSettings& settings) {
  return {static_cast<std::size_t>(settings.max_batch), settings.max_delay, settings.max_waiting};
}

void back_off(Generation& generation) {
  generation.back_off = std::clamp(generation.back_off * 2, kFirstBackOff, kLongestBackOff);
  generation.start_after = std::chrono::steady_clock::now() + generation.back_off;
}

}  // namespace

net::awaitable<void> LocalDispatcher::watch_folder() {
  net::steady_timer timer{context_};
  while (!stopped_) {
    if (!draining_) {
      const auto scan = co_await on(pool_, [this] { return scan_models(options_.models); });
      if (scan) {
        apply(*scan);
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
    if (told_.insert(skipped).second) observer_.log(Level::Warning, skipped);
  }
  std::set<std::pair<std::string, std::uint64_t>> there;
  for (const ModelFile& file : scan.models) {
    const auto key = std::pair{file.name, number(file.version)};
    there.insert(key);
    ModelPtr& model = models_[key];
    if (!model) {
      model = std::make_shared<Model>(context_, rules(file.settings));
      model->name = file.name;
      model->version = file.version;
      net::co_spawn(context_, pump(model), net::detached);
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
    for (const std::uint64_t id : model->scheduler.expire(now)) {
      answer(*model, id, fail(ErrorCode::Deadline, "the request waited longer than its timeout, and was not started"));
    }
    std::erase_if(model->generations, [](const auto& generation) { return generation->retired && generation->instances.empty(); });
    std::erase_if(model->ended, [&](auto time) { return now - time > std::chrono::minutes{1}; });
  }
  each_instance([&](Model& model, Instance& instance) {
    if (!options_.kill_unresponsive) return;
    const auto generation = instance.generation.lock();
    const bool silent = now - instance.heard > kSilence;
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
}

void LocalDispatcher::man(Model& model, const std::shared_ptr<Generation>& generation) {
  if (!generation->file.problem.empty() || Clock::now() < generation->start_after) return;
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
    back_off(*generation);
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
  generation->loaded = std::move(message);
  generation->problem.clear();
  if (generation == model->next) {
    if (model->current) retire(*model->current);
    model->current = std::exchange(model->next, nullptr);
    model->scheduler.rules(rules(model->current->file.settings));
    mark_newest();
    observer_.log(Level::Info, "model ready", {{"model", model->name}, {"version", model->version}});
  }
  model->scheduler.jobs(std::max<std::size_t>(model->scheduler.jobs(), 1), Clock::now());  // some may wait from before
  model->wake.notify();
}

void LocalDispatcher::unloadable(const ModelPtr& model, const InstancePtr& instance, const Error& error) {
  const auto generation = instance->generation.lock();
  if (!generation || generation->retired) return;
  if (std::exchange(generation->problem, error.message) != error.message) {
    observer_.log(Level::Error, "model can't be loaded", {{"model", model->name}, {"version", model->version}, {"reason", error.message}});
  }
}

void LocalDispatcher::ended(const ModelPtr& model, const InstancePtr& instance, const std::string& how) {
  const auto generation = instance->generation.lock();
  if (generation) {
    std::erase(generation->instances, instance);
    if (Clock::now() - instance->started > kHealthy) generation->back_off = {};
    back_off(*generation);
  }
  if (!instance->retiring && !stopped_) {
    ++model->restarts;
    observer_.worker(model->name, "crashed");
    observer_.log(Level::Warning, "worker " + how, {{"model", model->name}, {"worker", instance->name}});
    if (generation && !generation->loaded && generation->problem.empty())
      generation->problem = "the worker " + how + " while it loaded the model";
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
    net::co_spawn(context_, settle(model, std::move(claimed), std::move(crashed)), net::detached);
  }
  model->wake.notify();
}

}  // namespace lapse::serve
