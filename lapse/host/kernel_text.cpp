#include <fmt/format.h>

#include <array>
#include <charconv>
#include <fstream>
#include <lapse/host/kernel_text.hpp>
#include <utility>

namespace lapse::host {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

/// What stands behind `separator` in the first line "name separator value".
std::string_view value_of(std::string_view text, std::string_view name, char separator) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    const std::size_t middle = line.find(separator);
    if (middle != std::string_view::npos && trimmed(line.substr(0, middle)) == name) return trimmed(line.substr(middle + 1));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return {};
}

}  // namespace

std::string text_of(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::string text;
  std::getline(stream, text, '\0');  // not stream iterators: they throw where the kernel refuses to read, as it does a directory
  text.resize(text.find_last_not_of(" \t\r\n") + 1);
  return text;
}

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::uint64_t> kilobyte_field(std::string_view text, std::string_view name) {
  const std::string_view value = value_of(text, name, ':');
  if (!value.ends_with(" kB")) return std::nullopt;
  const auto kilobytes = whole_number(value.substr(0, value.size() - 3));
  return kilobytes ? std::optional{*kilobytes * 1024} : std::nullopt;
}

std::optional<std::uint64_t> counter_field(std::string_view text, std::string_view name) { return whole_number(value_of(text, name, ' ')); }

CpuTicks cpu_ticks(std::string_view stat) {
  enum { User, Nice, System, Idle, IoWait, Irq, SoftIrq, Steal, Count };
  std::array<std::uint64_t, Count> ticks{};
  std::string_view rest = value_of(stat, "cpu", ' ');
  for (std::uint64_t& tick : ticks) {
    const std::size_t end = rest.find(' ');
    tick = whole_number(rest.substr(0, end)).value_or(0);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  }
  const std::uint64_t busy = ticks[User] + ticks[Nice] + ticks[System] + ticks[Irq] + ticks[SoftIrq] + ticks[Steal];
  return {.steal = ticks[Steal], .busy = busy, .total = busy + ticks[Idle] + ticks[IoWait]};
}

std::string cpu_model(std::string_view cpuinfo) {
  if (const std::string_view name = value_of(cpuinfo, "model name", ':'); !name.empty()) return std::string(name);
  const std::string_view implementer = value_of(cpuinfo, "CPU implementer", ':');
  const std::string_view part = value_of(cpuinfo, "CPU part", ':');
  if (implementer.empty() || part.empty()) return {};
  return fmt::format("Arm implementer {} part {}", implementer, part);
}

std::string os_name(std::string_view os_release) {
  std::string_view name = value_of(os_release, "PRETTY_NAME", '=');
  if (name.size() >= 2 && name.front() == name.back() && (name.front() == '"' || name.front() == '\''))
    name = name.substr(1, name.size() - 2);
  return std::string(name);
}

std::string hypervisor_name(std::string_view signature) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kKnown{{{"KVMKVMKVM", "kvm"},
                                                                                 {"Microsoft Hv", "hyper-v"},
                                                                                 {"VMwareVMware", "vmware"},
                                                                                 {"XenVMMXenVMM", "xen"},
                                                                                 {"TCGTCGTCGTCG", "qemu"},
                                                                                 {"VBoxVBoxVBox", "virtualbox"},
                                                                                 {"bhyve bhyve ", "bhyve"}}};
  for (const auto& [known, name] : kKnown) {
    if (signature.starts_with(known)) return std::string(name);
  }
  return "unknown";
}

}  // namespace lapse::host
