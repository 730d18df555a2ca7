// The page over a real connection: every file of web/, as it lies there, with what keeps a browser safe and up to date.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <lapse/serve/api/page.hpp>
#include <map>

#include "http_case.hpp"

namespace lapse::serve::http::testing {
namespace {

const std::filesystem::path kFolder = std::filesystem::path(LAPSE_SOURCE_DIR) / "web";

std::string content(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

class PageTest : public HttpTest {
 protected:
  PageTest() {
    api::add_page(router);
    start();
  }
  Answer get(const std::string& path, const std::string& fields = {}) {
    return ask("GET " + path + " HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n");
  }
};

TEST_F(PageTest, EveryFileIsServedAsItIsAndNothingElse) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator{kFolder}) {
    if (!entry.is_regular_file()) continue;
    const std::string path = "/" + entry.path().filename().string();
    const Answer answer = get(path);
    if (path == "/draw_icons.py") {
      EXPECT_EQ(answer.status, 404u);
      continue;
    }
    ++count;
    EXPECT_EQ(answer.status, 200u) << path;
    EXPECT_EQ(answer.body, content(entry.path())) << path;
  }
  EXPECT_EQ(api::page_files().size(), count);
  EXPECT_EQ(get("/").body, content(kFolder / "index.html"));
  EXPECT_EQ(router.routes().size(), count + 1) << "and /";
  for (const char* path : {"/app", "/app.js/", "/../web/app.js", "/web/app.js", "/v2", "/v2/app.js"})
    EXPECT_NE(get(path).status, 200u) << path;
}

TEST_F(PageTest, EachKindHasItsType) {
  const std::map<std::string, std::string> types{{"/", "text/html; charset=utf-8"},
                                                 {"/style.css", "text/css; charset=utf-8"},
                                                 {"/sw.js", "text/javascript; charset=utf-8"},
                                                 {"/icons.svg", "image/svg+xml"},
                                                 {"/icon-192.png", "image/png"},
                                                 {"/manifest.webmanifest", "application/manifest+json"}};
  for (const auto& [path, type] : types) EXPECT_EQ(get(path).header("Content-Type"), type) << path;
  for (const PageFile& file : api::page_files()) {
    EXPECT_NE(get(std::string(file.path)).header("Content-Type"), "application/octet-stream") << file.path;
  }
}

TEST_F(PageTest, ABrowserIsToldWhatThePageMayDo) {
  for (const std::string& path : api::page_paths()) {
    const Answer answer = get(path);
    EXPECT_EQ(answer.header("Content-Security-Policy"),
              "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; manifest-src 'self'; "
              "worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
        << path;
    EXPECT_EQ(answer.header("X-Content-Type-Options"), "nosniff") << path;
    EXPECT_EQ(answer.header("Referrer-Policy"), "same-origin") << path;
    EXPECT_EQ(answer.header("Cache-Control"), "no-cache") << path;
  }
}

TEST_F(PageTest, WhatABrowserHasIsNotSentAgain) {
  const std::string tag = get("/app.js").header("ETag");
  EXPECT_EQ(tag.size(), 66u) << tag;
  EXPECT_NE(get("/api.js").header("ETag"), tag);
  for (const std::string& known : {tag, "W/" + tag, "\"old\", " + tag, std::string{"*"}}) {
    const Answer answer = get("/app.js", "If-None-Match: " + known + "\r\n");
    EXPECT_EQ(answer.status, 304u) << known;
    EXPECT_EQ(answer.body, "");
    EXPECT_EQ(answer.header("ETag"), tag);
    EXPECT_EQ(answer.header("Cache-Control"), "no-cache");
  }
  EXPECT_EQ(get("/app.js", "If-None-Match: \"old\"\r\n").status, 200u);
}

TEST_F(PageTest, HeadTellsTheSizeAndSendsNothing) {
  Client client = connect();
  client.send("HEAD /app.js HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const Answer answer = client.answer(true);
  EXPECT_EQ(answer.status, 200u);
  EXPECT_EQ(answer.header("Content-Length"), std::to_string(content(kFolder / "app.js").size()));
  EXPECT_EQ(client.rest(), "");
  EXPECT_EQ(ask("POST /app.js HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n").status, 405u);
}

}  // namespace
}  // namespace lapse::serve::http::testing
