#pragma once
// The Exchange of a request on a wire.

#include <lapse/serve/http/conversation.hpp>
#include <lapse/serve/http/response.hpp>

namespace lapse::serve::http {

class Reply final : public Exchange {
 public:
  Reply(Common& common, Wire& wire, Head head, const std::string& remote);
  ~Reply() override;
  Reply(const Reply&) = delete;
  Reply& operator=(const Reply&) = delete;

  std::string_view method() const override { return head_.method; }
  std::string_view path() const override { return head_.path; }
  const std::string& part(std::string_view name) const override;
  std::optional<std::string> query(std::string_view name) const override;
  std::optional<std::string_view> header(std::string_view name) const override { return head_.field(name); }
  std::string_view remote() const override { return remote_; }
  net::awaitable<Result<std::string>> body(std::uint64_t limit) override;
  BodyShare share() override { return BodyShare{common_.bodies}; }
  net::awaitable<void> respond(Response response) override;
  net::awaitable<void> respond_blob(Response response, std::shared_ptr<const jobs::BlobReader> blob, std::uint64_t offset,
                                    std::uint64_t size) override;
  net::awaitable<bool> begin_stream(Response response) override;
  net::awaitable<bool> write(std::string_view bytes) override;
  void on_gone(std::function<void()> gone) override { wire_.on_gone(std::move(gone)); }

  void find_route() { match_ = common_.router.find(head_.method, head_.path); }
  const Router::Match& match() const noexcept { return match_; }
  /// 0 when nothing was sent, because the client had gone.
  unsigned status() const noexcept { return status_; }
  /// The handler has returned: ends a stream, and answers 500 where it left without a word or by an exception.
  net::awaitable<void> finish(bool failed);
  /// Reads away what is left of the request. True: the connection can be used again.
  net::awaitable<bool> leave();

 private:
  bool is_head() const noexcept { return head_.method == "HEAD"; }
  /// Sends the head, and the body that goes with it.
  net::awaitable<bool> start(const Response& response, Ending ending, std::uint64_t length, std::string_view body);

  Common& common_;
  Wire& wire_;
  Head head_;
  const std::string& remote_;
  Body body_;
  Router::Match match_;
  unsigned status_ = 0;
  bool answered_ = false, keep_alive_ = true;
  enum class Stream : std::uint8_t { None, Chunked, Plain, Ended } stream_ = Stream::None;
};

}  // namespace lapse::serve::http
