#pragma once
// The dispatcher of one front. Three files: local_dispatcher.cpp (those who ask), supervision.cpp (models, generations, workers),
// flow.cpp (requests out, results home).
//
// Its coroutines hold it, so that it may be let go of at any time.

#include <lapse/serve/dispatch/model.hpp>

#include <compare>
#include <map>
#include <memory>
#include <span>

namespace lapse::serve {

class LocalDispatcher final : public std::enable_shared_from_this<LocalDispatcher> {
 public:
  LocalDispatcher(net::io_context& context, net::thread_pool& pool, jobs::JobStore& store, jobs::BlobStore& blobs, Observer& observer,
                  const DispatcherOptions& options);

  void start();
  void stop();
  net::awaitable<Result<DirectReply>> infer(DirectRequest request, std::shared_ptr<Ticket> ticket);
  void wake(const std::string& model);
  void cancelled(std::uint64_t job);
  std::vector<ModelStatus> models() const;
  Result<ModelStatus> model(const std::string& name, const std::string& version) const;
  std::optional<Duration> estimate(const std::string& model, std::uint64_t position) const;
  net::awaitable<void> drain(Duration deadline);

 private:
  using Clock = std::chrono::steady_clock;
  using ModelPtr = std::shared_ptr<Model>;
  using InstancePtr = std::shared_ptr<Instance>;

  // local_dispatcher.cpp
  Result<ModelPtr> find(const std::string& name, const std::string& version) const;
  ModelStatus status(const Model& model) const;
  void tell_to_cancel(std::uint64_t key);
  void answer(Model& model, std::uint64_t id, Result<DirectReply> reply, jobs::Trace trace = {});
  void expire(Model& model);

  // supervision.cpp
  net::awaitable<void> watch_folder();
  void apply(const Scan& scan);
  void bring_up(Model& model, const ModelFile& file);
  void mark_newest();
  void supervise();
  void forget_removed();
  net::awaitable<void> supervise_for_ever();
  void man(Model& model, const std::shared_ptr<Generation>& generation);
  void start_instance(Model& model, const std::shared_ptr<Generation>& generation);
  void retire(Generation& generation);
  void stop_if_done(Instance& instance);
  void loaded(const ModelPtr& model, const InstancePtr& instance, wire::Loaded message);
  void unloadable(const ModelPtr& model, const InstancePtr& instance, const Error& error);
  void ended(const ModelPtr& model, const InstancePtr& instance, const std::string& how);
  template <class F>
  void each_instance(F f) const {
    for (const auto& [key, model] : models_) {
      for (const auto& generation : model->generations) {
        for (const auto& instance : std::vector(generation->instances)) f(*model, *instance);
      }
    }
  }

  void go(net::awaitable<void> work);

  // flow.cpp
  net::awaitable<void> pump(ModelPtr model);
  InstancePtr free_instance(const Model& model) const;
  net::awaitable<void> dispatch(ModelPtr model, Scheduler::Decision decision);
  net::awaitable<std::vector<jobs::Claimed>> claim(const Model& model, std::size_t count);
  void send(Model& model, Instance& instance, std::span<const std::uint64_t> direct, std::vector<jobs::Claimed> claimed);
  void message(const ModelPtr& model, const InstancePtr& instance, wire::ToFront message, std::string payload);
  void started(Instance& instance, const wire::Started& message);
  void progress(Instance& instance, const wire::Progress& message);
  net::awaitable<void> note(jobs::Lease lease, jobs::Progress progress);
  void finished(const ModelPtr& model, const InstancePtr& instance, wire::Finished message, std::string payload);
  void pause_or_go_on(Model& model, const std::string& job, const wire::Finished& message);
  void count(Model& model, const Flight& flight, const wire::Finished& message);
  net::awaitable<void> settle(ModelPtr model, jobs::Claimed claimed, wire::Finished message);
  Result<bool> report(const jobs::Claimed& claimed, const wire::Finished& message);
  net::awaitable<void> release(std::vector<jobs::Claimed> claimed);
  net::awaitable<void> heartbeat_for_ever();
  net::awaitable<void> heartbeat();
  net::awaitable<void> look_for_jobs();
  net::awaitable<void> poll_for_ever();

  net::io_context& context_;
  net::thread_pool& pool_;
  jobs::JobStore& store_;
  jobs::BlobStore& blobs_;
  Observer& observer_;
  const DispatcherOptions options_;
  std::map<std::pair<std::string, std::uint64_t>, ModelPtr> models_;  // by name and version
  Settled settled_;
  std::map<std::uint64_t, jobs::Lease> settling_;  // reported by a worker, not committed yet
  std::set<std::string> told_;                     // what was logged about the folder
  std::size_t claims_ = 0;                         // under way: what they bring counts as running
  std::uint64_t next_key_ = 1, next_instance_ = 1, next_dispatch_ = 1;
  bool scanned_ = false, draining_ = false, stopped_ = false;
};

}  // namespace lapse::serve
