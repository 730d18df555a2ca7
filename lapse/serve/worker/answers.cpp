#include <fmt/format.h>

#include <lapse/serve/oip/words.hpp>
#include <lapse/serve/worker/answers.hpp>
#include <utility>

namespace lapse::serve {
namespace {

wire::Finished unfinished(wire::Finished::How how, const Error& error) {
  constexpr std::size_t kLongest = 1000;  // bytes
  wire::Finished finished;
  finished.how = how;
  finished.error = Error{error.code, oip::one_line(error.message, kLongest), oip::one_line(error.hint, kLongest)};
  return finished;
}

wire::Finished cancelled(std::string stopped) {
  wire::Finished finished;
  finished.how = wire::Finished::How::Cancelled;
  finished.stopped = std::move(stopped);
  return finished;
}

}  // namespace

Result<void> Answers::take_in(const wire::Run& run) {
  for (const wire::Item& item : run.items) {
    if (!ledger_.add(item.key)) return fail(ErrorCode::BadInput, fmt::format("a request {} is here already", item.key));
  }
  return {};
}

void Answers::cancel(const wire::Cancel& cancel) {
  for (const std::uint64_t key : cancel.keys) {
    if (!ledger_.cancel(key)) continue;
    wire::Finished finished = cancelled("before it started");
    finished.key = key;
    channel_.send(finished);
  }
}

void Answers::done(const wire::Item& item, const jobs::Trace& trace, wire::Finished finished, std::string_view payload) {
  const auto verdict = ledger_.end(item.key);
  if (verdict == Ledger::Verdict::Dropped) return;
  if (verdict == Ledger::Verdict::Cancelled) {
    finished = cancelled(cut_short_);
    payload = {};
  }
  finished.key = item.key;
  finished.trace = trace;
  channel_.send(finished, payload);
}

void Answers::failed(const wire::Item& item, const jobs::Trace& trace, const Error& error) {
  auto finished = unfinished(wire::Finished::How::Failed, error);
  finished.retryable =
      error.code == ErrorCode::OutOfMemory || error.code == ErrorCode::DeviceUnusable || error.code == ErrorCode::Unavailable;
  done(item, trace, std::move(finished));
}

void Answers::released(const wire::Item& item, const jobs::Trace& trace, const Error& error) {
  done(item, trace, unfinished(wire::Finished::How::Released, error));
}

bool Answers::late(const wire::Item& item, const jobs::Trace& trace) {
  if (!item.deadline || *item.deadline > jobs::system_now()) return false;
  released(item, trace, {ErrorCode::Deadline, "the request waited longer than its timeout, and was not started", ""});
  return true;
}

}  // namespace lapse::serve
