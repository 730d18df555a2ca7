#pragma once
// Latency against the pause before each inference (lapse/measure/idle.hpp): what is said of it, and how every form for people shows it.
// Of lapse/report alone.

#include <lapse/report/outline.hpp>
#include <lapse/report/report.hpp>
#include <lapse/stats/quantile.hpp>
#include <optional>

namespace lapse::report {

/// Of the runs after one pause. They were made in blocks, seconds apart, and a block has something of its own: so the median is the mean of
/// the blocks' medians, with Student's t over the blocks (Needs: runs of two of them). Other quantiles are those of all runs together.
SummaryRow summarise_blocks(const Series& samples);

/// How many times as long as after the first pause an inference takes after this one: the geometric mean, over the rounds in which both
/// were measured, of the ratio of their blocks' medians, with Student's t over the rounds. What drifts from round to round is in neither.
/// Nothing for fewer than two rounds.
std::optional<stats::Estimate> ratio_to_first(const Report& report, const IdleRow& row);

/// Without rows where no pause was measured.
Table idle_table(const Report& report, Language language);

}  // namespace lapse::report
