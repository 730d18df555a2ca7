#include <fmt/format.h>

#include <algorithm>
#include <lapse/serve/http/body.hpp>

namespace lapse::serve::http {
namespace {

constexpr std::uint64_t kSlowest = 1024;       // bytes a second, on the whole
constexpr std::uint64_t kDrained = 64 * 1024;  // reading more away costs more than a new connection
// Memory is touched and counted as the bytes come, not as they are announced: else a few clients who announce much and send nothing could
// keep everybody else's bodies out.
constexpr std::size_t kPiece = 256 * 1024;

}  // namespace

Body::Body(Wire& wire, BodyBudget& budget, std::chrono::nanoseconds timeout, const Head& head)
    : wire_(wire),
      share_(budget),
      timeout_(timeout),
      started_(std::chrono::steady_clock::now()),
      left_(head.length.value_or(0)),
      chunked_(head.chunked),
      expects_continue_(head.expects_continue) {}

SteadyTime Body::deadline() const {
  const auto now = std::chrono::steady_clock::now();
  const auto floor = started_ + timeout_ + std::chrono::seconds{received_ / kSlowest};
  return std::min(std::chrono::time_point_cast<SteadyTime::duration>(now + timeout_),
                  std::chrono::time_point_cast<SteadyTime::duration>(floor));
}

// Nobody knows any more where the body ends.
tl::unexpected<Error> Body::failed(Error error) {
  failed_ = true;
  return tl::unexpected(std::move(error));
}

tl::unexpected<Error> Body::broken(Wire::Outcome outcome) {
  if (outcome != Wire::Outcome::Late) return failed({ErrorCode::BadInput, "the client broke off in the middle of the body"});
  stalled_ = true;
  return failed({ErrorCode::BadInput, "the body came too slowly", "send it at once, at 1 KiB a second or more"});
}

net::awaitable<bool> Body::say_continue() {
  if (!std::exchange(expects_continue_, false) || !wire_.buffered().empty()) co_return true;
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  co_return co_await wire_.send({net::buffer(kContinue), {}, {}});
}

net::awaitable<Result<std::string>> Body::read(std::uint64_t limit) {
  if (std::exchange(asked_, true)) co_return fail(ErrorCode::Internal, "the body was asked for twice");
  if (left_ > limit) {
    co_return fail(ErrorCode::TooLarge, fmt::format("a body of {} bytes is larger than the {} that are taken", left_, limit));
  }
  auto room = share_.room_for(left_);
  if (!room) co_return tl::unexpected(std::move(room.error()));
  started_ = std::chrono::steady_clock::now();
  const bool said = co_await say_continue();
  if (!said) co_return broken(Wire::Outcome::Broken);
  auto reading = chunked_ ? read_chunks(limit) : read_known();
  co_return co_await std::move(reading);
}

net::awaitable<Result<std::string>> Body::read_known() {
  const auto size = static_cast<std::size_t>(left_);
  std::string text;
  text.reserve(size);
  text = wire_.buffered().substr(0, size);
  wire_.consume(text.size());
  auto counted = share_.grow(text.size());
  std::size_t filled = text.size();
  while (counted && filled < size) {
    if (filled == text.size()) {
      const std::size_t piece = std::min(size - filled, kPiece);
      counted = share_.grow(piece);
      if (!counted) break;
      text.resize(filled + piece);
    }
    received_ = filled;
    wire_.expect(text.size() - filled);
    const auto [outcome, count] = co_await wire_.receive(net::buffer(text.data() + filled, text.size() - filled), deadline());
    if (outcome != Wire::Outcome::Data) co_return broken(outcome);
    filled += count;
  }
  wire_.expect(1);
  if (!counted) co_return failed(std::move(counted.error()));
  left_ = 0;
  co_return text;
}

net::awaitable<Result<std::string>> Body::read_chunks(std::uint64_t limit) {
  ChunkedDecoder decoder;
  std::string text;
  for (;;) {
    const auto taken = decoder.feed(wire_.buffered(), text);
    if (!taken) co_return failed({ErrorCode::BadInput, "the chunks of the body are malformed"});
    wire_.consume(*taken);
    if (text.size() > limit) {
      co_return fail(ErrorCode::TooLarge, fmt::format("the body is larger than the {} bytes that are taken", limit));
    }
    auto counted = share_.grow(text.capacity() - std::min<std::uint64_t>(text.capacity(), share_.bytes()));
    if (!counted) co_return failed(std::move(counted.error()));
    if (decoder.done()) break;
    received_ = text.size();
    const auto outcome = co_await wire_.fill(kDrained, deadline());
    if (outcome != Wire::Outcome::Data) co_return broken(outcome);
  }
  chunked_ = false;
  co_return text;
}

bool Body::can_be_drained() const noexcept { return !failed_ && !chunked_ && !expects_continue_ && left_ <= kDrained; }

net::awaitable<bool> Body::drain() {
  if (!can_be_drained()) co_return false;
  started_ = std::chrono::steady_clock::now();
  for (;;) {
    const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(left_, wire_.buffered().size()));
    wire_.consume(taken);
    left_ -= taken;
    received_ += taken;
    if (left_ == 0) co_return true;
    if (co_await wire_.fill(static_cast<std::size_t>(left_), deadline()) != Wire::Outcome::Data) co_return false;
  }
}

}  // namespace lapse::serve::http
