#pragma once
// What an examination says of a machine's fitness for measuring. Pure: no clock, no device. The texts, in Korean and English, are in
// lapse/report/machine_words.cpp.

#include <lapse/measure/machine.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace lapse::measuring {

enum class Grade {
  Good,
  Note,  // may matter: depends on what is measured
  Bad,   // makes the numbers of this machine worse than they need be
};
std::string_view name(Grade grade) noexcept;

struct Diagnosis {
  std::string code;  // "clock", "steal", "noise_memory"
  Grade grade = Grade::Good;
  std::map<std::string, std::string> facts;  // by the names that the text uses, already formatted
};

/// One for each thing that was looked at, in a fixed order. Thresholds and their reasons: diagnosis.cpp.
std::vector<Diagnosis> diagnose(const Examination& examination);
std::vector<Diagnosis> diagnose(const DeviceState& device);

/// The worst of them; Good of none.
Grade worst(const std::vector<Diagnosis>& diagnoses) noexcept;

}  // namespace lapse::measuring
