#pragma once
// A process that a test may kill: jobs_child (child.cpp), with what it prints.

#include <cstdio>
#include <optional>
#include <string>
#include <vector>

namespace lapse::jobs {

class Child {
 public:
  explicit Child(const std::vector<std::string>& arguments);
  /// SIGKILL, unless it has ended.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// The next whole line; nothing: it has closed its output.
  std::optional<std::string> line();
  void kill();
  /// Waits for its end; its exit status, or −1 when a signal ended it.
  int wait();

 private:
  int process_ = -1;
  std::FILE* output_ = nullptr;
};

}  // namespace lapse::jobs
