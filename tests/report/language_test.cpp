#include <gtest/gtest.h>

#include <cstdlib>
#include <lapse/report/render.hpp>

namespace lapse::report {
namespace {

/// Sets the three variables that decide, and puts them back.
class Environment : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) unsetenv(name);
  }
  void TearDown() override { SetUp(); }
};
using LanguageOfEnvironment = Environment;

TEST_F(LanguageOfEnvironment, IsEnglishWhenNothingIsSaid) { EXPECT_EQ(language_of_environment(), Language::English); }

TEST_F(LanguageOfEnvironment, IsKoreanInAKoreanLocale) {
  setenv("LANG", "ko_KR.UTF-8", 1);
  EXPECT_EQ(language_of_environment(), Language::Korean);
}

TEST_F(LanguageOfEnvironment, FollowsTheStrongestVariableThatIsNotEmpty) {
  setenv("LANG", "ko_KR.UTF-8", 1);
  setenv("LC_ALL", "", 1);
  EXPECT_EQ(language_of_environment(), Language::Korean);
  setenv("LC_MESSAGES", "de_DE.UTF-8", 1);
  EXPECT_EQ(language_of_environment(), Language::English);
  setenv("LC_ALL", "ko_KR.UTF-8", 1);
  EXPECT_EQ(language_of_environment(), Language::Korean);
}

TEST(ParseLanguage, KnowsTwo) {
  EXPECT_EQ(parse_language("en"), Language::English);
  EXPECT_EQ(parse_language("ko"), Language::Korean);
}

TEST(ParseLanguage, NamesTheTwoWhenItIsAnother) {
  const auto language = parse_language("fr");
  ASSERT_FALSE(language);
  EXPECT_EQ(language.error().code, ErrorCode::BadInput);
  EXPECT_EQ(language.error().message, "'fr' is not a language of lapse");
  EXPECT_EQ(language.error().hint, "write en or ko");
}

}  // namespace
}  // namespace lapse::report
