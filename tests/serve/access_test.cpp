// Tokens, sessions and the gate, against a request of the test's own.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <lapse/serve/access/gate.hpp>
#include <map>

namespace lapse::serve {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "lapse-access-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path_); }
  const fs::path& operator*() const { return path_; }

 private:
  fs::path path_;
};

struct Request final : http::Exchange {
  std::string verb = "GET", target = "/v2/jobs";
  std::map<std::string, std::string, std::less<>> headers{{"Host", "127.0.0.1:8000"}};
  http::BodyBudget budget;

  std::string_view method() const override { return verb; }
  std::string_view path() const override { return target; }
  const std::string& part(std::string_view) const override { return verb; }
  std::optional<std::string> query(std::string_view) const override { return std::nullopt; }
  std::optional<std::string_view> header(std::string_view name) const override {
    const auto found = headers.find(name);
    return found == headers.end() ? std::nullopt : std::optional<std::string_view>{found->second};
  }
  std::string_view remote() const override { return "127.0.0.1"; }
  net::awaitable<Result<std::string>> body(std::uint64_t) override { co_return std::string{}; }
  http::BodyShare share() override { return http::BodyShare{budget}; }
  net::awaitable<void> respond(http::Response) override { co_return; }
  net::awaitable<void> respond_blob(http::Response, std::shared_ptr<const jobs::BlobReader>, std::uint64_t, std::uint64_t) override {
    co_return;
  }
  net::awaitable<bool> begin_stream(http::Response) override { co_return true; }
  net::awaitable<bool> write(std::string_view) override { co_return true; }
  void on_gone(std::function<void()>) override {}
};

class GateTest : public testing::Test {
 protected:
  /// 200 when it may pass.
  unsigned ask(Request& request, bool anonymous = true) {
    Gate gate{{anonymous, {"photos.example.org"}, 8000, {"/", "/app.js"}}, tokens_, sessions_};
    const auto refused = gate(request, {});
    return refused ? refused->status : 200;
  }
  unsigned ask_with(std::map<std::string, std::string> headers, bool anonymous = true, std::string method = "GET",
                    std::string path = "/v2/jobs") {
    Request request;
    request.verb = std::move(method);
    request.target = std::move(path);
    for (auto& [name, value] : headers) request.headers[name] = value;
    const unsigned status = ask(request, anonymous);
    owner_ = request.owner();
    return status;
  }

  Folder folder_;
  Tokens tokens_{*folder_};
  Sessions sessions_ = *Sessions::open(*folder_);
  std::string owner_;
};

TEST(TokensTest, ATokenOpensItsOwnersJobsUntilItIsRevoked) {
  const Folder folder;
  const auto made = Tokens{*folder}.create("ann", {});
  ASSERT_TRUE(made);
  EXPECT_THAT(made->second, testing::MatchesRegex("lapse_[A-Za-z0-9_-]+"));
  EXPECT_EQ(made->second.size(), 6u + 43u);
  Tokens tokens{*folder};
  EXPECT_EQ(tokens.find(made->second)->owner, "ann");
  EXPECT_TRUE(tokens.valid(made->first.id));
  EXPECT_FALSE(tokens.valid(""));
  EXPECT_FALSE(tokens.find(made->second + "x"));
  EXPECT_FALSE(tokens.find(made->first.digest));
  EXPECT_FALSE(tokens.find(""));
  ASSERT_TRUE(tokens.revoke(made->first.id));
  EXPECT_FALSE(Tokens{*folder}.find(made->second));
  EXPECT_FALSE(Tokens{*folder}.valid(made->first.id));
  EXPECT_EQ(tokens.revoke(made->first.id).error().code, ErrorCode::NotFound);
}

TEST(TokensTest, AnExpiredTokenIsNobodys) {
  const Folder folder;
  const auto made = Tokens{*folder}.create("ann", 1ns);
  ASSERT_TRUE(made);
  EXPECT_FALSE(Tokens{*folder}.find(made->second));
  EXPECT_FALSE(Tokens{*folder}.valid(made->first.id));
}

TEST(TokensTest, TheFileHoldsNoTokenAndIsForItsOwnerAlone) {
  const Folder folder;
  const auto made = Tokens{*folder}.create("ann", {});
  ASSERT_TRUE(made);
  struct stat status {};
  ASSERT_EQ(::stat((*folder / "tokens.json").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0600u);
  std::ifstream in{*folder / "tokens.json"};
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  EXPECT_EQ(text.find(made->second), std::string::npos);
  EXPECT_EQ(text.find(made->second.substr(6)), std::string::npos);
}

TEST(TokensTest, ADamagedFileLetsNobodyInAndIsNotOverwritten) {
  const Folder folder;
  const auto made = Tokens{*folder}.create("ann", {});
  ASSERT_TRUE(made);
  for (const char* text : {"", "{", "[]", "{\"tokens\": 3}", R"({"tokens":[{"id":1}]})",
                           R"({"tokens":[{"id":"a","owner":"../x","digest":"d","created":1}]})"}) {
    std::ofstream{*folder / "tokens.json"} << text;
    Tokens tokens{*folder};
    EXPECT_FALSE(tokens.find(made->second)) << text;
    EXPECT_TRUE(tokens.problem()) << text;
    EXPECT_EQ(tokens.list().error().code, ErrorCode::Unavailable) << text;
    EXPECT_EQ(tokens.create("ben", {}).error().code, ErrorCode::Unavailable) << text;
  }
}

TEST(TokensTest, OwnersHaveSoundNames) {
  const Folder folder;
  Tokens tokens{*folder};
  for (const std::string& owner : {std::string{}, std::string{"a b"}, std::string{"../x"}, std::string{"a\nb"}, std::string(65, 'a')}) {
    EXPECT_EQ(tokens.create(owner, {}).error().code, ErrorCode::BadInput) << owner;
  }
  EXPECT_TRUE(tokens.create(std::string(64, 'a'), {}));
}

TEST(SessionsTest, ACookieOutlivesARestartAndEndsInTime) {
  const Folder folder;
  const jobs::Time now = jobs::system_now();
  const std::string cookie = Sessions::open(*folder)->make({"anon-1", "0a1b"}, now + 1h);
  const Sessions again = *Sessions::open(*folder);
  EXPECT_EQ(again.read(cookie, now)->owner, "anon-1");
  EXPECT_EQ(again.read(cookie, now)->token, "0a1b");
  EXPECT_FALSE(again.read(cookie, now + 2h));
  struct stat status {};
  ASSERT_EQ(::stat((*folder / "secret").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0600u);
}

TEST(SessionsTest, AForgedCookieIsNobodys) {
  const Folder folder, other;
  const jobs::Time now = jobs::system_now();
  const Sessions sessions = *Sessions::open(*folder);
  const std::string cookie = sessions.make({"anon-1", ""}, now + 1h);
  for (std::size_t length = 0; length < cookie.size(); ++length) {
    EXPECT_FALSE(sessions.read(cookie.substr(0, length), now)) << length;
  }
  const std::size_t dot = cookie.find('.');
  for (std::size_t i = 0; i < dot; ++i) {
    std::string forged = cookie;
    forged[i] = forged[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(sessions.read(forged, now)) << i;
  }
  EXPECT_FALSE(sessions.read(Sessions::open(*other)->make({"anon-1", "0a1b"}, now + 1h), now));
  EXPECT_FALSE(sessions.read(sessions.make({"ann", ""}, now + 1h).substr(0, dot) + cookie.substr(dot), now));
}

TEST(SessionsTest, ADamagedSecretIsAnError) {
  const Folder folder;
  std::ofstream{*folder / "secret"} << "short";
  EXPECT_EQ(Sessions::open(*folder).error().code, ErrorCode::Unavailable);
}

TEST_F(GateTest, OnlyItsOwnNamesAreAnswered) {
  for (const char* host :
       {"127.0.0.1:8000", "localhost:8000", "LOCALHOST:8000", "[::1]:8000", "photos.example.org", "Photos.Example.ORG"}) {
    EXPECT_EQ(ask_with({{"Host", host}}), 200u) << host;
  }
  for (const char* host :
       {"", "evil.example:8000", "localhost.:8000", "localhost:8001", "localhost", "[::1]", "[::2]:8000", "127.0.0.1",
        "127.0.0.1:8000.evil.example", "photos.example.org.", "photos.example.org:80x", "localhost:", "localhost:08000"}) {
    EXPECT_EQ(ask_with({{"Host", host}}), 403u) << host;
  }
  Request nameless;
  nameless.headers.clear();
  EXPECT_EQ(ask(nameless), 403u);
}

TEST_F(GateTest, PagesOfOtherSitesAreRefused) {
  for (const char* method : {"GET", "POST", "PUT", "DELETE"}) {
    EXPECT_EQ(ask_with({{"Origin", "http://127.0.0.1:8000"}, {"Sec-Fetch-Site", "same-origin"}}, true, method), 200u);
    for (const char* origin : {"null", "", "http://evil.example", "http://127.0.0.1:8001", "http://127.0.0.1", "ftp://127.0.0.1:8000",
                               "127.0.0.1:8000", "http://127.0.0.1:8000@evil.example", "http://localhost:8000"}) {
      EXPECT_EQ(ask_with({{"Origin", origin}}, true, method), 403u) << method << origin;
    }
    for (const char* site : {"cross-site", "same-site", "Cross-Site", "what"}) {
      EXPECT_EQ(ask_with({{"Sec-Fetch-Site", site}}, true, method), 403u) << method << site;
    }
  }
  EXPECT_EQ(ask_with({{"Sec-Fetch-Site", "cross-site"}}, true, "GET", "/v2/health/live"), 200u);
  EXPECT_EQ(ask_with({{"Sec-Fetch-Site", "cross-site"}}, true, "POST", "/v2/health/live"), 403u);
}

TEST_F(GateTest, ALinkFromAnotherSiteLeadsToThePage) {
  const std::map<std::string, std::string> link{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Mode", "navigate"}};
  for (const bool anonymous : {true, false}) {
    for (const char* path : {"/", "/app.js"}) {
      EXPECT_EQ(ask_with(link, anonymous, "GET", path), 200u) << path;
      EXPECT_EQ(ask_with(link, anonymous, "HEAD", path), 200u) << path;
      for (const char* method : {"POST", "PUT", "DELETE"}) EXPECT_EQ(ask_with(link, anonymous, method, path), 403u) << method << path;
      for (const char* mode : {"no-cors", "cors", "same-origin"}) {  // used by the other site's page, not opened
        EXPECT_EQ(ask_with({{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Mode", mode}}, anonymous, "GET", path), 403u) << mode << path;
      }
    }
    for (const char* path : {"/v2/jobs", "/metrics", "/app.js/", "//"}) EXPECT_EQ(ask_with(link, anonymous, "GET", path), 403u) << path;
  }
  auto elsewhere = link;
  elsewhere["Host"] = "evil.example:8000";
  EXPECT_EQ(ask_with(elsewhere, true, "GET", "/"), 403u);
  auto scripted = link;
  scripted["Origin"] = "http://evil.example";
  EXPECT_EQ(ask_with(scripted, true, "GET", "/"), 403u);
}

TEST_F(GateTest, ThePageAsksForTheTokenItself) {
  for (const char* path : {"/", "/app.js"}) {
    EXPECT_EQ(ask_with({}, false, "GET", path), 200u) << path;
    EXPECT_EQ(ask_with({{"Cookie", "lapse_session=old"}}, false, "GET", path), 200u) << path;
    EXPECT_EQ(owner_, "") << path;
    EXPECT_EQ(ask_with({{"Host", "evil.example"}}, false, "GET", path), 403u) << path;
  }
  EXPECT_EQ(ask_with({}, false, "GET", "/app.js.map"), 401u);
}

TEST_F(GateTest, ACookieFromAnotherSitesPageIsRefused) {
  const std::string cookie = "lapse_session=" + sessions_.make({"anon-1", ""}, jobs::system_now() + 1h);
  EXPECT_EQ(ask_with({{"Cookie", cookie}}, true, "POST"), 200u);
  EXPECT_EQ(owner_, "anon-1");
  EXPECT_EQ(ask_with({{"Cookie", cookie}, {"Origin", "http://evil.example"}}, true, "POST"), 403u);
  EXPECT_EQ(ask_with({{"Cookie", cookie}, {"Sec-Fetch-Site", "cross-site"}}, true, "POST"), 403u);
}

TEST_F(GateTest, ProgramsWithoutAnOriginPass) {
  EXPECT_EQ(ask_with({}, true, "POST"), 200u);
  EXPECT_EQ(owner_, "local");
}

TEST_F(GateTest, TokensAreAskedForWhereTheyAreNeeded) {
  const auto made = tokens_.create("ann", {});
  ASSERT_TRUE(made);
  EXPECT_EQ(ask_with({}, false), 401u);
  EXPECT_EQ(ask_with({}, false, "GET", "/metrics"), 401u);
  for (const char* path : {"/v2/health/live", "/v2/health/ready", "/openapi.json"})
    EXPECT_EQ(ask_with({}, false, "GET", path), 200u) << path;
  for (const char* scheme : {"Bearer ", "bearer ", "BEARER "}) {
    EXPECT_EQ(ask_with({{"Authorization", scheme + made->second}}, false), 200u) << scheme;
    EXPECT_EQ(owner_, "ann");
  }
  for (const std::string& wrong : {std::string{}, std::string{"Bearer"}, std::string{"Bearer "}, "Basic " + made->second, made->second,
                                   "Bearer " + made->second + "x", "Bearer " + made->first.digest}) {
    EXPECT_EQ(ask_with({{"Authorization", wrong}}, false), 401u) << wrong;
    EXPECT_EQ(ask_with({{"Authorization", wrong}}, true), 401u) << wrong;
  }
}

TEST_F(GateTest, ACookieStandsAmongOthers) {
  const std::string value = sessions_.make({"anon-1", ""}, jobs::system_now() + 1h);
  EXPECT_EQ(ask_with({{"Cookie", "a=b; lapse_session=" + value + "; c=d"}}, true), 200u);
  EXPECT_EQ(owner_, "anon-1");
  EXPECT_EQ(ask_with({{"Cookie", "a=b; c=d"}}, true), 200u);
  EXPECT_EQ(owner_, "local");
  EXPECT_EQ(ask_with({{"Cookie", "lapse_session=" + value + "x"}}, true), 401u);
  EXPECT_EQ(ask_with({{"Cookie", "lapse_session=" + sessions_.make({"anon-1", ""}, jobs::system_now() - 1h)}}, true), 401u);
  EXPECT_EQ(ask_with({{"Cookie", "xlapse_session=" + value}}, false), 401u);
}

TEST_F(GateTest, ACookieIsWorthWhatItWasGivenFor) {
  const auto hour = jobs::system_now() + 1h;
  const std::string anybodys = "lapse_session=" + sessions_.make({"anon-1", ""}, hour);
  EXPECT_EQ(ask_with({{"Cookie", anybodys}}, true), 200u);
  EXPECT_EQ(ask_with({{"Cookie", anybodys}}, false), 401u) << "who needed no token then needs one now";

  const auto made = tokens_.create("ann", {});
  const auto expired = tokens_.create("ann", 1ns);
  ASSERT_TRUE(made && expired);
  const std::string anns = "lapse_session=" + sessions_.make({"ann", made->first.id}, hour);
  for (const bool anonymous : {true, false}) {
    EXPECT_EQ(ask_with({{"Cookie", anns}}, anonymous), 200u);
    EXPECT_EQ(owner_, "ann");
    EXPECT_EQ(ask_with({{"Cookie", "lapse_session=" + sessions_.make({"ann", expired->first.id}, hour)}}, anonymous), 401u);
  }
  ASSERT_TRUE(tokens_.revoke(made->first.id));
  tokens_ = Tokens{*folder_};  // which looks again at once
  EXPECT_EQ(ask_with({{"Cookie", anns}}, false), 401u);
  EXPECT_EQ(ask_with({{"Cookie", anns}}, true), 401u);
}

}  // namespace
}  // namespace lapse::serve
