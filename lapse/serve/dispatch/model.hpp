#pragma once
// What the dispatcher keeps of one model version, from the files to the workers. Data; LocalDispatcher does things with it.

#include <algorithm>
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

/// A wait that doubles, from 100 ms to 10 s, while something goes wrong again and again.
struct BackOff {
  std::chrono::steady_clock::time_point until{};
  Duration wait{};
  bool over() const { return std::chrono::steady_clock::now() >= until; }
  void again() {
    wait = std::clamp<Duration>(wait * 2, std::chrono::milliseconds{100}, std::chrono::seconds{10});
    until = std::chrono::steady_clock::now() + wait;
  }
};

/// What a worker was sent and has not answered.
struct Flight {
  std::variant<jobs::Claimed, std::shared_ptr<Pending>> of;
  std::uint64_t dispatch = 0;
  std::uint64_t pass_rows = 0;  // of its forward pass, if it is the first of it and stands for it in the statistics
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
  BackOff starting;
  bool retired = false;
};

struct Model {
  explicit Model(net::io_context& context) : scheduler({}), wake(context) {}
  std::string name, version;
  std::shared_ptr<Generation> current, next;             // next: being loaded, to take current's place
  std::vector<std::shared_ptr<Generation>> generations;  // these, and retired ones whose workers still live
  bool newest = false, gone = false;
  bool forgotten = false;  // gone, and its last worker too
  Scheduler scheduler;
  std::map<std::uint64_t, std::shared_ptr<Pending>> waiting;
  Signal wake;
  std::set<std::uint64_t> suspects;  // jobs that were on a worker with others when it crashed: they run alone
  ModelStatus::Statistics statistics;
  int restarts = 0;
  BackOff claiming;  // after failures that may pass: no room on the disk, no memory
  Duration pass{};   // of late, smoothed
  Duration pace{};   // the same from one end to the next, while there is enough to do
  std::optional<jobs::Time> last_end;
};

}  // namespace lapse::serve
