#pragma once
// What is, at the moment of a scrape.

#include <lapse/serve/observe/families.hpp>
#include <lapse/serve/observe/server_observer.hpp>

namespace lapse::serve {

void add_gauges(Families& families, const Scrape& scrape, jobs::Time now);

}  // namespace lapse::serve
