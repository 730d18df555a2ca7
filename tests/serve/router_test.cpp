#include <gmock/gmock.h>

#include <lapse/serve/http/exchange.hpp>

using namespace lapse;
using namespace lapse::serve::http;
using ::testing::ElementsAre;

namespace {

lapse::serve::net::awaitable<void> nothing(Exchange&) { co_return; }

Router router() {
  Router router;
  router.add("GET", "/v2/models/{m}", nothing);
  router.add("GET", "/v2/models/stats", nothing);
  router.add("GET", "/v2/jobs/{id}", nothing);
  router.add("PUT", "/v2/jobs/{id}", nothing);
  router.add("GET", "/v2/jobs/{id}/result", nothing);
  router.add("POST", "/v2/session", nothing);
  router.add("GET", "/", nothing);
  return router;
}

TEST(Router, FindsTheRouteAndItsParts) {
  const auto match = router().find("PUT", "/v2/jobs/a%20b");
  ASSERT_NE(match.handler, nullptr);
  EXPECT_EQ(match.pattern, "/v2/jobs/{id}");
  EXPECT_EQ(match.parts.at("id"), "a b");
  EXPECT_EQ(router().find("GET", "/v2/jobs/x/result").pattern, "/v2/jobs/{id}/result");
  EXPECT_EQ(router().find("GET", "/").pattern, "/");
}

TEST(Router, PrefersWhatIsSpeltOut) {
  EXPECT_EQ(router().find("GET", "/v2/models/stats").pattern, "/v2/models/stats");
  EXPECT_EQ(router().find("GET", "/v2/models/stat").pattern, "/v2/models/{m}");
}

TEST(Router, SaysWhatIsAllowedInstead) {
  const auto match = router().find("DELETE", "/v2/jobs/x");
  EXPECT_EQ(match.handler, nullptr);
  EXPECT_EQ(match.pattern, "/v2/jobs/{id}");
  EXPECT_THAT(match.allowed, ElementsAre("GET", "HEAD", "PUT", "OPTIONS"));
  EXPECT_THAT(router().find("GET", "/v2/session").allowed, ElementsAre("POST", "OPTIONS"));
}

TEST(Router, FindsForHeadWhatGetDoes) {
  EXPECT_NE(router().find("HEAD", "/v2/jobs/x").handler, nullptr);
  EXPECT_EQ(router().find("HEAD", "/v2/session").handler, nullptr);
}

TEST(Router, MatchesNoPartThatCouldMeanAnotherPath) {
  for (const char* path : {"/v2/jobs/", "/v2/jobs/a%2fb", "/v2/jobs/a%2Fb", "/v2/jobs/%00", "/v2/jobs/a%0d%0a", "/v2/jobs/%7f",
                           "/v2/jobs/%zz", "/v2/jobs/%", "/v2/jobs/..", "/v2/jobs/.", "/v2/jobs/%2e%2E", "/v2/jobs/a/", "/v2//jobs/a",
                           "//v2/jobs/a", "", "v2", "/v2/jobs/a/../b", "/V2/jobs/a", "/v2/jobs//result"}) {
    const auto match = router().find("GET", path);
    EXPECT_EQ(match.handler, nullptr) << path;
    EXPECT_TRUE(match.allowed.empty()) << path;
    EXPECT_TRUE(match.pattern.empty()) << path;
  }
}

TEST(Router, ListsItsRoutes) { EXPECT_EQ(router().routes().size(), 7u); }

TEST(Refuse, SaysWhyWithTheStatusOfTheCode) {
  const auto response = refuse(Error{ErrorCode::NotFound, "no such \"job\"\xff", "list them"});
  EXPECT_EQ(response.status, 404u);
  EXPECT_EQ(response.body, "{\"error\":\"no such \\\"job\\\"\xef\xbf\xbd\",\"hint\":\"list them\"}");
  EXPECT_TRUE(response.headers.empty());
}

TEST(Refuse, RoundsRetryAfterUpToWholeSeconds) {
  using Headers = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(refuse(Error{ErrorCode::Busy, "full", {}}, std::chrono::milliseconds{1001}).headers, (Headers{{"Retry-After", "2"}}));
  EXPECT_EQ(refuse(Error{ErrorCode::Busy, "full", {}}, Duration{0}).headers, (Headers{{"Retry-After", "1"}}));
  EXPECT_EQ(refuse(Error{ErrorCode::Busy, "full", {}}).headers, (Headers{{"Retry-After", "1"}}));
  EXPECT_EQ(refuse(Error{ErrorCode::Unauthorized, "who", {}}).headers, (Headers{{"WWW-Authenticate", "Bearer"}}));
}

}  // namespace
