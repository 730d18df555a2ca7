#pragma once
// The other end of cli/child_process: what a child that measures says to its parent, which started it with the hidden option --child.

#include <lapse/measure/turns.hpp>
#include <lapse/report/report.hpp>
#include <string_view>

namespace lapse::cli {

class ParentProcess final : public measuring::Turns {
 public:
  /// Takes stdout for the parent alone: what others write to it (an engine, the work itself) goes to stderr from now on.
  ParentProcess();
  ~ParentProcess() override;
  ParentProcess(const ParentProcess&) = delete;
  ParentProcess& operator=(const ParentProcess&) = delete;

  /// Says what came of the last turn, once this process is at rest, and waits for the next one.
  std::optional<measuring::Turn> next(const measuring::Block& done) override;
  /// The last thing that it is told.
  void report(const report::Report& report);

 private:
  void say(std::string_view line);

  int talk_;
  bool asked_ = false;
};

}  // namespace lapse::cli
