#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <lapse/serve/http/reply.hpp>
#include <span>

namespace lapse::serve::http {
namespace {

constexpr std::size_t kPiece = 256 * 1024;  // of a blob: read from the disk and sent at a time

bool has_no_body(unsigned status) { return status < 200 || status == 204 || status == 304; }

}  // namespace

Reply::Reply(Common& common, Wire& wire, Head head, const std::string& remote)
    : common_(common),
      wire_(wire),
      head_(std::move(head)),
      remote_(remote),
      body_(wire, common.bodies, common.options.body_timeout, head_) {}

Reply::~Reply() { wire_.on_gone({}); }

const std::string& Reply::part(std::string_view name) const {
  static const std::string none;
  const auto found = match_.parts.find(name);
  return found == match_.parts.end() ? none : found->second;
}

std::optional<std::string> Reply::query(std::string_view name) const {
  const auto found = std::find_if(head_.parameters.begin(), head_.parameters.end(), [&](const auto& one) { return one.first == name; });
  if (found == head_.parameters.end()) return std::nullopt;
  return found->second;
}

net::awaitable<Result<std::string>> Reply::body(std::uint64_t limit) { return body_.read(limit); }

net::awaitable<bool> Reply::start(const Response& response, Ending ending, std::uint64_t length, std::string_view body) {
  answered_ = true;
  keep_alive_ = head_.keep_alive && keep_alive_ && ending != Ending::Close && !common_.stopping && body_.can_be_drained();
  if (has_no_body(response.status)) ending = Ending::NoBody;
  const std::string head = head_text(response, ending, length, keep_alive_, std::time(nullptr));
  if (is_head() || ending == Ending::NoBody) body = {};
  const bool sent = co_await wire_.send({net::buffer(head), net::buffer(body), {}});
  if (sent) status_ = response.status;
  co_return sent;
}

net::awaitable<void> Reply::respond(Response response) {
  if (answered_) co_return;
  if (body_.stalled()) response.status = 408;
  co_await start(response, Ending::Length, response.body.size(), response.body);
}

net::awaitable<void> Reply::respond_blob(Response response, std::shared_ptr<const jobs::BlobReader> blob, std::uint64_t offset,
                                         std::uint64_t size) {
  if (answered_) co_return;
  std::string piece;
  std::uint64_t sent = 0;
  const bool wanted = !is_head() && !has_no_body(response.status);
  do {
    if (wanted) {
      piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, size - sent)));
      const auto read = co_await on(common_.pool, [&] { return blob->read(offset + sent, std::as_writable_bytes(std::span{piece})); });
      if (!read || *read != piece.size()) {
        const Error error = read ? Error{ErrorCode::Unavailable, "the blob is shorter than it was", {}} : read.error();
        common_.report(fmt::format("{}: {}", head_.path, error.message));
        if (!answered_)
          co_await respond(refuse(error));
        else
          wire_.close();  // the length that was promised can't be kept any more
        co_return;
      }
    }
    const bool ok = answered_ ? co_await wire_.send({net::buffer(piece), {}, {}}) : co_await start(response, Ending::Length, size, piece);
    if (!ok) co_return;
    sent += piece.size();
  } while (wanted && sent < size);
}

net::awaitable<bool> Reply::begin_stream(Response response) {
  if (answered_) co_return false;
  const Ending ending = head_.version_1_1 ? Ending::Chunked : Ending::Close;
  const bool sent = co_await start(response, ending, 0, {});
  if (!sent || is_head() || has_no_body(response.status)) co_return false;
  stream_ = ending == Ending::Chunked ? Stream::Chunked : Stream::Plain;
  co_return true;
}

net::awaitable<bool> Reply::write(std::string_view bytes) {
  if (stream_ == Stream::None || wire_.closed()) co_return false;
  if (bytes.empty()) co_return true;  // an empty chunk would be the end
  if (stream_ == Stream::Plain) co_return co_await wire_.send({net::buffer(bytes), {}, {}});
  const std::string size = fmt::format("{:x}\r\n", bytes.size());
  static constexpr std::string_view kEnd = "\r\n";
  co_return co_await wire_.send({net::buffer(size), net::buffer(bytes), net::buffer(kEnd)});
}

net::awaitable<void> Reply::finish(bool failed) {
  wire_.on_gone({});
  if (answered_) {
    // The client sees by the missing end that it hasn't got everything.
    if (failed) wire_.close();
    static constexpr std::string_view kLast = "0\r\n\r\n";
    if (!failed && stream_ == Stream::Chunked) co_await wire_.send({net::buffer(kLast), {}, {}});
    co_return;
  }
  keep_alive_ = false;
  if (!wire_.gone() && !wire_.closed()) {
    co_await respond(problem(500, "the server failed at this request", "the reason is in its log"));
  }
}

net::awaitable<bool> Reply::leave() {
  if (!keep_alive_ || wire_.closed()) co_return false;
  co_return co_await body_.drain();
}

}  // namespace lapse::serve::http
