#pragma once
// A measurement that was made in several processes (Report::processes): taken apart again, put together, and what they say together.

#include <lapse/report/outline.hpp>
#include <lapse/report/report.hpp>
#include <lapse/stats/replication.hpp>
#include <optional>
#include <span>
#include <vector>

namespace lapse::report {

/// The end-to-end times of each process, in order; one span where it was one. They end where `report` does.
std::vector<std::span<const double>> per_process(const Report& report);

double median_of(std::span<const double> times);

/// The median of each block of each process, in order. Empty where the runs were not made in turns.
std::vector<std::vector<double>> block_medians(const Report& report);

/// Of samples that stand one process behind the other. Of two processes and more each estimate is the mean, over the processes, of their
/// own quantile, with the interval of stats/replication.hpp; a percentile needs two runs beyond it in each of them (Needs: runs of each).
SummaryRow summarise(const Series& samples, const std::vector<ProcessRow>& processes);

/// One report of several of the same work, each of one process; not empty. Cold times are medians of theirs, memory is the most that one
/// took, the warm-up shown that of the first; of findings and warnings any process's count. `plan.stop` is left as the first has it.
Report join(std::vector<Report> parts);

/// How little it takes, on this machine, to know the median as well as was asked for (Report::plan). Cost in nanoseconds. Nothing where it
/// was one process, or they don't tell.
std::optional<stats::Plan> cheapest_plan(const Report& report);

/// What the text says of them; none where it was one process.
std::vector<Row> process_rows(const Report& report, Language language);

}  // namespace lapse::report
