#pragma once
// What lapse/measure/diagnosis.hpp finds, in words. Patterns and facts: lapse/report/messages.hpp. Of lapse/report alone.
//
// The facts, and how they are written:
//   share            "2.3 %"        unseen, found, lost, share, spread
//   time             "25.00 ns"     step, reading, longest, time
//   ratio            "1.380"        effect; "1.352 … 1.411" range
//   count            "812"          backward, gaps, events, meanwhile, allowed, online, periods, count, pages
//   number           "1.5"          load, limit (CPUs), celsius, left (degrees), low, high, mhz, max (MHz)
//   size             "1.5 GiB"      used, total
//   name             "tsc"          source, better, governor, cpu, neighbour, setting, reasons
//   nothing          ""             turbo, no_turbo: that it is on, or off

#include <lapse/measure/diagnosis.hpp>
#include <lapse/report/messages.hpp>
#include <span>
#include <string>

namespace lapse::report {

struct DiagnosisWords {
  std::string label;    // "clock"
  std::string message;  // one line
  std::string hint;     // what to do; empty where all is good
};
/// A code that this version does not know says itself.
DiagnosisWords words(const measuring::Diagnosis& diagnosis, Language language);

/// The table, for those who check it.
struct DiagnosisText {
  std::string_view code;
  Phrase label, message, hint;  // no hint: there is nothing to do
};
std::span<const DiagnosisText> diagnosis_texts();

}  // namespace lapse::report
