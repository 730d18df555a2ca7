#include <lapse/serve/dispatch/worker_process.hpp>
// After the first, which brings <utility>.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <system_error>

extern char** environ;

namespace lapse::serve {
namespace {

constexpr int kSocket = 3;                      // the worker's descriptor
constexpr std::size_t kLongestLine = 8 * 1024;  // of its stderr

auto quiet(boost::system::error_code& error) { return net::redirect_error(net::use_awaitable, error); }

std::string describe(int status) {
  if (WIFSIGNALED(status)) return fmt::format("crashed: signal {}", WTERMSIG(status));
  return fmt::format("ended with status {}", WEXITSTATUS(status));
}

struct Ends {
  int socket[2] = {-1, -1};
  int output[2] = {-1, -1};
  ~Ends() {
    for (const int end : {socket[0], socket[1], output[0], output[1]}) {
      if (end >= 0) ::close(end);
    }
  }
};

Result<int> spawn(const std::string& program, const Ends& ends) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ends.output[1], 1);
  posix_spawn_file_actions_adddup2(&actions, ends.output[1], 2);
  posix_spawn_file_actions_adddup2(&actions, ends.socket[1], kSocket);
  // Signals as a program expects them: the front may block or ignore some.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::array<std::string, 4> words{program, "work", "--socket", std::to_string(kSocket)};
  std::array<char*, 5> arguments{words[0].data(), words[1].data(), words[2].data(), words[3].data(), nullptr};
  pid_t pid = -1;
  const int error = posix_spawn(&pid, program.c_str(), &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    return fail(ErrorCode::Unavailable, fmt::format("no worker can be started: {}", std::generic_category().message(error)));
  }
  return pid;
}

}  // namespace

WorkerProcess::WorkerProcess(net::io_context& context, Listener listener)
    : socket_(context), output_(context), death_(context), listener_(std::move(listener)) {}

WorkerProcess::~WorkerProcess() = default;

Result<std::shared_ptr<WorkerProcess>> WorkerProcess::start(net::io_context& context, const std::string& program, Listener listener) {
  Ends ends;
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.socket) != 0 || ::pipe2(ends.output, O_CLOEXEC) != 0) {
    return fail(ErrorCode::Unavailable, fmt::format("no worker can be started: {}", std::generic_category().message(errno)),
                "raise the limit of open files (ulimit -n)");
  }
  // dup2 onto itself would leave close-on-exec set.
  if (ends.socket[1] == kSocket) {
    const int other = ::fcntl(kSocket, F_DUPFD_CLOEXEC, kSocket + 1);
    if (other < 0) return fail(ErrorCode::Unavailable, "no worker can be started: no descriptor left");
    ::close(std::exchange(ends.socket[1], other));
  }
  std::shared_ptr<WorkerProcess> process{new WorkerProcess(context, std::move(listener))};
  LAPSE_TRY(process->pid_, spawn(program, ends));
  const int death = static_cast<int>(::syscall(SYS_pidfd_open, process->pid_, 0));
  if (death < 0) {
    ::kill(process->pid_, SIGKILL);
    ::waitpid(process->pid_, nullptr, 0);
    return fail(ErrorCode::Unavailable, "the kernel can't tell when a process ends (pidfd_open)", "Linux 5.3 or newer is needed");
  }
  process->death_.assign(death);
  process->socket_.assign(net::local::stream_protocol{}, std::exchange(ends.socket[0], -1));
  process->output_.assign(std::exchange(ends.output[0], -1));
  process->running_ = 3;
  for (auto part : {&WorkerProcess::read, &WorkerProcess::read_output, &WorkerProcess::bury}) {
    net::co_spawn(context, ((*process).*part)(process), net::detached);
  }
  return process;
}

void WorkerProcess::kill() {
  if (pid_ > 0) ::kill(pid_, SIGKILL);
}

void WorkerProcess::send(const wire::ToWorker& message, std::string payload) {
  if (!socket_.is_open()) return;
  outgoing_.push_back(wire::encode(message, payload.size()));
  if (!payload.empty()) outgoing_.push_back(std::move(payload));
  if (std::exchange(writing_, true)) return;
  net::co_spawn(socket_.get_executor(), write(shared_from_this()), net::detached);
}

net::awaitable<void> WorkerProcess::write(std::shared_ptr<WorkerProcess>) {
  boost::system::error_code error;
  while (!outgoing_.empty() && !error) {
    const std::string frame = std::move(outgoing_.front());
    outgoing_.pop_front();
    co_await net::async_write(socket_, net::buffer(frame), quiet(error));
  }
  writing_ = false;
  // An error means that it is gone, which the reading side finds out.
}

net::awaitable<void> WorkerProcess::read(std::shared_ptr<WorkerProcess>) {
  boost::system::error_code error;
  while (true) {
    char bytes[wire::kPrefix];
    co_await net::async_read(socket_, net::buffer(bytes), quiet(error));
    if (error) break;
    const auto prefix = wire::parse_prefix(bytes);
    if (!prefix) break;
    std::string header(prefix->header, '\0'), payload(prefix->payload, '\0');
    co_await net::async_read(socket_, net::buffer(header), quiet(error));
    if (!error) co_await net::async_read(socket_, net::buffer(payload), quiet(error));
    if (error) break;
    auto message = wire::parse_to_front(header);
    if (!message) break;
    listener_.message(std::move(*message), std::move(payload));
  }
  kill();  // whoever doesn't speak the protocol, or closed the socket and lives on
  socket_.close(error);
  one_less();
}

net::awaitable<void> WorkerProcess::read_output(std::shared_ptr<WorkerProcess>) {
  boost::system::error_code error;
  std::string pending;
  std::array<char, 4096> piece;
  while (!error) {
    const std::size_t read = co_await output_.async_read_some(net::buffer(piece), quiet(error));
    pending.append(piece.data(), read);
    for (std::size_t end = 0; (end = pending.find('\n')) != std::string::npos || pending.size() > kLongestLine;) {
      end = std::min(end, kLongestLine);
      listener_.output(pending.substr(0, end));
      pending.erase(0, end + 1);
    }
  }
  if (!pending.empty()) listener_.output(std::move(pending));
  one_less();
}

net::awaitable<void> WorkerProcess::bury(std::shared_ptr<WorkerProcess>) {
  boost::system::error_code error;
  co_await death_.async_wait(net::posix::stream_descriptor::wait_read, quiet(error));
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  how_ = describe(status);
  one_less();
}

void WorkerProcess::one_less() {
  if (--running_ > 0) return;
  const auto ended = std::move(listener_.ended);
  listener_ = {};
  ended(how_);
}

}  // namespace lapse::serve
