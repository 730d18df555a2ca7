#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <lapse/engine/catalogue.hpp>

namespace lapse::engine {
namespace {

using ::testing::HasSubstr;

std::string built(const std::string& name) { return LAPSE_BINARY_DIR "/tests/" + name; }

TEST(LoadPlugin, RefusesAPluginOfAnotherVersionOfTheInterface) {
  const auto api = load_plugin(built("plugin_of_another_abi.so"));
  ASSERT_FALSE(api);
  EXPECT_EQ(api.error().code, ErrorCode::EngineUnusable);
  EXPECT_THAT(api.error().message, HasSubstr("speaks version 2"));
}

TEST(LoadPlugin, RefusesALibraryThatIsNoPlugin) {
  const auto api = load_plugin(built("plugin_without_entry.so"));
  ASSERT_FALSE(api);
  EXPECT_EQ(api.error().code, ErrorCode::EngineUnusable);
  EXPECT_THAT(api.error().message, HasSubstr("not an engine plug-in"));
}

TEST(LoadPlugin, RefusesAFileThatIsNoLibraryAndOneThatIsNotThere) {
  const auto text = load_plugin(LAPSE_SOURCE_DIR "/README.md");
  ASSERT_FALSE(text);
  EXPECT_THAT(text.error().message, HasSubstr("can't be loaded"));
  const auto absent = load_plugin("/nowhere/lapse-engine-x.so");
  ASSERT_FALSE(absent);
  EXPECT_THAT(absent.error().message, HasSubstr("no such file"));
}

TEST(FindEngine, KnowsTheBuiltInOnesAndNamesAllWhenAskedForAnother) {
  EXPECT_STREQ((*find_engine("null"))->name, "null");
  EXPECT_STREQ((*find_engine("sim"))->name, "sim");
  const auto unknown = find_engine("tensorflow");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::BadUse);
  EXPECT_THAT(unknown.error().hint, HasSubstr("null"));
}

TEST(EngineFor, SaysWhenNoEngineTakesAFile) {
  const auto api = engine_for("model.docx");
  ASSERT_FALSE(api);
  EXPECT_EQ(api.error().code, ErrorCode::BadUse);
}

TEST(Catalogue, ListsTheBuiltInEnginesAndTheAbsentOnesWithARemedy) {
  const auto entries = catalogue();
  for (const std::string name : {"null", "sim", "onnxruntime", "torch"}) {
    const auto entry = std::ranges::find(entries, name, &CatalogueEntry::name);
    ASSERT_NE(entry, entries.end()) << name;
    if (!entry->api) {
      EXPECT_FALSE(entry->api.error().hint.empty()) << name;
    }
  }
}

}  // namespace
}  // namespace lapse::engine
