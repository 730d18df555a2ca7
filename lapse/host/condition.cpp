#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <lapse/host/affinity.hpp>
#include <lapse/host/condition.hpp>
#include <lapse/host/kernel_text.hpp>
#include <sstream>
#include <string_view>

namespace lapse::host {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCpus = "sys/devices/system/cpu";

std::vector<std::string> words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> list;
  for (std::string word; stream >> word;) list.push_back(word);
  return list;
}

/// "always [madvise] never" → "madvise".
std::string chosen(std::string_view text) {
  const std::size_t open = text.find('[');
  const std::size_t close = text.find(']', open);
  if (open == text.npos || close == text.npos) return {};
  return std::string(text.substr(open + 1, close - open - 1));
}

std::optional<bool> flag(const fs::path& file) {
  const auto number = whole_number(text_of(file));
  return number ? std::optional{*number != 0} : std::nullopt;
}

double megahertz(const fs::path& kilohertz) { return static_cast<double>(whole_number(text_of(kilohertz)).value_or(0)) / 1e3; }

/// Of a file in thousandths of a degree, which may be below zero.
std::optional<double> degrees(const fs::path& file) {
  const std::string text = text_of(file);
  int thousandths = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), thousandths);
  if (status != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return thousandths / 1e3;
}

std::vector<int> online(const fs::path& root) { return parse_cpu_list(text_of(root / kCpus / "online")).value_or(std::vector<int>{}); }

void read_clock_source(const fs::path& root, Condition& condition) {
  const fs::path source = root / "sys/devices/system/clocksource/clocksource0";
  condition.clock_source = text_of(source / "current_clocksource");
  condition.clock_sources = words(text_of(source / "available_clocksource"));
}

void read_frequency(const fs::path& root, Condition& condition) {
  const auto cpus = online(root);
  if (!cpus.empty()) {
    const fs::path scaling = root / kCpus / fmt::format("cpu{}", cpus.front()) / "cpufreq";
    condition.lowest_mhz = megahertz(scaling / "scaling_min_freq");
    condition.highest_mhz = megahertz(scaling / "scaling_max_freq");
  }
  condition.turbo = flag(root / kCpus / "cpufreq/boost");
  if (const auto without = flag(root / kCpus / "intel_pstate/no_turbo")) condition.turbo = !*without;
}

void read_heat(const fs::path& root, Condition& condition) {
  for (const int cpu : online(root)) {
    const fs::path counts = root / kCpus / fmt::format("cpu{}", cpu) / "thermal_throttle";
    for (const char* counter : {"core_throttle_count", "package_throttle_count"}) {
      if (const auto events = whole_number(text_of(counts / counter))) {
        condition.throttle_events = condition.throttle_events.value_or(0) + *events;
      }
    }
  }
  for (int number = 0;; ++number) {
    const fs::path zone = root / "sys/class/thermal" / fmt::format("thermal_zone{}", number);
    const auto now = degrees(zone / "temp");
    if (!now) break;
    condition.celsius = std::max(condition.celsius.value_or(*now), *now);
    for (int trip = 0;; ++trip) {
      const std::string type = text_of(zone / fmt::format("trip_point_{}_type", trip));
      if (type.empty()) break;
      const auto at = degrees(zone / fmt::format("trip_point_{}_temp", trip));
      if (type != "passive" || !at || *at <= 0) continue;  // "active" starts a fan, "critical" ends everything; 0 is a trip switched off
      condition.celsius_left = std::min(condition.celsius_left.value_or(*at - *now), *at - *now);
    }
  }
}

void read_siblings(const fs::path& root, Condition& condition) {
  for (const int cpu : online(root)) {
    auto core = parse_cpu_list(text_of(root / kCpus / fmt::format("cpu{}", cpu) / "topology/thread_siblings_list"));
    if (!core) continue;
    std::erase(*core, cpu);
    if (!core->empty()) condition.siblings[cpu] = std::move(*core);
  }
}

void read_memory(const fs::path& root, Condition& condition) {
  condition.huge_pages = chosen(text_of(root / "sys/kernel/mm/transparent_hugepage/enabled"));
  const std::string meminfo = text_of(root / "proc/meminfo"), vmstat = text_of(root / "proc/vmstat");
  condition.swap_total = kilobyte_field(meminfo, "SwapTotal").value_or(0);
  condition.swap_used = condition.swap_total - std::min(condition.swap_total, kilobyte_field(meminfo, "SwapFree").value_or(0));
  condition.swapped_pages = counter_field(vmstat, "pswpin").value_or(0) + counter_field(vmstat, "pswpout").value_or(0);
  condition.random_layout = flag(root / "proc/sys/kernel/randomize_va_space");
}

}  // namespace

Condition condition(const fs::path& root) {
  Condition now;
  read_clock_source(root, now);
  read_frequency(root, now);
  read_heat(root, now);
  read_siblings(root, now);
  read_memory(root, now);
  return now;
}

}  // namespace lapse::host
