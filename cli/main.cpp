#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <lapse/base/version.hpp>
#include <new>

#include "cli/command.hpp"
#include "cli/console.hpp"

namespace {

using namespace lapse;

constexpr const char* kFooter =
    "Exit status: 0 fine, 1 slower (compare), 2 bad use or bad input, 3 engine or device not usable,\n"
    "4 wrong answer, with --strict 5 undecided or not steady, 70 a fault of lapse, of the engine or of the\n"
    "system, 130 interrupted.\n"
    "\n"
    "Environment: ORT_DYLIB_PATH (the ONNX Runtime library to measure), LAPSE_ENGINE_PATH (folders with\n"
    "engine plug-ins), LC_ALL, LC_MESSAGES, LANG (language), LAPSE_ERRORS=json (an error is one line of\n"
    "JSON: code, message, hint).";

// CLI11 says of a misspelt subcommand only that one is required.
Error explain(const CLI::ParseError& error, const CLI::App& app, std::string_view first) {
  const auto called = app.get_subcommands();
  if (!called.empty()) return {ErrorCode::BadUse, error.what(), fmt::format("lapse {} --help", called.front()->get_name())};
  if (first.starts_with('-') && app.get_option_no_throw(std::string(first.substr(0, first.find('=')))) == nullptr) {
    return {ErrorCode::BadUse, fmt::format("there is no option '{}'", first), "lapse --help"};
  }
  if (first.starts_with('-')) return {ErrorCode::BadUse, error.what(), "lapse --help"};
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) names.push_back(command->get_name());
  return {ErrorCode::BadUse, fmt::format("there is no subcommand '{}'", first), fmt::format("there are: {}", fmt::join(names, ", "))};
}

int run(int argc, char** argv) {
  cli::Context context;
  context.argv.assign(argv, argv + argc);
  context.language = report::language_of_environment();

  CLI::App app{"lapse: how long does my model really take?", "lapse"};
  app.set_version_flag("--version", fmt::format("lapse {} ({})", version(), git_commit().empty() ? "no git commit" : git_commit()),
                       "Print the version and exit");
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.add_option("--lang", context.language_option, "Language of the report: en or ko (default: by the locale)")->type_name("LANG");
  app.footer(kFooter);
  app.fallthrough();
  app.get_formatter()->column_width(38);

  std::vector<std::pair<std::string, cli::Command>> commands{
      {"time", cli::add_time(app, context)},         {"check", cli::add_check(app, context)},
      {"show", cli::add_show(app, context)},         {"doctor", cli::add_doctor(app, context)},
      {"engines", cli::add_engines(app, context)},   {"upscale", cli::add_upscale(app, context)},
      {"pipeline", cli::add_pipeline(app, context)}, {"sweep", cli::add_sweep(app, context)},
      {"compare", cli::add_compare(app, context)},   {"stats", cli::add_stats(app, context)},
  };
#ifdef LAPSE_SERVE
  commands.emplace_back("serve", cli::add_serve(app, context));
  commands.emplace_back("backup", cli::add_backup(app, context));
  commands.emplace_back("token", cli::add_token(app, context));
  commands.emplace_back("top", cli::add_top(app, context));
  commands.emplace_back("work", cli::add_work(app, context));
#endif
  app.require_subcommand(1);

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help, --version
    return app.exit(asked);
  } catch (const CLI::ParseError& error) {
    if (argc == 1) {
      fmt::print(stderr, "{}", app.help());
      return exit_status(ErrorCode::BadUse);
    }
    return cli::print_error(explain(error, app, argv[1]), context.language);
  }
  if (!context.language_option.empty()) {
    const auto language = report::parse_language(context.language_option);
    if (!language) return cli::print_error(language.error(), context.language);
    context.language = *language;
  }
  const auto called = std::ranges::find_if(commands, [&](const auto& entry) { return app.got_subcommand(entry.first); });
  const int status = called->second();
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    return cli::print_error({ErrorCode::BadUse, "stdout can't be written", "the disk may be full, or the reader of the pipe gone"},
                            context.language);
  }
  return status;
}

}  // namespace

// Where stdout was closed, the next file that anybody opens would be taken for it. In its place stands one that can't be written.
void occupy_standard_streams() {
  for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream) {
    if (fcntl(stream, F_GETFD) == -1) ::open("/dev/null", O_RDONLY);
  }
}

int main(int argc, char** argv) {
  occupy_standard_streams();
  // The last line of defence: what is asked for may not fit into memory at a place that no Result comes from.
  try {
    return run(argc, argv);
  } catch (const std::bad_alloc&) {
    return cli::print_error({ErrorCode::OutOfMemory, "out of memory", "ask for smaller shapes, a smaller batch or fewer runs"},
                            report::Language::English);
  } catch (const std::exception& error) {
    return cli::print_error({ErrorCode::Internal, error.what(), ""}, report::Language::English);
  }
}
