#include "cli/child_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

extern char** environ;

namespace lapse::cli {
namespace {

constexpr std::size_t kErrorsKept = 8 * 1024;
constexpr int kAskEvery = 200;  // milliseconds
constexpr int kReapEvery = 10;  // … when the child has closed all that it writes to, which it does by ending
constexpr auto kPatience = std::chrono::seconds{10};

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
[[noreturn]] void become(char* const* arguments, char* const* environment, int talk, int errors, pid_t parent, const sigset_t& signals) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);  // it ended before that was said
  setpgid(0, 0);                      // what a terminal sends to its group is for the parent
  dup2(talk, STDIN_FILENO);
  dup2(talk, STDOUT_FILENO);
  dup2(errors, STDERR_FILENO);
  // Here the parent's handler would only say to this copy of it that it is to stop.
  for (const int number : {SIGINT, SIGTERM}) ::signal(number, SIG_DFL);
  sigprocmask(SIG_SETMASK, &signals, nullptr);
  execve("/proc/self/exe", arguments, environment);
  _exit(1);
}

/// Appends what is there to read; closes the descriptor when the other side has.
void read_some(int& descriptor, std::string& text) {
  std::array<char, 65536> bytes;
  const ssize_t count = read(descriptor, bytes.data(), bytes.size());
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (count > 0) {
    text.append(bytes.data(), static_cast<std::size_t>(count));
    return;
  }
  close(descriptor);
  descriptor = -1;
}

std::string_view last_line(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  return text.substr(text.rfind('\n') + 1);  // npos + 1 is 0
}

/// What it said last, if that is an error as LAPSE_ERRORS=json has it.
std::optional<Error> told(std::string_view errors, int status) {
  const auto line = nlohmann::json::parse(last_line(errors), nullptr, false);
  if (!line.is_object() || !line.contains("code") || !line.contains("message") || !line.contains("hint")) return std::nullopt;
  const auto text = [&](const char* key) { return line[key].is_string() ? line[key].get<std::string>() : std::string(); };
  // Of the code only the exit status counts, and whether it is for want of memory.
  const ErrorCode code = text("code") == name(ErrorCode::OutOfMemory)       ? ErrorCode::OutOfMemory
                         : status == exit_status(ErrorCode::BadInput)       ? ErrorCode::BadInput
                         : status == exit_status(ErrorCode::EngineUnusable) ? ErrorCode::EngineUnusable
                         : status == exit_status(ErrorCode::WrongAnswer)    ? ErrorCode::WrongAnswer
                                                                            : ErrorCode::Internal;
  return Error{code, text("message"), text("hint")};
}

}  // namespace

Result<Child> Child::start(const std::vector<std::string>& arguments, const std::vector<std::string>& environment) {
  std::vector<std::string> words{"lapse"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> variables = environment;  // the first of a name counts
  for (char** variable = environ; *variable != nullptr; ++variable) variables.emplace_back(*variable);
  const std::vector<char*> word_pointers = pointers(words), variable_pointers = pointers(variables);

  int talk[2], errors[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, talk) != 0) return tl::unexpected(no_process());
  if (pipe2(errors, O_CLOEXEC) != 0) {
    const Error failure = no_process();
    close(talk[0]);
    close(talk[1]);
    return tl::unexpected(failure);
  }
  ::signal(SIGCHLD, SIG_DFL);  // whoever started lapse may have it ignored: then a child's end is lost
  const pid_t parent = getpid();
  sigset_t interrupts, before;
  sigemptyset(&interrupts);
  sigaddset(&interrupts, SIGINT);
  sigaddset(&interrupts, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &interrupts, &before);  // until the child has no handler of its parent's any more
  const pid_t id = fork();
  if (id == 0) become(word_pointers.data(), variable_pointers.data(), talk[1], errors[1], parent, before);
  const auto failure = id < 0 ? std::optional<Error>(no_process()) : std::nullopt;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  close(talk[1]);
  close(errors[1]);
  Child child{id, talk[0], errors[0]};
  if (failure) return tl::unexpected(*failure);
  return child;
}

Child::Child(Child&& other) noexcept
    : id_(std::exchange(other.id_, -1)),
      talk_(std::exchange(other.talk_, -1)),
      errors_(std::exchange(other.errors_, -1)),
      end_(std::move(other.end_)) {}

Child::~Child() {
  if (id_ > 0) {
    kill(id_, SIGKILL);
    waitpid(id_, nullptr, 0);
  }
  for (const int descriptor : {talk_, errors_}) {
    if (descriptor >= 0) close(descriptor);
  }
}

bool Child::take(int milliseconds) {
  pollfd readable[]{{talk_, POLLIN, 0}, {errors_, POLLIN, 0}};  // a negative one is left out
  if (poll(readable, 2, milliseconds) <= 0) return false;
  if (readable[0].revents != 0) read_some(talk_, end_.output);
  if (readable[1].revents != 0) read_some(errors_, end_.errors);
  if (end_.errors.size() > kErrorsKept) end_.errors.erase(0, end_.errors.size() - kErrorsKept);
  return true;
}

void Child::say(std::string_view line) {
  const std::string whole = fmt::format("{}\n", line);
  // Lines are short and the other side reads them one by one: they fit. MSG_NOSIGNAL: one that has ended is no reason to end here.
  if (talk_ >= 0) (void)!send(talk_, whole.data(), whole.size(), MSG_NOSIGNAL);
}

std::optional<std::string> Child::hear(const GoOn& go_on) {
  while (true) {
    const std::size_t end = end_.output.find('\n');
    if (end != end_.output.npos) {
      std::string line = end_.output.substr(0, end);
      end_.output.erase(0, end + 1);
      return line;
    }
    if (talk_ < 0 || !go_on()) return std::nullopt;
    take(kAskEvery);
  }
}

bool ChildEnd::well() const noexcept { return WIFEXITED(status) && WEXITSTATUS(status) == 0; }

ChildEnd Child::wait(const GoOn& go_on, int signal) {
  using Clock = std::chrono::steady_clock;
  Clock::time_point last = Clock::time_point::max();  // from then on SIGKILL
  while (true) {
    take(talk_ >= 0 || errors_ >= 0 ? kAskEvery : kReapEvery);
    if (waitpid(id_, &end_.status, WNOHANG) == id_) break;
    if (!end_.stopped && !go_on()) {
      end_.stopped = true;
      kill(id_, signal);
      last = Clock::now() + kPatience;
    } else if (end_.stopped && Clock::now() >= last) {
      kill(id_, SIGKILL);
    }
  }
  id_ = -1;
  // What it left in the pipes. Something of its own may still hold their other ends, so nothing waits for them to be closed.
  while ((talk_ >= 0 || errors_ >= 0) && take(0)) {
  }
  return std::move(end_);
}

Result<ChildEnd> run_child(const std::vector<std::string>& arguments, const std::vector<std::string>& environment, const GoOn& go_on) {
  LAPSE_TRY(Child child, Child::start(arguments, environment));
  return child.wait(go_on);
}

Error failure_of(const ChildEnd& end) {
  if (WIFSIGNALED(end.status)) {
    const int signal = WTERMSIG(end.status);
    if (signal == SIGKILL) return {ErrorCode::OutOfMemory, "killed (SIGKILL), as the kernel does when memory runs out"};
    const bool no_memory = signal == SIGABRT && end.errors.find("std::bad_alloc") != end.errors.npos;
    if (no_memory) return {ErrorCode::OutOfMemory, "out of memory (std::bad_alloc)"};
    return {ErrorCode::Internal, fmt::format("crashed: signal {} ({})", signal, strsignal(signal))};
  }
  const int status = WEXITSTATUS(end.status);
  if (auto failure = told(end.errors, status)) return *failure;
  const std::string_view line = last_line(end.errors);
  return {ErrorCode::Internal, fmt::format("ended with status {}{}{}", status, line.empty() ? "" : ": ", line)};
}

}  // namespace lapse::cli
