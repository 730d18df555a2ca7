#include <fmt/format.h>

#include <lapse/device/controls.hpp>
#include <lapse/measure/truth.hpp>
#include <lapse/report/truth.hpp>
#include <memory>
#include <optional>

#include "cli/command.hpp"
#include "cli/console.hpp"
#include "cli/output_file.hpp"

namespace lapse::cli {
namespace {

constexpr const char* kFooter =
    "Work of known length, 5 us to 50 ms, is timed by marks on the device (CUDA events), by the host's\n"
    "clock until the device was done, by the host's clock round the call alone, and by the vendor's\n"
    "profiling interface (CUPTI) where that is installed. The truth is the device's own timer, read by the\n"
    "work itself.\n"
    "\n"
    "Examples:\n"
    "  lapse doctor --device cuda:1\n"
    "  lapse doctor --device sim --json -";

struct Options {
  std::string device = "cuda", json;
};

Result<void> run(const Options& options, const Context& context) {
  std::optional<OutputFile> file;
  if (!options.json.empty()) {
    LAPSE_TRY(file, OutputFile::open(options.json));
  }
  LAPSE_TRY(const auto timeline, device::open_timeline(options.device));
  LAPSE_TRY(const measuring::Truth truth, measuring::find_truth(*timeline));
  const device::DeviceInfo info = timeline->controls()->info();
  if (file) LAPSE_CHECK(file->write(report::to_json_text(truth, options.device, info)));
  if (!file || !file->is_stdout()) fmt::print("{}", report::to_text(truth, options.device, info, context.language, unicode_terminal()));
  return {};
}

}  // namespace

Command add_doctor(CLI::App& app, Context& context) {
  const auto options = std::make_shared<Options>();
  const auto command = app.add_subcommand("doctor", "Measure how wrong each way of timing is on a device");
  command->add_option("--device", options->device, "Device to examine: cuda, cuda:N or sim (default: cuda)")->type_name("DEVICE");
  command->add_option("--json", options->json, "Everything (docs/json.md); - is stdout instead of the text")->type_name("FILE|-");
  command->footer(kFooter);
  return [options, &context] {
    const auto status = run(*options, context);
    return status ? 0 : print_error(status.error(), context.language);
  };
}

}  // namespace lapse::cli
