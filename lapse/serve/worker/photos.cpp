#include <fmt/format.h>

#include <algorithm>
#include <lapse/serve/worker/photos.hpp>
#include <new>
#include <nlohmann/json.hpp>
#include <utility>

namespace lapse::serve {
namespace {

constexpr std::size_t kInFlight = 4;  // photos: what the front sends at a time
constexpr Duration kTold = std::chrono::milliseconds{200};

std::int64_t now() { return jobs::system_now().time_since_epoch().count(); }

class Since {
 public:
  explicit Since(std::atomic<std::int64_t>& since) : since_(since) { since_ = now(); }
  ~Since() { since_ = 0; }
  Since(const Since&) = delete;
  Since& operator=(const Since&) = delete;

 private:
  std::atomic<std::int64_t>& since_;
};

// What the front let pass.
image::OpenOptions options_of(const wire::Load& load, const std::string& parameters) {
  image::OpenOptions options;
  options.scaling = *load.photo;
  const auto json = nlohmann::json::parse(parameters, nullptr, false);
  if (!json.is_object()) return options;
  options.keep_metadata = json.value("keep_metadata", false);
  options.wanted = image::format_of_suffix("." + json.value("format", std::string{}));
  return options;
}

}  // namespace

Photos::Photos(Channel& channel, const OpenBlobs& open_blobs, wire::Load load)
    : channel_(channel), load_(std::move(load)), open_blobs_(open_blobs), answers_(channel, "after the tile that was running") {
  thread_ = std::thread([this] { work(); });
}

Photos::~Photos() { thread_.join(); }

Result<void> Photos::run(wire::Run run, std::shared_ptr<const std::string>) {
  LAPSE_CHECK(answers_.take_in(run));
  for (wire::Item& item : run.items) {
    if (intake_.push(item)) continue;
    answers_.released(item, {}, {ErrorCode::Unavailable, "the worker is ending", "it is tried again on another one"});
  }
  return {};
}

void Photos::abandon() {
  intake_.close();
  answers_.ledger().drop_all();
}

std::optional<jobs::Time> Photos::running_since() const {
  const std::int64_t passing = passing_since_, opening = opening_since_;
  const std::int64_t since = passing != 0 && opening != 0 ? std::min(passing, opening) : std::max(passing, opening);
  if (since == 0) return std::nullopt;
  return jobs::Time{Duration{since}};
}

Result<void> Photos::load() {
  LAPSE_TRY(codec_, image::find_codec());
  LAPSE_TRY(blobs_, open_blobs_(load_.blobs));
  LAPSE_TRY(auto model, Model::load(load_));
  if (model.signature().inputs.size() != 1 || model.signature().outputs.size() > 1) {
    return fail(ErrorCode::BadModel,
                fmt::format("it has {} inputs and {} outputs", model.signature().inputs.size(), model.signature().outputs.size()),
                "a photo model takes RGB tiles and gives them back larger");
  }
  model_.emplace(std::move(model));
  return {};
}

void Photos::work() {
  if (const auto loaded = load()) {
    wire::Loaded message = model_->loaded();
    message.batches = false;  // tiles are joined, jobs are not
    channel_.send(message);
    enlarge_all();
  } else {
    status_ = exit_status(loaded.error().code);
    channel_.send(wire::Unloadable{loaded.error()});
  }
  refuse_the_rest();
  ended_ = true;
  channel_.wake();
}

void Photos::enlarge_all() {
  image::LineOptions line;
  line.scale = load_.photo->scale;
  line.max_batch = static_cast<std::size_t>(std::max(load_.max_batch, 1));
  line.in_flight = kInFlight;
  line.ready = [this](bool wait) { return ready(wait); };
  // Those on their way end with the model's error; the next ones may fare better.
  while (true) {
    const auto done =
        image::enlarge([this] { return std::move(next_); }, [this](const tensor::TensorView& tiles) { return infer(tiles); }, line);
    if (done) return;
    if (done.error().code != ErrorCode::DeviceUnusable) continue;
    status_ = exit_status(done.error().code);
    channel_.wake();
    return;
  }
}

// Is the next one open, or is it known that there is none? What can't be opened is answered here.
bool Photos::ready(bool wait) {
  while (!next_) {
    auto item = wait ? intake_.pop() : intake_.try_pop();
    if (!item) return wait;
    const wire::Item kept = *item;
    if (!answers_.ledger().begin(kept.key) || answers_.late(kept, {})) continue;
    const Since opening{opening_since_};
    auto order = open(std::move(*item));
    if (order) {
      next_ = std::move(*order);
    } else {
      unfinished(Work{kept, {}, nullptr, {}, {}, {}}, order.error());
    }
  }
  return true;
}

void Photos::refuse_the_rest() {
  const Error error{ErrorCode::DeviceUnusable, "the device was lost in an earlier forward pass", ""};
  if (next_) next_->ended(tl::unexpected(error));
  while (const auto item = intake_.pop()) answers_.released(*item, {}, error);
}

Result<std::unique_ptr<image::Order>> Photos::open(wire::Item item) {
  if (!item.blob) return fail(ErrorCode::Unsupported, "this model takes picture files, as jobs", "PUT /v2/jobs/{id}?model=NAME");
  const auto work = std::make_shared<Work>();
  work->item = std::move(item);
  work->trace.batched = jobs::system_now();
  work->trace.batch_size = 1;
  LAPSE_TRY(const auto file, blobs_->local_file(work->item.blob->id));
  const auto into = [&](image::Format) -> Result<image::Sink> {
    LAPSE_TRY(work->result, blobs_->create());
    return [work](std::span<const std::byte> bytes) { return work->result->append(bytes); };
  };
  LAPSE_TRY(auto opened, image::open_photo(*codec_, file, options_of(load_, work->item.parameters), into));
  work->format = opened.format;
  work->notes.assign(opened.header.notes.begin(), opened.header.notes.end());
  work->trace.started = jobs::system_now();
  channel_.send(wire::Started{{work->item.key}, 1});
  auto order = std::make_unique<image::Order>();
  order->enlargement = std::move(opened.enlargement);
  order->owner = work->item.owner;
  order->wanted = [this, work] { return answers_.ledger().wanted(work->item.key); };
  order->advanced = [this, work](const image::Advance& advance) { advanced(*work, advance); };
  order->ended = [this, work](const Result<void>& how) { ended(*work, how); };
  return order;
}

Result<tensor::Tensor> Photos::infer(const tensor::TensorView& tiles) {
  const Since passing{passing_since_};
  LAPSE_TRY(auto pass, model_->infer({&tiles, 1}));
  if (pass.outputs.size() != 1) return fail(ErrorCode::BadModel, fmt::format("the model has {} outputs", pass.outputs.size()));
  return std::move(pass.outputs.front());
}

void Photos::advanced(Work& work, const image::Advance& advance) {
  work.trace.preprocess = advance.preprocess;
  work.trace.forward = advance.forward;
  work.trace.postprocess = advance.postprocess;
  const jobs::Time time = jobs::system_now();
  if (time - work.told < kTold && work.told <= time) return;
  work.told = time;
  channel_.send(wire::Progress{work.item.key, advance.done, advance.total});
}

void Photos::ended(Work& work, const Result<void>& how) {
  const auto finished = [&]() -> Result<wire::Finished> {
    LAPSE_CHECK(how);
    wire::Finished message;
    LAPSE_TRY(message.blob, work.result->finish());
    message.content_type = image::content_type(work.format);
    message.notes = work.notes;
    return message;
  }();
  work.result.reset();
  if (finished) return answers_.done(work.item, work.trace, *finished);
  unfinished(work, finished.error());
}

// Full disk: nothing is wrong with the photo.
void Photos::unfinished(const Work& work, const Error& error) {
  if (error.code == ErrorCode::Unavailable) return answers_.released(work.item, work.trace, error);
  answers_.failed(work.item, work.trace, error);
}

}  // namespace lapse::serve
