#include <fmt/format.h>

#include <lapse/jobs/backup.hpp>
#include <memory>

#include "cli/command.hpp"
#include "cli/console.hpp"

namespace lapse::cli {

Command add_backup(CLI::App& app, Context& context) {
  struct Options {
    std::string data, to;
  };
  const auto options = std::make_shared<Options>();
  const auto command = app.add_subcommand("backup", "Copy a server's data folder, while the server works or not");
  command->add_option("--data", options->data, "The data folder of `lapse serve`")->required()->type_name("DIR");
  command->add_option("--to", options->to, "New folder for the copy; give it to --data to serve from it")->required()->type_name("DIR");
  return [options, &context] {
    const auto made = jobs::backup_folder(options->data, options->to);
    if (!made) return print_error(made.error(), context.language);
    const bool korean = context.language == report::Language::Korean;
    fmt::print("{}: {}\n", options->to,
               korean ? fmt::format("데이터베이스와 블롭 {}개 ({}바이트)", made->blobs, made->bytes)
                      : fmt::format("the database and {} blobs ({} bytes)", made->blobs, made->bytes));
    return 0;
  };
}

}  // namespace lapse::cli
