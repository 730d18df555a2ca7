#include <fmt/format.h>

#include <lapse/device/controls.hpp>
#include <lapse/measure/machine.hpp>
#include <lapse/measure/truth.hpp>
#include <lapse/report/machine.hpp>
#include <lapse/report/truth.hpp>
#include <memory>
#include <optional>

#include "cli/command.hpp"
#include "cli/console.hpp"
#include "cli/output_file.hpp"

namespace lapse::cli {
namespace {

constexpr double kSeconds = 30;
constexpr const char* kDevice = "cuda";  // that is looked for where none is named

constexpr const char* kFooter =
    "Without --device the machine is examined: its clock, what interrupts it, steal, other load, frequency,\n"
    "heat, quota, CPUs that share a core, huge pages, swap; and work that is known is measured against itself,\n"
    "in turns, which tells the smallest difference that can be seen here. A GPU is looked at too.\n"
    "\n"
    "With --device only its timing: work of known length, 5 us to 50 ms, is timed by marks on the device\n"
    "(CUDA events), by the host's clock until the device was done, by the host's clock round the call alone,\n"
    "and by the vendor's profiling interface (CUPTI) where that is installed. The truth is the device's own\n"
    "timer, read by the work itself.\n"
    "\n"
    "Examples:\n"
    "  lapse doctor\n"
    "  lapse doctor --seconds 120 --json machine.json\n"
    "  lapse doctor --device cuda:1\n"
    "  lapse doctor --device sim --json -";

struct Options {
  std::string device, json;
  std::optional<double> seconds;
};

struct Output {
  std::optional<OutputFile> file;

  Result<void> write(const std::string& json, const std::string& text) const {
    if (file) LAPSE_CHECK(file->write(json));
    if (!file || !file->is_stdout()) fmt::print("{}", text);
    return {};
  }
};

Result<void> run_device(const Options& options, const Output& output, const Context& context) {
  LAPSE_TRY(const auto timeline, device::open_timeline(options.device));
  LAPSE_TRY(const measuring::Truth truth, measuring::find_truth(*timeline));
  const device::DeviceInfo info = timeline->controls()->info();
  return output.write(report::to_json_text(truth, options.device, info),
                      report::to_text(truth, options.device, info, context.language, unicode_terminal()));
}

Result<report::ExaminedDevice> examine_device() {
  LAPSE_TRY(const auto timeline, device::open_timeline(kDevice));
  report::ExaminedDevice device{.id = kDevice, .state = {}, .truth = {}};
  LAPSE_TRY(device.state, measuring::examine_device(*timeline));
  LAPSE_TRY(device.truth, measuring::find_truth(*timeline));
  return device;
}

Result<void> run_machine(const Options& options, const Output& output, const Context& context) {
  const double seconds = options.seconds.value_or(kSeconds);
  const auto time = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
  ProgressLine progress{context.language};
  const auto show = [&](std::string_view phase, Duration spent) {
    progress.show(fmt::format("{} · {:.0f} / {:.0f} s", phase, std::chrono::duration<double>(spent).count(), seconds));
  };
  report::MachineReport report;
  report.argv = context.argv;
  LAPSE_TRY(report.examination, measuring::examine_machine(time, {show, &stop_on_signal()}));
  // After the machine: a driver has threads of its own.
  if (auto device = examine_device()) {
    report.device = std::move(*device);
  } else {
    report.no_device = std::move(device).error().message;
  }
  progress.clear();
  return output.write(report::to_json_text(report), report::to_text(report, context.language, unicode_terminal()));
}

Result<void> run(const Options& options, const Context& context) {
  if (options.seconds && !options.device.empty()) {
    return fail(ErrorCode::BadUse, "--seconds belongs to the examination of the machine", "leave it or --device out");
  }
  Output output;
  if (!options.json.empty()) {
    LAPSE_TRY(output.file, OutputFile::open(options.json));
  }
  return options.device.empty() ? run_machine(options, output, context) : run_device(options, output, context);
}

}  // namespace

Command add_doctor(CLI::App& app, Context& context) {
  const auto options = std::make_shared<Options>();
  const auto command = app.add_subcommand("doctor", "Is this machine fit to measure on, and how small a difference does it show");
  command->add_option("--seconds", options->seconds, "About how long the machine may be examined, 5 to 3600 (default: 30)")
      ->type_name("N")
      ->check(number_between(5, 3600));
  command->add_option("--device", options->device, "How wrong is each way of timing on this device instead: cuda, cuda:N or sim")
      ->type_name("DEVICE");
  command->add_option("--json", options->json, "Everything (docs/json.md); - is stdout instead of the text")->type_name("FILE|-");
  command->footer(kFooter);
  return [options, &context] {
    const auto status = run(*options, context);
    return status ? 0 : print_error(status.error(), context.language);
  };
}

}  // namespace lapse::cli
