#include <fmt/format.h>

#include <algorithm>
#include <lapse/serve/oip/words.hpp>
#include <lapse/serve/worker/stages.hpp>
#include <utility>

namespace lapse::serve {

Stages::Stages(Channel& channel, const OpenBlobs& open_blobs, wire::Load load)
    : channel_(channel), load_(std::move(load)), open_blobs_(open_blobs), answers_(channel, "after the forward pass that was running") {
  threads_.emplace_back([this] { work(); });
  threads_.emplace_back([this] { gather(); });
  for (int i = 0; i < kPublishers; ++i) threads_.emplace_back([this] { publish(); });
}

Stages::~Stages() {
  for (std::thread& thread : threads_) thread.join();
}

Result<void> Stages::run(wire::Run run, std::shared_ptr<const std::string> payload) {
  LAPSE_CHECK(answers_.take_in(run));
  Dispatch dispatch{std::move(run), std::move(payload)};
  const auto keys = dispatch.run.items;
  if (intake_.push(std::move(dispatch))) return {};
  for (const wire::Item& item : keys) {
    answers_.released(item, {}, {ErrorCode::Unavailable, "the worker is ending", "it is tried again on another one"});
  }
  return {};
}

void Stages::abandon() {
  intake_.close();
  answers_.ledger().drop_all();
}

std::optional<jobs::Time> Stages::running_since() const {
  const std::int64_t since = running_since_;
  if (since == 0) return std::nullopt;
  return jobs::Time{Duration{since}};
}

void Stages::gather() {
  if (ready_.get_future().get()) {
    while (auto dispatch = intake_.pop()) {
      std::vector<Batch> open;
      for (const wire::Item& item : dispatch->run.items) {
        if (!answers_.ledger().wanted(item.key)) {
          answers_.ledger().end(item.key);
        } else if (auto task = prepare(item, *dispatch->payload)) {
          place(std::move(*task), open);
        } else {
          answers_.failed(item, {}, task.error());
        }
      }
      for (Batch& batch : open) {
        if (!batches_.push(std::move(batch))) return;
      }
    }
  }
  batches_.close();
}

Result<Task> Stages::prepare(const wire::Item& item, std::string_view payload) const {
  Task task{item, {}, 0, {}};
  std::string stored;
  std::string_view body;
  if (item.blob) {
    if (!blobs_) return fail(ErrorCode::Internal, "a request lies in the blob store, and this worker was given none");
    LAPSE_TRY(stored, blobs_->read(item.blob->id, wire::kMaxPayload));
    body = stored;
  } else {
    if (item.offset > payload.size() || item.size > payload.size() - item.offset) {
      return fail(ErrorCode::Internal, "a request's body is not in its frame");
    }
    body = payload.substr(item.offset, item.size);
  }
  LAPSE_TRY(task.request, oip::parse_request(body, item.header_length));
  LAPSE_CHECK(oip::check(task.request, model_->signature()));
  auto& inputs = task.request.inputs;
  auto next = inputs.begin();
  for (const oip::Port& port : model_->signature().inputs) {
    std::iter_swap(next, std::find_if(next, inputs.end(), [&](const auto& input) { return input.name == port.name; }));
    ++next;
  }
  task.rows = joins_ ? rows_of(inputs, load_.max_batch) : 0;
  return task;
}

void Stages::place(Task task, std::vector<Batch>& open) {
  task.trace.batched = jobs::system_now();
  auto batch = std::ranges::find_if(open, [&](const Batch& candidate) { return fits(candidate, task, load_.max_batch); });
  if (batch == open.end()) batch = open.emplace(open.end());
  batch->push_back(std::move(task));
  const std::int64_t rows = rows_of(*batch);
  if (rows != 0 && rows < load_.max_batch) return;
  Batch full = std::move(*batch);
  open.erase(batch);
  // The queue is closed only by this thread, so there is always somebody to take it.
  static_cast<void>(batches_.push(std::move(full)));
}

}  // namespace lapse::serve
