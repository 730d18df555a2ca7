#pragma once
// CPUs that this process may run on.

#include <lapse/base/error.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace lapse::host {

/// "0", "0,2", "0-3,6" → ascending, without repeats. Error: BadInput.
Result<std::vector<int>> parse_cpu_list(std::string_view text);
std::string to_string(const std::vector<int>& cpus);

std::vector<int> allowed_cpus();
/// Binds this thread, and every thread that it starts later. Error: BadInput, with the CPUs that are allowed, when one of them is not
/// there.
Result<void> pin(const std::vector<int>& cpus);

/// CPUs worth giving work to: allowed ones, cut by the control group's limit (rounded up); at least 1.
int usable_cpus();

}  // namespace lapse::host
