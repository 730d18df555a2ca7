#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <lapse/host/affinity.hpp>
#include <lapse/host/control_group.hpp>

namespace lapse::host {
namespace {

constexpr int kMostCpus = 8192;  // the kernel's own upper limit (NR_CPUS)

/// The kernel's CPU mask: bit n of the array is CPU n.
class Mask {
 public:
  bool has(int cpu) const { return (words_[word(cpu)] & bit(cpu)) != 0; }
  void add(int cpu) { words_[word(cpu)] |= bit(cpu); }
  std::size_t bytes() const { return words_.size() * sizeof(Word); }
  cpu_set_t* data() { return reinterpret_cast<cpu_set_t*>(words_.data()); }

 private:
  using Word = unsigned long;
  static constexpr std::size_t kBits = 8 * sizeof(Word);
  static std::size_t word(int cpu) { return static_cast<std::size_t>(cpu) / kBits; }
  static Word bit(int cpu) { return Word{1} << (static_cast<std::size_t>(cpu) % kBits); }

  std::vector<Word> words_ = std::vector<Word>(kMostCpus / kBits);
};

/// Takes a CPU number off the front of `text`.
std::optional<int> take_cpu(std::string_view& text) {
  int cpu = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), cpu);
  if (status != std::errc{} || cpu < 0 || cpu >= kMostCpus) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return cpu;
}

}  // namespace

Result<std::vector<int>> parse_cpu_list(std::string_view text) {
  const auto bad = [whole = text] {
    return fail(ErrorCode::BadInput, fmt::format("'{}' is not a list of CPUs", whole), "write numbers and ranges, such as 0,2 or 0-3,6");
  };
  std::vector<int> cpus;
  while (true) {
    const auto first = take_cpu(text);
    if (!first) return bad();
    auto last = first;
    if (text.starts_with('-')) {
      text.remove_prefix(1);
      last = take_cpu(text);
      if (!last || *last < *first) return bad();
    }
    for (int cpu = *first; cpu <= *last; ++cpu) cpus.push_back(cpu);
    if (text.empty()) break;
    if (!text.starts_with(',')) return bad();
    text.remove_prefix(1);
  }
  std::sort(cpus.begin(), cpus.end());
  cpus.erase(std::unique(cpus.begin(), cpus.end()), cpus.end());
  return cpus;
}

std::string to_string(const std::vector<int>& cpus) {
  std::string text;
  for (std::size_t first = 0; first < cpus.size();) {
    std::size_t last = first;
    while (last + 1 < cpus.size() && cpus[last + 1] == cpus[last] + 1) ++last;
    if (!text.empty()) text += ',';
    text += last == first ? fmt::format("{}", cpus[first]) : fmt::format("{}-{}", cpus[first], cpus[last]);
    first = last + 1;
  }
  return text;
}

std::vector<int> allowed_cpus() {
  std::vector<int> cpus;
  Mask mask;
  if (sched_getaffinity(0, mask.bytes(), mask.data()) != 0) return cpus;
  for (int cpu = 0; cpu < kMostCpus; ++cpu) {
    if (mask.has(cpu)) cpus.push_back(cpu);
  }
  return cpus;
}

Result<void> pin(const std::vector<int>& cpus) {
  const std::vector<int> allowed = allowed_cpus();
  const auto refuse = [&](std::string message) {
    return fail(ErrorCode::BadInput, std::move(message), fmt::format("this process may run on {}", to_string(allowed)));
  };
  if (cpus.empty()) return refuse("no CPU to run on was given");
  Mask mask;
  for (const int cpu : cpus) {
    if (!std::binary_search(allowed.begin(), allowed.end(), cpu)) return refuse(fmt::format("CPU {} is not there for this process", cpu));
    mask.add(cpu);
  }
  if (sched_setaffinity(0, mask.bytes(), mask.data()) != 0) {
    return refuse(fmt::format("can't run on CPU {}: {}", to_string(cpus), std::strerror(errno)));
  }
  return {};
}

int usable_cpus() {
  const int allowed = static_cast<int>(allowed_cpus().size());
  const auto limit = ControlGroup().cpu_limit();
  const int granted = limit ? static_cast<int>(std::ceil(std::min(*limit, static_cast<double>(kMostCpus)))) : allowed;
  return std::max(1, std::min(allowed, granted));
}

}  // namespace lapse::host
