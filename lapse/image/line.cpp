#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <lapse/image/line.hpp>
#include <lapse/pipeline/stages.hpp>
#include <map>
#include <thread>
#include <vector>

namespace lapse::image {
namespace {

struct Photo {
  explicit Photo(std::unique_ptr<Order> made) : order(std::move(made)) {}
  const std::unique_ptr<Order> order;
  std::atomic<bool> ended{false};
  std::uint64_t turn = 0;                        // when it was last taken from
  std::atomic<Duration> preprocess{Duration{}};  // of the first stage, which may be ahead
  Advance advance{};                             // of the third

  Enlargement& enlargement() const { return *order->enlargement; }
  /// The first one counts.
  void end(const Result<void>& how) {
    if (!ended.exchange(true)) order->ended(how);
  }
  bool wanted() {
    if (!order->wanted || order->wanted()) return true;
    end(fail(ErrorCode::Cancelled, "cancelled"));
    return false;
  }
};

Duration since(std::chrono::steady_clock::time_point begin) { return std::chrono::steady_clock::now() - begin; }

struct Tile {
  std::shared_ptr<Photo> photo;
  std::size_t index;
};

struct Batch {
  std::vector<Tile> tiles;
  std::array<std::size_t, 3> shape{};
  std::vector<float> input;
  tensor::Tensor output{};
  Duration pass{};
};

class Line {
 public:
  Line(const std::function<std::unique_ptr<Order>()>& next, const LineOptions& options) : next_(next), options_(options) {}

  Result<void> run(const Infer& infer) {
    const pipeline::Stage<Batch> passing{.work = [&](Batch& batch) { return pass(batch, infer); }, .here = true};
    const pipeline::Stage<Batch> joining{.work = [this](Batch& batch) { return join(batch); }};
    const pipeline::RunOptions options{.failed = [this](const Error& error) { fail_all(tl::unexpected(error)); }};
    auto outcome = pipeline::Stages<Batch>::run([this] { return cut(); }, {passing, joining}, options);
    if (outcome && stopped()) outcome = interrupted();
    fail_all(outcome);
    return outcome;
  }

 private:
  static tl::unexpected<Error> interrupted() { return fail(ErrorCode::Interrupted, "interrupted"); }
  bool stopped() const { return options_.stop != nullptr && *options_.stop; }

  // The first stage.

  Result<std::optional<Batch>> cut() {
    while (!stopped() && !failed_ && admit()) {
      const std::size_t before = arrivals();
      Batch batch = collect();
      if (!batch.tiles.empty()) return batch;
      if (std::ranges::none_of(photos_, [](const auto& photo) { return photo->ended.load(); })) await_arrival(before);
    }
    return std::nullopt;
  }

  /// Takes in new photos for those that have ended. False: all have, and none is left.
  bool admit() {
    std::erase_if(photos_, [](const auto& photo) { return photo->ended || photo->enlargement().all(); });
    std::erase_if(turns_, [this](const auto& turn) {
      return std::ranges::none_of(photos_, [&](const auto& photo) { return photo->order->owner == turn.first; });
    });
    while (!exhausted_ && photos_.size() < options_.in_flight) {
      if (options_.ready && !options_.ready(photos_.empty())) break;
      if (failed_) break;  // meanwhile: what is ready is the next line's
      auto order = next_();
      exhausted_ = order == nullptr;
      if (exhausted_) break;
      const std::lock_guard lock{mutex_};
      photos_.push_back(std::make_shared<Photo>(std::move(order)));
      started_.push_back(photos_.back());
    }
    return !photos_.empty();
  }

  /// A batch of tiles that have the same shape, from each owner in turn, and from each of his photos. Empty: every photo waits for outputs.
  Batch collect() {
    Batch batch;
    auto open = photos_;
    while (!open.empty() && batch.tiles.size() < options_.max_batch) {
      const auto next =
          std::ranges::min_element(open, {}, [this](const auto& photo) { return std::pair(turns_[photo->order->owner], photo->turn); });
      if (take_from(*next, batch)) {
        turns_[(*next)->order->owner] = (*next)->turn = ++turn_;
      } else {
        open.erase(next);
      }
    }
    return batch;
  }

  bool take_from(const std::shared_ptr<Photo>& photo, Batch& batch) {
    const auto shape = photo->enlargement().shape();
    if (photo->ended || (!batch.tiles.empty() && shape != batch.shape) || !photo->wanted()) return false;
    const auto begin = std::chrono::steady_clock::now();
    const std::size_t size = shape[0] * shape[1] * shape[2], used = batch.input.size();
    batch.input.resize(used + size);
    const auto index = photo->enlargement().next(std::span(batch.input).subspan(used));
    photo->preprocess = photo->preprocess.load() + since(begin);  // nobody else writes it
    if (!index) photo->end(tl::unexpected(index.error()));
    if (!index || !*index) {
      batch.input.resize(used);
      return false;
    }
    batch.shape = shape;
    batch.tiles.push_back({photo, **index});
    return true;
  }

  std::size_t arrivals() {
    const std::lock_guard lock{mutex_};
    return arrivals_;
  }
  void await_arrival(std::size_t seen) {
    std::unique_lock lock{mutex_};
    arrived_.wait(lock, [&] { return arrivals_ != seen || failed_; });
  }

  // The second.

  Result<void> pass(Batch& batch, const Infer& infer) const {
    const auto wanted_still = [](const Tile& tile) { return !tile.photo->ended && tile.photo->wanted(); };
    if (std::ranges::none_of(batch.tiles, wanted_still)) return {};
    if (stopped()) return interrupted();
    std::array<std::int64_t, 4> shape{static_cast<std::int64_t>(batch.tiles.size())};
    std::ranges::copy(batch.shape, shape.begin() + 1);
    const auto bytes = std::as_bytes(std::span(batch.input));
    const auto begin = std::chrono::steady_clock::now();
    LAPSE_TRY(batch.output, infer({tensor::DType::Float32, shape, bytes.data(), bytes.size()}));
    batch.pass = since(begin);
    const auto scale = static_cast<std::int64_t>(options_.scale);
    const tensor::Shape wanted{shape[0], shape[1], shape[2] * scale, shape[3] * scale};
    if (batch.output.dtype() == tensor::DType::Float32 && batch.output.shape() == wanted) return {};
    return fail(ErrorCode::BadModel,
                fmt::format("the model makes {} {} of {}, where float32 {} is expected", tensor::name(batch.output.dtype()),
                            tensor::to_string(batch.output.shape()), tensor::to_string(shape), tensor::to_string(wanted)),
                "a photo model takes RGB tiles as N x 3 x H x W and makes them larger by its scale");
  }

  void fail_all(const Result<void>& outcome) {
    const std::lock_guard lock{mutex_};
    if (!outcome) {
      for (const auto& photo : started_) photo->end(outcome);
      failed_ = true;
    }
    arrived_.notify_all();
  }

  // The third.

  Result<void> join(Batch& batch) {
    const std::size_t size = batch.output.bytes() / sizeof(float) / batch.tiles.size();
    const std::span<const float> output{reinterpret_cast<const float*>(batch.output.data()), size * batch.tiles.size()};
    for (std::size_t i = 0; i < batch.tiles.size(); ++i) {
      Photo& photo = *batch.tiles[i].photo;
      if (output.empty()) continue;  // nobody wanted any of them
      photo.advance.forward += batch.pass / static_cast<Duration::rep>(batch.tiles.size());
      if (!photo.ended && photo.wanted()) put(photo, batch.tiles[i].index, output.subspan(i * size, size));
    }
    batch = {};  // gone before the next one is cut
    const std::lock_guard lock{mutex_};
    ++arrivals_;
    std::erase_if(started_, [](const auto& photo) { return photo->ended.load(); });
    arrived_.notify_all();
    return {};
  }

  static void put(Photo& photo, std::size_t index, std::span<const float> output) {
    const auto begin = std::chrono::steady_clock::now();
    Enlargement& enlargement = photo.enlargement();
    auto done = enlargement.put(index, output);
    const bool whole = done && enlargement.done() == enlargement.total();
    if (whole) done = enlargement.finish();
    photo.advance.postprocess += since(begin);
    photo.advance.preprocess = photo.preprocess;
    photo.advance.done = enlargement.done();
    photo.advance.total = enlargement.total();
    if (done && photo.order->advanced) photo.order->advanced(photo.advance);
    if (!done || whole) photo.end(done);
  }

  const std::function<std::unique_ptr<Order>()>& next_;
  const LineOptions options_;

  // Of the first stage.
  std::vector<std::shared_ptr<Photo>> photos_;  // with tiles left
  std::map<std::string, std::uint64_t> turns_;  // by owner
  std::uint64_t turn_ = 0;
  bool exhausted_ = false;

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::size_t arrivals_ = 0;                     // batches put
  std::vector<std::shared_ptr<Photo>> started_;  // and not ended
  std::atomic<bool> failed_{false};
};

}  // namespace

Result<void> enlarge(const std::function<std::unique_ptr<Order>()>& next, const Infer& infer, const LineOptions& options) {
  return Line(next, options).run(infer);
}

}  // namespace lapse::image
