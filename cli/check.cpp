#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <lapse/host/memory.hpp>
#include <memory>

#include "cli/command.hpp"
#include "cli/console.hpp"
#include "cli/model_options.hpp"

namespace lapse::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFooter =
    "Every folder below the given ones that holds a model.onnx (with --engine torch a model.pt) and a\n"
    "test_data_set_* is a case. A case passes\n"
    "if all outputs are the expected ones within the tolerance; it is not supported if the engine lacks an\n"
    "operator or a type, or if lapse can't pass one (strings, sequences). Exit status 4 if a case fails.";

struct Options {
  std::vector<std::string> folders;
  bool verbose = false;
  EngineOptions engine;
};

struct Count {
  int passed = 0, failed = 0, random = 0, unsupported = 0, unchecked = 0;
};

bool is_case(const fs::path& folder, const char* model) {
  std::error_code failed;
  if (!fs::exists(folder / model, failed)) return false;
  const auto entries = fs::directory_iterator(folder, failed);
  return std::ranges::any_of(entries, [](const auto& entry) { return entry.path().filename().string().starts_with("test_data_set_"); });
}

Result<std::vector<fs::path>> find_cases(const std::vector<std::string>& roots, const char* model) {
  std::vector<fs::path> cases;
  for (const fs::path root : roots) {
    std::error_code failed;
    if (!fs::is_directory(root, failed)) {
      return fail(ErrorCode::BadInput, fmt::format("{}: no such folder", root.string()), "name a folder with cases in it");
    }
    if (is_case(root, model)) cases.push_back(root);
    for (const auto& entry : fs::recursive_directory_iterator(root, fs::directory_options::skip_permission_denied, failed)) {
      if (entry.is_directory(failed) && is_case(entry.path(), model)) cases.push_back(entry.path());
    }
  }
  if (cases.empty()) {
    return fail(ErrorCode::BadInput, fmt::format("no case found: no folder holds a {} and a test_data_set_*", model),
                "the ONNX project's own are in Debian's libonnx-testdata");
  }
  std::ranges::sort(cases);
  const auto repeated = std::ranges::unique(cases);
  cases.erase(repeated.begin(), repeated.end());
  return cases;
}

Result<measuring::Answer> check(const fs::path& folder, const EngineOptions& options) {
  LAPSE_TRY(const auto request, options.request(folder.string()));
  LAPSE_TRY(auto model, measuring::prepare_model(request));
  return measuring::check_answer(*model.subject, model.session->outputs(), *model.inputs, request.tolerance);
}

void judge(const fs::path& folder, const Result<measuring::Answer>& answer, bool verbose, Count& count) {
  if (answer && answer->verdict == measuring::Answer::Verdict::Random) {
    ++count.random;
    fmt::print("random       {}: output {} differs from run to run\n", folder.string(), answer->random_output);
  } else if (answer && answer->verdict == measuring::Answer::Verdict::Unchecked) {
    ++count.unchecked;
    fmt::print("unchecked    {}: it has no expected output\n", folder.string());
  } else if (answer) {
    ++count.passed;
    if (verbose) fmt::print("passed       {}: largest difference {:.2g}\n", folder.string(), answer->largest_difference);
  } else if (answer.error().code == ErrorCode::Unsupported) {
    ++count.unsupported;
    if (verbose) fmt::print("unsupported  {}: {}\n", folder.string(), answer.error().message);
  } else {
    ++count.failed;
    fmt::print("FAILED       {}: {}\n", folder.string(), answer.error().message);
  }
}

// Not a fault of the case: every other one would meet it too.
bool is_ours(ErrorCode code) { return code == ErrorCode::BadUse || code == ErrorCode::EngineUnusable || code == ErrorCode::DeviceUnusable; }

Result<int> run(const Options& options) {
  const std::atomic<bool>& stop = stop_on_signal();
  host::limit_to_available();
  LAPSE_TRY(const auto cases, find_cases(options.folders, options.engine.engine == "torch" ? "model.pt" : "model.onnx"));
  Count count;
  for (const fs::path& folder : cases) {
    if (stop) break;
    const auto answer = check(folder, options.engine);
    if (!answer && is_ours(answer.error().code)) return tl::unexpected(answer.error());
    judge(folder, answer, options.verbose, count);
  }
  const int run = count.passed + count.failed + count.random;
  fmt::print("{} cases: {} run ({} passed, {} failed, {} random by design), {} not supported{}\n", cases.size(), run, count.passed,
             count.failed, count.random, count.unsupported, stop ? " · interrupted" : "");
  if (stop) return exit_status(ErrorCode::Interrupted);
  return count.failed > 0 ? exit_status(ErrorCode::WrongAnswer) : 0;
}

}  // namespace

Command add_check(CLI::App& app, Context& context) {
  const auto options = std::make_shared<Options>();
  const auto command = app.add_subcommand("check", "Check the answers of models against their test data, without timing");
  command->add_option("FOLDER", options->folders, "Folders to look in")->required()->type_name("");
  command->add_flag("-v,--verbose", options->verbose, "Also name the cases that pass or are not supported");
  options->engine.add_to(*command);
  command->footer(kFooter);
  return [options, &context] {
    const auto status = run(*options);
    return status ? *status : print_error(status.error(), context.language);
  };
}

}  // namespace lapse::cli
