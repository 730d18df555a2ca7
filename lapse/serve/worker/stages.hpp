#pragma once
// The three stages of inference requests and the threads that they run on. Not installed.
//
//   run() ──▶ intake ──▶ gather: fetch, parse, batch ──▶ batches ──▶ forward ──▶ results ──▶ publish: encode, store, answer
//             1 thread that never waits for the disk     1 thread                 2 threads, because they wait for the disk

#include <atomic>
#include <functional>
#include <future>
#include <lapse/jobs/blob_store.hpp>
#include <lapse/pipeline/bounded_queue.hpp>
#include <lapse/serve/worker/answers.hpp>
#include <lapse/serve/worker/batch.hpp>
#include <lapse/serve/worker/model.hpp>
#include <lapse/serve/worker/runner.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace lapse::serve {

using OpenBlobs = std::function<Result<std::unique_ptr<jobs::BlobStore>>(const std::string& folder)>;

class Stages final : public Runner {
 public:
  /// Starts to load the model; loaded or unloadable goes out over the channel, which is borrowed.
  Stages(Channel& channel, const OpenBlobs& open_blobs, wire::Load load);
  ~Stages() override;
  Stages(const Stages&) = delete;
  Stages& operator=(const Stages&) = delete;

  Result<void> run(wire::Run run, std::shared_ptr<const std::string> payload) override;
  void cancel(const wire::Cancel& cancel) override { answers_.cancel(cancel); }
  void stop() override { intake_.close(); }
  void abandon() override;
  bool ended() const noexcept override { return publishing_ == 0; }
  int status() const noexcept override { return status_; }
  std::optional<jobs::Time> running_since() const override;

 private:
  struct Dispatch {
    wire::Run run;
    std::shared_ptr<const std::string> payload;
  };
  struct Outcome {
    Task task;
    OutputRows part;
  };

  Result<void> load();
  void gather();
  Result<Task> prepare(const wire::Item& item, std::string_view payload) const;
  void place(Task task, std::vector<Batch>& open);
  void work();
  void forward(Batch batch);
  Result<void> infer(std::span<Task> batch);
  void one_by_one(Batch& batch);
  void publish();
  Result<wire::Finished> encode(const Task& task, const OutputRows& part, std::string& inline_body) const;

  void tell_start(std::span<const Task> batch);

  static constexpr std::size_t kIntake = 4096;  // dispatches; bodies in them are bounded by the front
  static constexpr std::size_t kBatches = 2;    // parsed ahead of the engine
  static constexpr std::size_t kOutcomes = 64;  // requests
  static constexpr int kPublishers = 2;

  Channel& channel_;
  const wire::Load load_;
  std::unique_ptr<jobs::BlobStore> blobs_;
  OpenBlobs open_blobs_;
  std::optional<Model> model_;
  std::atomic<bool> joins_{false};
  std::promise<bool> ready_;

  Answers answers_;
  pipeline::BoundedQueue<Dispatch> intake_{kIntake};
  pipeline::BoundedQueue<Batch> batches_{kBatches};
  pipeline::BoundedQueue<Outcome> outcomes_{kOutcomes};
  std::atomic<int> publishing_{kPublishers}, status_{0};
  std::atomic<std::int64_t> running_since_{0};  // nanoseconds since 1970; 0: nothing runs
  std::vector<std::thread> threads_;
};

}  // namespace lapse::serve
