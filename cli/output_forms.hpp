#pragma once
// The files that a result goes to, each in a form of its own: --json FILE, --html FILE, …

#include <CLI/CLI.hpp>
#include <deque>
#include <functional>
#include <initializer_list>
#include <lapse/base/error.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/output_file.hpp"

namespace lapse::cli {

class OutputForms {
 public:
  /// Adds `option` ("--json") to the command.
  void add(CLI::App& command, const char* option, const char* text);
  /// Before anything is measured. Error: BadUse when a file can't be written, is one of `inputs`, or two forms want the same one.
  Result<void> open(const std::vector<std::string>& inputs = {});
  /// Error: BadUse, when one of `options` was asked for, which `what` ("a sweep") does not have.
  Result<void> refuse(std::initializer_list<std::string_view> options, std::string_view what) const;
  /// Writes that form, if it was asked for.
  void put(std::string_view option, const std::function<Result<std::string>()>& render);
  /// A form goes to stdout: then the text for a person does not.
  bool takes_stdout() const;
  /// Of all that was put, the first error. What can't be written keeps nothing else from being written.
  Result<void> outcome() const { return outcome_; }

 private:
  struct Form {
    std::string_view option;
    std::string path;
    std::optional<OutputFile> file;
  };
  const Form* find(std::string_view option) const;

  std::deque<Form> forms_;  // the command line holds on to the paths
  Result<void> outcome_;
};

}  // namespace lapse::cli
