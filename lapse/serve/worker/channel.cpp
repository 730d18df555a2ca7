#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <lapse/serve/worker/channel.hpp>

namespace lapse::serve {

Result<std::unique_ptr<Channel>> Channel::open(int socket) {
  int type = 0;
  socklen_t size = sizeof(type);
  if (getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_STREAM) {
    return fail(ErrorCode::BadInput, fmt::format("{} is not the descriptor of a stream socket", socket),
                "`lapse serve` starts its workers itself");
  }
  const int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake < 0) return fail(ErrorCode::Unavailable, "no file descriptor is left", "raise the limit: ulimit -n");
  return std::unique_ptr<Channel>(new Channel(socket, wake));
}

Channel::~Channel() { close(wake_); }

void Channel::wake() noexcept { eventfd_write(wake_, 1); }

bool Channel::read(char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t got = recv(socket_, bytes, size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    bytes += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

Result<std::optional<Channel::Frame>> Channel::receive(Duration wait) {
  std::array<pollfd, 2> watched{{{socket_, POLLIN, 0}, {wake_, POLLIN, 0}}};
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(std::max(wait, Duration{}));
  if (poll(watched.data(), watched.size(), static_cast<int>(milliseconds.count())) <= 0) return std::nullopt;
  eventfd_t woken = 0;
  eventfd_read(wake_, &woken);
  if (watched[0].revents == 0) return std::nullopt;

  const auto closed = [] { return fail(ErrorCode::Unavailable, "the front has closed the socket"); };
  char bytes[wire::kPrefix];
  if (!read(bytes, sizeof(bytes))) return closed();
  LAPSE_TRY(const wire::Prefix prefix, wire::parse_prefix(bytes));
  std::string header(prefix.header, '\0');
  auto payload = std::make_shared<std::string>(prefix.payload, '\0');
  if (!read(header.data(), header.size()) || !read(payload->data(), payload->size())) return closed();
  LAPSE_TRY(auto message, wire::parse_to_worker(header));
  return Frame{std::move(message), std::move(payload)};
}

void Channel::send(const wire::ToFront& message, std::string_view payload) {
  std::string frame = wire::encode(message, payload.size());
  std::array<iovec, 2> parts{{{frame.data(), frame.size()}, {const_cast<char*>(payload.data()), payload.size()}}};  // only read
  const std::lock_guard lock{sending_};
  while (parts[0].iov_len + parts[1].iov_len > 0) {
    msghdr head{};
    head.msg_iov = parts.data();
    head.msg_iovlen = parts.size();
    ssize_t sent = sendmsg(socket_, &head, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return;
    for (iovec& part : parts) {
      const std::size_t taken = std::min(part.iov_len, static_cast<std::size_t>(sent));
      part.iov_base = static_cast<char*>(part.iov_base) + taken;
      part.iov_len -= taken;
      sent -= static_cast<ssize_t>(taken);
    }
  }
}

}  // namespace lapse::serve
