#include <lapse/serve/worker/worker.hpp>
#include <memory>

#include "cli/command.hpp"
#include "cli/console.hpp"

namespace lapse::cli {

Command add_work(CLI::App& app, Context& context) {
  const auto socket = std::make_shared<int>(-1);
  const auto command = app.add_subcommand("work", "Run one model for a server: `lapse serve` starts it, people don't");
  command->add_option("--socket", *socket, "File descriptor of the socket that leads to the server")->required()->type_name("FD");
  return [socket, &context] {
    const auto status = serve::work(*socket);
    return status ? *status : print_error(status.error(), context.language);
  };
}

}  // namespace lapse::cli
