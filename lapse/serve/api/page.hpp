#pragma once
// The photo app's page: the files of web/, as they were when the program was built, at / (which is /index.html) and at their names.
//
// Threads: any.

#include <lapse/serve/http/exchange.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lapse::serve::api {

struct PageFile {
  std::string_view path;  // "/app.js"
  std::string_view etag;  // of its content, with its quotes
  std::string_view bytes;
};

std::span<const PageFile> page_files() noexcept;

void add_page(http::Router& router);
/// Of all that add_page adds: for the gate, which lets everybody read them.
std::vector<std::string> page_paths();

}  // namespace lapse::serve::api
