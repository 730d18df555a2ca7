#include <fmt/format.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <lapse/base/version.hpp>
#include <lapse/host/affinity.hpp>
#include <lapse/host/control_group.hpp>
#include <lapse/host/fingerprint.hpp>
#include <lapse/host/kernel_text.hpp>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif
#ifdef __GLIBC__
#include <gnu/libc-version.h>
#endif

namespace lapse::host {
namespace {

std::string hypervisor() {
#if defined(__x86_64__) || defined(__i386__)
  constexpr unsigned kFeatures = 1;
  constexpr unsigned kHypervisorBit = 1u << 31;  // of ECX; a physical CPU never sets it
  constexpr unsigned kHypervisorLeaf = 0x40000000;
  std::array<unsigned, 4> registers{};
  auto& [eax, ebx, ecx, edx] = registers;
  if (__get_cpuid(kFeatures, &eax, &ebx, &ecx, &edx) == 0 || (ecx & kHypervisorBit) == 0) return {};
  __cpuid(kHypervisorLeaf, eax, ebx, ecx, edx);
  std::array<char, 12> signature{};
  std::memcpy(signature.data(), &registers[1], signature.size());
  return hypervisor_name({signature.data(), signature.size()});
#else
  const std::string compatible = text_of("/sys/firmware/devicetree/base/hypervisor/compatible");
  if (compatible.empty()) return text_of("/sys/hypervisor/type");
  return compatible.find("kvm") != std::string::npos ? "kvm" : compatible.find("xen") != std::string::npos ? "xen" : "unknown";
#endif
}

std::string libc() {
#ifdef __GLIBC__
  return fmt::format("glibc {}", gnu_get_libc_version());
#else
  return {};
#endif
}

std::string kernel_release() {
  utsname names{};
  return uname(&names) == 0 ? names.release : "";
}

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0.0 : std::min(1.0, static_cast<double>(part) / static_cast<double>(whole));
}

/// The kernel's counters may step back a little (iowait does): no difference is below 0.
std::uint64_t grown(std::uint64_t before, std::uint64_t after) { return after - std::min(before, after); }

}  // namespace

Fingerprint fingerprint() {
  const std::vector<int> allowed = allowed_cpus();
  const ControlGroup group;
  Fingerprint machine;
  machine.cpu = cpu_model(text_of("/proc/cpuinfo"));
  machine.cpus_online = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  machine.cpus_allowed = static_cast<int>(allowed.size());
  machine.cpu_limit = group.cpu_limit();
  machine.memory_limit = group.memory_limit();
  machine.memory_total = kilobyte_field(text_of("/proc/meminfo"), "MemTotal").value_or(0);
  if (!allowed.empty()) machine.governor = text_of(fmt::format("/sys/devices/system/cpu/cpu{}/cpufreq/scaling_governor", allowed.front()));
  machine.hypervisor = hypervisor();
  machine.os = os_name(text_of("/etc/os-release"));
  machine.kernel = kernel_release();
  machine.libc = libc();
  machine.compiler = compiler();
  machine.build_type = build_type();
  machine.lapse_version = version();
  machine.git_commit = git_commit();
  return machine;
}

Activity activity() {
  const CpuTicks ticks = cpu_ticks(text_of("/proc/stat"));
  Activity now{.steal_ticks = ticks.steal, .busy_ticks = ticks.busy, .total_ticks = ticks.total};
  if (tms own{}; times(&own) != static_cast<clock_t>(-1)) now.own_ticks = static_cast<std::uint64_t>(own.tms_utime + own.tms_stime);
  now.throttled_periods = ControlGroup().throttled_periods();
  getloadavg(&now.load_1min, 1);
  return now;
}

Disturbance between(const Activity& before, const Activity& after) {
  const std::uint64_t total = grown(before.total_ticks, after.total_ticks);
  const std::uint64_t steal = grown(before.steal_ticks, after.steal_ticks);
  const std::uint64_t busy = grown(before.busy_ticks, after.busy_ticks);
  const std::uint64_t ours = grown(before.own_ticks, after.own_ticks) + steal;
  return {.steal = share(steal, total),
          .others = share(grown(ours, busy), total),
          .throttled = grown(before.throttled_periods, after.throttled_periods)};
}

}  // namespace lapse::host
