#pragma once
// Picture files through a model that enlarges them, a few at a time (lapse/image/line.hpp). Not installed.
//
//   run() ──▶ intake ──▶ line: open and cut │ forward pass │ put together, encode, store, answer
//             ∞ by name    1 thread           1 thread       1 thread, and an encoder's for each photo
//
// A photo is opened when the line has room for it, so what waits costs nothing but its name.

#include <atomic>
#include <lapse/image/line.hpp>
#include <lapse/image/opened.hpp>
#include <lapse/pipeline/bounded_queue.hpp>
#include <lapse/serve/worker/answers.hpp>
#include <lapse/serve/worker/model.hpp>
#include <lapse/serve/worker/runner.hpp>
#include <lapse/serve/worker/stages.hpp>
#include <thread>

namespace lapse::serve {

class Photos final : public Runner {
 public:
  /// Starts to load the model; loaded or unloadable goes out over the channel, which is borrowed. `load.photo` is set.
  Photos(Channel& channel, const OpenBlobs& open_blobs, wire::Load load);
  ~Photos() override;
  Photos(const Photos&) = delete;
  Photos& operator=(const Photos&) = delete;

  Result<void> run(wire::Run run, std::shared_ptr<const std::string> payload) override;
  void cancel(const wire::Cancel& cancel) override { answers_.cancel(cancel); }
  void stop() override { intake_.close(); }
  void abandon() override;
  bool ended() const noexcept override { return ended_; }
  int status() const noexcept override { return status_; }
  std::optional<jobs::Time> running_since() const override;

 private:
  /// One photo on its way: what the line's callbacks share.
  struct Work {
    wire::Item item;
    jobs::Trace trace;
    std::unique_ptr<jobs::BlobWriter> result;
    image::Format format = image::Format::Jpeg;
    std::vector<std::string> notes;
    jobs::Time told{};  // when its progress was
  };

  Result<void> load();
  void work();
  void enlarge_all();
  bool ready(bool wait);
  void refuse_the_rest();
  Result<std::unique_ptr<image::Order>> open(wire::Item item);
  Result<tensor::Tensor> infer(const tensor::TensorView& tiles);
  void advanced(Work& work, const image::Advance& advance);
  void ended(Work& work, const Result<void>& how);
  void unfinished(const Work& work, const Error& error);

  static constexpr std::size_t kIntake = 4096;  // the front sends a few at a time

  Channel& channel_;
  const wire::Load load_;
  const OpenBlobs open_blobs_;
  std::unique_ptr<jobs::BlobStore> blobs_;
  const image::Codec* codec_ = nullptr;
  std::optional<Model> model_;
  Answers answers_;
  pipeline::BoundedQueue<wire::Item> intake_{kIntake};
  std::unique_ptr<image::Order> next_;  // of the line's first thread: opened, and not handed over
  std::atomic<bool> ended_{false};
  std::atomic<int> status_{0};
  std::atomic<std::int64_t> passing_since_{0}, opening_since_{0};  // nanoseconds since 1970; 0: not now
  std::thread thread_;
};

}  // namespace lapse::serve
