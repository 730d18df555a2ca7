#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <deque>
#include <lapse/serve/observe/fetch.hpp>
#include <lapse/serve/observe/top.hpp>
#include <memory>

#include "cli/command.hpp"
#include "cli/console.hpp"

namespace lapse::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kEvery = std::chrono::seconds{1};
constexpr auto kPatience = std::chrono::seconds{2};  // for one answer
constexpr std::size_t kWindow = 10;                  // scrapes that rates and quantiles are taken over: long enough not to jump

struct Settings {
  std::string url = "http://127.0.0.1:8000", token;
  bool once = false;
};

struct Scrape {
  Clock::time_point when;
  serve::Exposition metrics;
};

Result<Scrape> scrape(const serve::Address& address, const std::string& token) {
  LAPSE_TRY(const std::string text, serve::fetch(address, "/metrics", token, kPatience));
  LAPSE_TRY(auto metrics, serve::Exposition::parse(text));
  return Scrape{Clock::now(), std::move(metrics)};
}

/// The second screen, without echo, line editing, cursor and wrapping of long lines; everything as it was when it goes.
class Screen {
 public:
  Screen() {
    raw_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
    if (raw_) {
      termios quiet = before_;
      quiet.c_lflag &= static_cast<tcflag_t>(~(ICANON | ECHO));
      ::tcsetattr(STDIN_FILENO, TCSANOW, &quiet);
    }
    fmt::print("\x1b[?1049h\x1b[?25l\x1b[?7l");
  }
  ~Screen() {
    fmt::print("\x1b[?7h\x1b[?25h\x1b[?1049l");
    std::fflush(stdout);
    if (raw_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  static winsize size() {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return {24, 80, 0, 0};
    return size;
  }

  /// From the top, without a flicker: lines are overwritten, and what is left of the last picture cleared.
  static void show(std::string_view text) {
    std::string out = "\x1b[H";
    for (unsigned row = 1; !text.empty() && row < size().ws_row; ++row) {
      const std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(text.size(), line.size() + 1));
      out += fmt::format("{}\x1b[K\n", line);
    }
    if (!text.empty()) out += "…";  // there are more, in a higher window
    fmt::print("{}\x1b[J", out);
    std::fflush(stdout);
  }

  /// Until it is time again; sooner after q, a signal or another size of the window. False: stop.
  static bool wait() {
    const auto until = Clock::now() + kEvery;
    const winsize then = size();
    bool input = true;
    while (Clock::now() < until) {
      constexpr int kSlice = 100;  // ms
      pollfd keys{input ? STDIN_FILENO : -1, POLLIN, 0};
      const int ready = ::poll(&keys, 1, kSlice);
      if (stop_on_signal()) return false;
      if (ready > 0) {
        char key = 0;
        input = ::read(STDIN_FILENO, &key, 1) == 1;
        if (input && (key == 'q' || key == 'Q')) return false;
      }
      if (size().ws_col != then.ws_col || size().ws_row != then.ws_row) return true;
    }
    return true;
  }

 private:
  termios before_{};
  bool raw_ = false;
};

int watch(const serve::Address& address, const Settings& settings, Scrape first, report::Language language) {
  const bool korean = language == report::Language::Korean;
  stop_on_signal();
  const Screen screen;
  std::deque<Scrape> scrapes;
  scrapes.push_back(std::move(first));
  std::string trouble;
  do {
    const Scrape &oldest = scrapes.front(), &newest = scrapes.back();
    const double seconds = std::chrono::duration<double>(newest.when - oldest.when).count();
    const auto picture = serve::view(scrapes.size() > 1 ? &oldest.metrics : nullptr, newest.metrics, seconds);
    Screen::show(trouble + serve::draw(picture, Screen::size().ws_col, korean));
    if (!Screen::wait()) break;
    auto next = scrape(address, settings.token);
    trouble = next ? "" : fmt::format("{}: {}\n", korean ? "다시 연결하는 중" : "reconnecting", next.error().message);
    if (!next) continue;
    scrapes.push_back(std::move(*next));
    if (scrapes.size() > kWindow) scrapes.pop_front();
  } while (true);
  return 0;
}

int run(Settings settings, report::Language language) {
  if (const char* token = std::getenv("LAPSE_TOKEN"); settings.token.empty() && token != nullptr) settings.token = token;
  const auto address = serve::parse_address(settings.url);
  if (!address) return print_error(address.error(), language);
  auto first = scrape(*address, settings.token);
  if (!first) return print_error(first.error(), language);
  if (!settings.once && ::isatty(STDOUT_FILENO) == 1) return watch(*address, settings, std::move(*first), language);
  fmt::print("{}", serve::draw(serve::view(nullptr, first->metrics, 0), SIZE_MAX, language == report::Language::Korean));
  return 0;
}

}  // namespace

Command add_top(CLI::App& app, Context& context) {
  const auto settings = std::make_shared<Settings>();
  const auto command = app.add_subcommand("top", "Watch a server: queues, rates and times of every model");
  command->add_option("URL", settings->url, "Address of the server")->capture_default_str();
  command->add_option("--token", settings->token, "Token, where the server asks for one (default: LAPSE_TOKEN in the environment)")
      ->type_name("TOKEN");
  command->add_flag("--once", settings->once, "Print one table, since the server's start, and end");
  return [settings, &context] { return run(*settings, context.language); };
}

}  // namespace lapse::cli
