#pragma once
// Latency against the pause before each inference (lapse/measure/idle.hpp), as every form for people shows it. Of lapse/report alone.

#include <lapse/report/outline.hpp>
#include <lapse/report/report.hpp>

namespace lapse::report {

/// How many times the median of the first gap an inference takes after this one; NaN where either is not known.
double ratio_to_first(const Report& report, const IdleRow& row);

/// Without rows where no pause was measured.
Table idle_table(const Report& report, Language language);

}  // namespace lapse::report
