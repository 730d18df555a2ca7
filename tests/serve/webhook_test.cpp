// Where webhooks may lead, and how their messages are signed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <lapse/serve/webhook/delivery.hpp>
#include <lapse/serve/webhook/target.hpp>

namespace lapse::serve::webhook {
namespace {

TEST(AWebhooksTarget, IsTakenApart) {
  const auto target = parse_target("https://example.org:8443/done?job=1#part", false);
  ASSERT_TRUE(target);
  EXPECT_TRUE(target->tls);
  EXPECT_EQ(target->host, "example.org");
  EXPECT_EQ(target->port, 8443);
  EXPECT_EQ(target->path, "/done?job=1");
  EXPECT_EQ(target->authority, "example.org:8443");
  EXPECT_EQ(parse_target("http://example.org", false)->path, "/");
  EXPECT_EQ(parse_target("http://example.org?a", false)->path, "/?a");
  EXPECT_EQ(parse_target("http://[2606:4700::1111]:80/", false)->host, "2606:4700::1111");
}

TEST(AWebhooksTarget, IsNoAddressThatIsNotPublic) {
  for (const char* host : {"127.0.0.1",
                           "127.9.9.9",
                           "0.0.0.0",
                           "0.1.2.3",
                           "10.0.0.1",
                           "100.64.0.1",
                           "169.254.169.254",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.0.0.1",
                           "192.168.1.1",
                           "198.18.0.1",
                           "224.0.0.1",
                           "240.0.0.1",
                           "255.255.255.255",
                           "[::1]",
                           "[::]",
                           "[::127.0.0.1]",
                           "[::ffff:127.0.0.1]",
                           "[::ffff:10.0.0.1]",
                           "[::ffff:a9fe:a9fe]",
                           "[64:ff9b::7f00:1]",
                           "[2002:7f00:1::]",
                           "[2001::1]",
                           "[2001:db8::1]",
                           "[fe80::1]",
                           "[fc00::1]",
                           "[fd00:ec2::254]",
                           "[ff02::1]"}) {
    for (const std::string& url : {"http://" + std::string(host) + "/", "https://" + std::string(host) + ":8443/x"}) {
      const auto refused = parse_target(url, false);
      ASSERT_FALSE(refused) << url;
      EXPECT_EQ(refused.error().code, ErrorCode::Forbidden) << url;
      EXPECT_TRUE(parse_target(url, true)) << url;
    }
  }
  for (const char* host : {"1.1.1.1", "172.32.0.1", "192.169.0.1", "[2606:4700::1111]", "[::ffff:1.1.1.1]", "[64:ff9b::101:101]"}) {
    EXPECT_TRUE(parse_target("http://" + std::string(host) + "/", false)) << host;
  }
}

TEST(AWebhooksTarget, IsNoAddressInAnOddForm) {
  for (const char* host : {"2130706433", "0x7f000001", "017700000001", "127.1", "127.0.1", "0x7f.0.0.1", "0177.0.0.1", "127.0.0.01",
                           "127.0.0.0x1", "127.0.0.1.", "0", "[127.0.0.1]", "[::1", "[]", "[::1]x", "[localhost]"}) {
    for (const bool private_allowed : {false, true}) {
      const auto refused = parse_target("http://" + std::string(host) + "/", private_allowed);
      ASSERT_FALSE(refused) << host;
      EXPECT_EQ(refused.error().code, ErrorCode::BadInput) << host;
    }
  }
}

TEST(AWebhooksTarget, IsAnUrlThatNobodyReadsInAnotherWay) {
  for (const std::string& url : {std::string{},
                                 std::string{"example.org"},
                                 std::string{"//example.org/"},
                                 std::string{"ftp://example.org/"},
                                 std::string{"file:///etc/passwd"},
                                 std::string{"gopher://example.org/"},
                                 std::string{"HTTP://example.org/"},
                                 std::string{"http://"},
                                 std::string{"http:///x"},
                                 std::string{"http://:80/"},
                                 std::string{"http://user@example.org/"},
                                 std::string{"http://1.1.1.1@127.0.0.1/"},
                                 std::string{"http://127.0.0.1\\@example.org/"},
                                 std::string{"http://example.org\r\nX: y/"},
                                 std::string{"http://example.org/a b"},
                                 std::string{"http://example.org/\xc3\xa9"},
                                 std::string{"http://example.org:0/"},
                                 std::string{"http://example.org:65536/"},
                                 std::string{"http://127.0.0.1%00.example.org/"},
                                 std::string{"http://exa%6dple.org/"},
                                 std::string{"http://a,b/"},
                                 std::string{"http://example.org:80x/"},
                                 std::string{"http://example.org:/"},
                                 "http://example.org/" + std::string(2000, 'a')}) {
    const auto refused = parse_target(url, true);
    ASSERT_FALSE(refused) << url;
    EXPECT_EQ(refused.error().code, ErrorCode::BadInput) << url;
    EXPECT_EQ(refused.error().message.find('\n'), std::string::npos);
  }
}

TEST(AWebhook, DoesNotFollowANameToAPrivateAddress) {
  net::io_context context;
  Message message;
  message.url = "http://localhost:9/";
  std::optional<Result<void>> outcome;
  net::co_spawn(context, deliver(message, false), [&](std::exception_ptr failure, Result<void> result) {
    EXPECT_FALSE(failure);
    outcome = std::move(result);
  });
  context.run();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->error().code, ErrorCode::Forbidden);
}

TEST(AWebhook, IsSignedWithItsTimeAndItsNumber) {
  const auto headers = signature("key", "{}", 1'700'000'000, 7);
  const std::vector<std::pair<std::string, std::string>> expected{
      {"Lapse-Timestamp", "1700000000"},
      {"Lapse-Signature", "v1=eb67505832419b22d06e32ae4802c6d672bf4da73bc756c2b51f71ae6c49b437"},
      {"Lapse-Delivery", "7"}};
  EXPECT_EQ(headers, expected);
  for (const auto& other : {signature("key", "{}", 1'700'000'001, 7), signature("key", "{}", 1'700'000'000, 8),
                            signature("key", "[]", 1'700'000'000, 7), signature("kez", "{}", 1'700'000'000, 7)}) {
    EXPECT_NE(other[1], headers[1]);
  }
}

}  // namespace
}  // namespace lapse::serve::webhook
