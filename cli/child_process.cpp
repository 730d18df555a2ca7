#include "cli/child_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>

extern char** environ;

namespace lapse::cli {
namespace {

constexpr std::size_t kErrorsKept = 8 * 1024;
constexpr int kAskEvery = 200;  // milliseconds
constexpr int kReapEvery = 10;  // … when the child has closed its stderr, which it does by ending

/// With a null pointer at the end, as execve wants them.
std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> out;
  for (std::string& word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

Error no_process() {
  return {ErrorCode::Internal, fmt::format("no process can be started: {}", std::strerror(errno)), "look at ulimit -u and ulimit -n"};
}

// Between fork and exec, where only what is safe in a signal handler may be called.
[[noreturn]] void become(char* const* arguments, char* const* environment, int null, int errors, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);  // it ended before that was said
  dup2(null, STDIN_FILENO);
  dup2(null, STDOUT_FILENO);
  dup2(errors, STDERR_FILENO);
  execve("/proc/self/exe", arguments, environment);
  _exit(1);
}

/// Keeps the end of what is there to read. False when the other side has closed it.
bool take(int descriptor, std::string& errors) {
  std::array<char, 4096> bytes;
  const ssize_t count = read(descriptor, bytes.data(), bytes.size());
  if (count < 0) return errno == EINTR || errno == EAGAIN;
  errors.append(bytes.data(), static_cast<std::size_t>(count));
  if (errors.size() > kErrorsKept) errors.erase(0, errors.size() - kErrorsKept);
  return count > 0;
}

ChildEnd wait_for(pid_t child, int errors, const std::function<bool()>& go_on) {
  ChildEnd end;
  bool open = true;
  while (true) {
    pollfd readable{errors, POLLIN, 0};
    const int ready = poll(&readable, open ? 1 : 0, open ? kAskEvery : kReapEvery);
    if (open && ready > 0) open = take(errors, end.errors);
    if (waitpid(child, &end.status, WNOHANG) == child) break;
    if (end.stopped || go_on()) continue;
    end.stopped = true;
    kill(child, SIGKILL);
  }
  pollfd readable{errors, POLLIN, 0};
  while (open && poll(&readable, 1, 0) > 0) open = take(errors, end.errors);
  return end;
}

}  // namespace

Result<ChildEnd> run_child(const std::vector<std::string>& arguments, const std::vector<std::string>& environment,
                           const std::function<bool()>& go_on) {
  std::vector<std::string> words{"lapse"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> variables = environment;  // the first of a name counts
  for (char** variable = environ; *variable != nullptr; ++variable) variables.emplace_back(*variable);
  const std::vector<char*> word_pointers = pointers(words), variable_pointers = pointers(variables);

  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return tl::unexpected(no_process());
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) become(word_pointers.data(), variable_pointers.data(), null, ends[1], parent);
  const auto failed = child < 0 ? std::optional<Error>(no_process()) : std::nullopt;
  close(ends[1]);
  close(null);
  ChildEnd end;
  if (!failed) end = wait_for(child, ends[0], go_on);
  close(ends[0]);
  if (failed) return tl::unexpected(*failed);
  return end;
}

}  // namespace lapse::cli
