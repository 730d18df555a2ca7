#include <fmt/format.h>

#include <lapse/engine/catalogue.hpp>
#include <lapse/engine/session.hpp>
#include <memory>

#include "cli/command.hpp"
#include "cli/console.hpp"

namespace lapse::cli {
namespace {

void print_unusable(const std::string& name, const Error& error, bool korean) {
  fmt::print("{:<12} {}: {}\n", name, korean ? "사용 불가" : "not usable", error.message);
  if (!error.hint.empty()) fmt::print("{:<12} → {}\n", "", error.hint);
}

void print_engine(const engine::CatalogueEntry& entry, const engine::Engine& engine, bool korean) {
  const lapse_engine_api& api = **entry.api;
  fmt::print("{:<12} {} {} · {} {}", entry.name, korean ? "버전" : "version", engine.version(), korean ? "장치" : "devices",
             engine.devices());
  if (*api.suffixes != '\0') fmt::print(" · {} {}", korean ? "파일" : "files", api.suffixes);
  fmt::print("\n");
  if (!engine.library().empty()) fmt::print("{:<12} {} {}\n", "", korean ? "라이브러리" : "library", engine.library().string());
  if (!entry.plugin.empty()) fmt::print("{:<12} {} {}\n", "", korean ? "플러그인" : "plug-in", entry.plugin.string());
  if (entry.name == "subject") {
    fmt::print("{:<12} {}: lapse time ./FILE.so:SYMBOL[:ARGUMENTS]\n", "", korean ? "직접 만든 라이브러리" : "a library of your own");
  }
  std::string_view help = api.options_help;
  while (!help.empty()) {
    const std::string_view line = help.substr(0, help.find('\n'));
    fmt::print("{:<12} --engine-opt {}\n", "", line);
    help.remove_prefix(std::min(help.size(), line.size() + 1));
  }
}

int run(const std::string& library, report::Language language) {
  const bool korean = language == report::Language::Korean;
  for (const engine::CatalogueEntry& entry : engine::catalogue()) {
    if (!entry.api) {
      print_unusable(entry.name, entry.api.error(), korean);
      continue;
    }
    engine::Options options;
    // A library belongs to the one engine that finds its own at run time.
    if (!library.empty() && entry.name == "onnxruntime") options.emplace_back("library", library);
    const auto engine = engine::Engine::open(**entry.api, options);
    if (engine) {
      print_engine(entry, *engine, korean);
    } else {
      print_unusable(entry.name, engine.error(), korean);
    }
  }
  return 0;
}

}  // namespace

Command add_engines(CLI::App& app, Context& context) {
  const auto library = std::make_shared<std::string>();
  const auto command = app.add_subcommand("engines", "List the engines: version, devices, settings, and why one can't be used");
  command->add_option("--engine-lib", *library, "ONNX Runtime library to look at instead of the one found")->type_name("PATH");
  return [library, &context] { return run(*library, context.language); };
}

}  // namespace lapse::cli
