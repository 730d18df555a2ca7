#pragma once
// What is, at the moment of a scrape.

#include <lapse/serve/observe/families.hpp>
#include <lapse/serve/observe/metrics.hpp>

namespace lapse::serve {

void add_gauges(Families& families, const Metrics::Now& now, jobs::Time time);

}  // namespace lapse::serve
