#pragma once
// The files of lapse/report/page, and the chart library as chart.js: what to_html puts together.

#include <lapse/base/page_file.hpp>
#include <span>

namespace lapse::report {

std::span<const PageFile> page_files() noexcept;

}  // namespace lapse::report
