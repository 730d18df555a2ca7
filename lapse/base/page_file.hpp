#pragma once
// A file of a web page that became part of the program when it was built (lapse_page in cmake/Lapse.cmake).

#include <string_view>

namespace lapse {

struct PageFile {
  std::string_view path;  // "/app.js"
  std::string_view etag;  // of its content, with its quotes
  std::string_view bytes;
};

}  // namespace lapse
