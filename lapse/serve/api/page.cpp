#include <algorithm>
#include <array>
#include <lapse/serve/api/page.hpp>
#include <lapse/serve/http/text.hpp>
#include <utility>

namespace lapse::serve::api {
namespace {

constexpr std::string_view kIndex = "/index.html";

// Nothing but what this server serves, and nothing written into the document itself; blob: for the photos that are still to be sent.
constexpr const char* kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; manifest-src 'self'; "
    "worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

std::string_view content_type(std::string_view path) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kTypes{{{".html", "text/html; charset=utf-8"},
                                                                                 {".css", "text/css; charset=utf-8"},
                                                                                 {".js", "text/javascript; charset=utf-8"},
                                                                                 {".svg", "image/svg+xml"},
                                                                                 {".png", "image/png"},
                                                                                 {".webmanifest", "application/manifest+json"}}};
  const auto known = std::ranges::find_if(kTypes, [&](const auto& type) { return path.ends_with(type.first); });
  return known == kTypes.end() ? "application/octet-stream" : known->second;
}

net::awaitable<void> send(http::Exchange& exchange, const PageFile& file) {
  http::Response response;
  response.content_type = content_type(file.path);
  response.headers = {{"ETag", std::string(file.etag)},
                      {"Cache-Control", "no-cache"},  // kept, and asked for each time: a new program's page is seen at once
                      {"Content-Security-Policy", kPolicy},
                      {"Referrer-Policy", "same-origin"}};
  const auto known = exchange.header("If-None-Match");
  if (known && http::lists_tag(*known, file.etag)) {
    response.status = 304;
  } else {
    response.body = file.bytes;
  }
  co_await exchange.respond(std::move(response));
}

}  // namespace

void add_page(http::Router& router) {
  for (const PageFile& file : page_files()) {
    const auto handler = [&file](http::Exchange& exchange) { return send(exchange, file); };
    router.add("GET", std::string(file.path), handler);
    if (file.path == kIndex) router.add("GET", "/", handler);
  }
}

std::vector<std::string> page_paths() {
  std::vector<std::string> paths{"/"};
  for (const PageFile& file : page_files()) paths.emplace_back(file.path);
  return paths;
}

}  // namespace lapse::serve::api
