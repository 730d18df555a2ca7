// The engine's stage and the one behind it.

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <lapse/serve/worker/stages.hpp>
#include <new>
#include <utility>

namespace lapse::serve {

Result<void> Stages::load() {
  if (!load_.blobs.empty()) {
    LAPSE_TRY(blobs_, open_blobs_(load_.blobs));
  }
  LAPSE_TRY(auto model, Model::load(load_));
  model_.emplace(std::move(model));
  return {};
}

void Stages::work() {
  const auto loaded = load();
  if (loaded) {
    joins_ = model_->loaded().batches;
    channel_.send(model_->loaded());
  } else {
    status_ = exit_status(loaded.error().code);
    channel_.send(wire::Unloadable{loaded.error()});
  }
  ready_.set_value(loaded.has_value());
  while (auto batch = batches_.pop()) {
    forward(std::move(*batch));
  }
  outcomes_.close();
}

void Stages::forward(Batch batch) {
  std::erase_if(batch, [&](const Task& task) { return !answers_.ledger().begin(task.item.key) || answers_.late(task.item, task.trace); });
  if (batch.empty()) return;
  if (status_ != 0) {
    for (const Task& task : batch)
      answers_.released(task.item, task.trace, {ErrorCode::DeviceUnusable, "the device was lost in an earlier forward pass", ""});
    return;
  }
  tell_start(batch);
  const auto done = infer(batch);
  if (done) return;
  if (done.error().code == ErrorCode::DeviceUnusable) {
    status_ = exit_status(done.error().code);
    channel_.wake();
  } else if (batch.size() > 1) {
    return one_by_one(batch);
  }
  for (const Task& task : batch) answers_.failed(task.item, task.trace, done.error());
}

void Stages::tell_start(std::span<const Task> batch) {
  wire::Started started;
  started.rows = 0;
  for (const Task& task : batch) {
    started.keys.push_back(task.item.key);
    started.rows += static_cast<std::uint64_t>(std::max<std::int64_t>(task.rows, 1));
  }
  channel_.send(started);
}

Result<void> Stages::infer(std::span<Task> batch) {
  LAPSE_TRY(const JoinedInputs inputs, JoinedInputs::make(batch));
  const jobs::Time started = jobs::system_now();
  running_since_ = started.time_since_epoch().count();
  auto pass = model_->infer(inputs.views());
  running_since_ = 0;
  if (!pass) return tl::unexpected(std::move(pass).error());
  std::int64_t rows = 0;
  for (Task& task : batch) {
    task.trace.started = started;
    task.trace.h2d = pass->h2d;
    task.trace.forward = pass->forward;
    task.trace.d2h = pass->d2h;
    task.trace.batch_size = static_cast<std::uint32_t>(batch.size());
    rows += task.rows;
  }
  if (batch.size() > 1 && !splits(pass->outputs, rows)) {
    if (joins_.exchange(false)) {
      fmt::print(stderr,
                 "lapse work: {}: the outputs don't have the batch as their first dimension: from here on requests run one by one\n",
                 load_.name);
      wire::Loaded loaded = model_->loaded();
      loaded.batches = false;
      channel_.send(loaded);
    }
    return fail(ErrorCode::Unsupported, "the outputs can't be told apart by rows");
  }
  const auto outputs = std::make_shared<const std::vector<tensor::Tensor>>(std::move(pass->outputs));
  std::int64_t first = 0;
  for (Task& task : batch) {
    const OutputRows part{outputs, first, batch.size() == 1 ? 0 : task.rows};
    first += task.rows;
    static_cast<void>(outcomes_.push({std::move(task), part}));  // closed only by this thread
  }
  return {};
}

// So that one poisonous request doesn't spoil its neighbours.
void Stages::one_by_one(Batch& batch) {
  for (Task& task : batch) {
    if (!answers_.ledger().wanted(task.item.key)) {
      answers_.failed(task.item, task.trace, {ErrorCode::Cancelled, "cancelled"});
      continue;
    }
    tell_start({&task, 1});
    const auto done = infer({&task, 1});
    if (!done) answers_.failed(task.item, task.trace, done.error());
  }
}

void Stages::publish() {
  while (const auto outcome = outcomes_.pop()) {
    std::string body;
    const auto finished = [&]() -> Result<wire::Finished> {
      if (!answers_.ledger().wanted(outcome->task.item.key)) return fail(ErrorCode::Cancelled, "cancelled");
      try {
        return encode(outcome->task, outcome->part, body);
      } catch (const std::bad_alloc&) {
        return fail(ErrorCode::OutOfMemory, "no memory for the result");
      }
    }();
    if (finished) {
      answers_.done(outcome->task.item, outcome->task.trace, *finished, body);
    } else if (finished.error().code == ErrorCode::Unavailable) {  // the disk has no room for the result
      answers_.released(outcome->task.item, outcome->task.trace, finished.error());
    } else {
      answers_.failed(outcome->task.item, outcome->task.trace, finished.error());
    }
  }
  if (--publishing_ == 0) channel_.wake();
}

Result<wire::Finished> Stages::encode(const Task& task, const OutputRows& part, std::string& inline_body) const {
  std::vector<tensor::Shape> shapes;
  const auto views = views_of(part, shapes);
  LAPSE_TRY(auto encoded, oip::encode_response(load_.name, load_.version, task.request, model_->signature(), views));
  wire::Finished finished;
  finished.header_length = encoded.header_length;
  finished.content_type = encoded.content_type();
  finished.rows = static_cast<std::uint64_t>(std::max<std::int64_t>(task.rows, 1));
  if (task.item.blob) {
    LAPSE_TRY(finished.blob, blobs_->put(std::as_bytes(std::span(encoded.body))));
  } else {
    finished.size = encoded.body.size();
    inline_body = std::move(encoded.body);
  }
  return finished;
}

}  // namespace lapse::serve
