// Saved results: any bytes are refused or read, and what was read can be written in every form and read again.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <lapse/report/comparison.hpp>
#include <lapse/report/render.hpp>
#include <lapse/report/sweep.hpp>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using lapse::report::Language;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto sweep = lapse::report::sweep_from_json(text)) {
    lapse::report::to_text(*sweep, Language::English, false);
    lapse::report::to_text(*sweep, Language::Korean);
    lapse::report::to_csv(*sweep);
    if (!lapse::report::sweep_from_json(lapse::report::to_json_text(*sweep))) std::abort();
    return 0;
  }
  if (const auto comparison = lapse::report::comparison_from_json(text)) {
    lapse::report::to_text(*comparison, Language::English, false);
    lapse::report::to_markdown(*comparison, Language::Korean);
    if (!lapse::report::comparison_from_json(lapse::report::to_json_text(*comparison))) std::abort();
    return 0;
  }
  const auto report = lapse::report::from_json(text);
  if (!report) {
    if (report.error().message.find('\n') != std::string::npos) std::abort();
    return 0;
  }
  lapse::report::to_text(*report, Language::English, false);
  lapse::report::to_text(*report, Language::Korean);
  lapse::report::to_markdown(*report, Language::Korean);
  lapse::report::to_csv(*report);
  if (!lapse::report::from_json(lapse::report::to_json_text(*report))) std::abort();
  return 0;
}
