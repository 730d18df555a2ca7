#pragma once
// What the dispatcher keeps of one model version, from the files to the workers. Data; dispatch_*.cpp do things with it.

#include <lapse/serve/dispatch/repository.hpp>
#include <lapse/serve/dispatch/scheduler.hpp>
#include <lapse/serve/dispatch/signal.hpp>
#include <lapse/serve/dispatch/worker_process.hpp>
#include <map>
#include <memory>
#include <set>
#include <variant>

namespace lapse::serve {

/// A synchronous request on its way.
struct Pending {
  explicit Pending(net::io_context& context) : answered(context) {}
  DirectRequest request;
  std::optional<Result<DirectReply>> reply;
  Signal answered;
  jobs::Time accepted{};
};

/// What a worker was sent and has not answered.
struct Flight {
  std::variant<jobs::Claimed, std::shared_ptr<Pending>> of;
  std::uint64_t dispatch = 0;
  bool leads_pass = false;  // the first of its forward pass, which stands for it in the statistics
};

struct Generation;

/// One worker process of a generation.
struct Instance {
  std::shared_ptr<WorkerProcess> process;
  std::weak_ptr<Generation> generation;
  std::string name;  // "demo/1#2"
  bool ready = false, retiring = false;
  std::map<std::uint64_t, Flight> flights;
  std::map<std::uint64_t, std::size_t> dispatches;  // sent, and how many of each are not answered yet
  std::chrono::steady_clock::time_point heard, started;
  std::optional<jobs::Time> running_since;
};

/// One state of a version's files, and the workers that serve it.
struct Generation {
  ModelFile file;
  std::optional<wire::Loaded> loaded;
  std::string problem;
  std::vector<std::shared_ptr<Instance>> instances;
  Duration back_off{};  // before the next start
  std::chrono::steady_clock::time_point start_after{};
  bool retired = false;
};

struct Model {
  Model(net::io_context& context, const Scheduler::Rules& rules) : scheduler(rules), wake(context) {}
  std::string name, version;
  std::shared_ptr<Generation> current, next;             // next: being loaded, to take current's place
  std::vector<std::shared_ptr<Generation>> generations;  // these, and retired ones whose workers still live
  bool newest = false, gone = false;
  Scheduler scheduler;
  std::map<std::uint64_t, std::shared_ptr<Pending>> waiting;
  Signal wake;
  std::set<std::uint64_t> suspects;  // jobs that were on a worker with others when it crashed: they run alone
  ModelStatus::Statistics statistics;
  int restarts = 0;
  Duration pass{};                                           // of late, smoothed
  std::vector<std::chrono::steady_clock::time_point> ended;  // of the last minute
};

}  // namespace lapse::serve
