#pragma once
// The photo app's page: the files of web/, as they were when the program was built, at / (which is /index.html) and at their names.
//
// Threads: any.

#include <lapse/base/page_file.hpp>
#include <lapse/serve/http/exchange.hpp>
#include <span>
#include <string>
#include <vector>

namespace lapse::serve::api {

std::span<const PageFile> page_files() noexcept;

void add_page(http::Router& router);
/// Of all that add_page adds: for the gate, which lets everybody read them.
std::vector<std::string> page_paths();

}  // namespace lapse::serve::api
