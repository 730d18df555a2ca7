// What the models folder is read as.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <jobs/stores.hpp>
#include <lapse/serve/dispatch/repository.hpp>
#include <lapse/serve/dispatch/settings.hpp>

namespace lapse::serve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Repository : public ::testing::Test {
 protected:
  void file(const std::string& name, const std::string& text = "x") {
    std::filesystem::create_directories(std::filesystem::path{folder_ / name}.parent_path());
    std::ofstream{folder_ / name} << text;
  }
  std::vector<std::string> names() {
    std::vector<std::string> result;
    const auto scan = *scan_models(folder_.path());
    for (const ModelFile& model : scan.models) result.push_back(model.name + "/" + model.version);
    return result;
  }
  jobs::Folder folder_;
};

TEST_F(Repository, AllLayoutsAreFoundAndVersionsAreOrderedAsNumbers) {
  file("a.onnx");
  file("b.pt");
  file("c/model.onnx");
  file("c/test_data_set_0/input_0.pb");
  file("d/2/model.pt");
  file("d/10/model.onnx");
  file("d/010/model.onnx");
  file("d/0/model.onnx");
  file("e.json", R"({"model": "sim:device=5ms"})");
  file("f/lapse.json", R"({"model": "null"})");
  file("README.md");
  file(".git/model.onnx");
  EXPECT_THAT(names(), ElementsAre("a/1", "b/1", "c/1", "d/2", "d/10", "e/1", "f/1"));
}

TEST_F(Repository, NamesThatCanNotStandInAPathAreSkippedAndSaid) {
  file("a b.onnx");
  file(std::string(65, 'n') + ".onnx");
  file("ü.onnx");
  const auto scan = *scan_models(folder_.path());
  EXPECT_THAT(scan.models, IsEmpty());
  EXPECT_EQ(scan.skipped.size(), 3U);
}

TEST_F(Repository, WrongSettingsMakeThatModelUnavailableAndNoOther) {
  file("a.onnx");
  file("a.json", R"({"threads": "many"})");
  file("b.onnx");
  const auto scan = *scan_models(folder_.path());
  ASSERT_EQ(scan.models.size(), 2U);
  EXPECT_THAT(scan.models[0].problem, HasSubstr("threads"));
  EXPECT_TRUE(scan.models[1].problem.empty());
}

TEST_F(Repository, AChangeOfFileOrSettingsChangesTheStamp) {
  file("a.onnx");
  const auto stamp = [&] { return scan_models(folder_.path())->models.at(0).stamp; };
  const std::string first = stamp();
  EXPECT_EQ(stamp(), first);
  file("a.onnx", "longer");
  const std::string second = stamp();
  EXPECT_NE(second, first);
  file("a.json", "{}");
  EXPECT_NE(stamp(), second);
}

TEST_F(Repository, AChangeOfWeightsBesideTheModelChangesItsStampAndNoOthers) {
  file("a.onnx");
  file("a.onnx.data", "weights");
  file("b/1/model.onnx");
  file("b/1/weights.bin", "weights");
  file("b/2/model.onnx");
  const auto stamps = [&] {
    std::vector<std::string> result;
    const auto scan = *scan_models(folder_.path());
    for (const ModelFile& model : scan.models) result.push_back(model.stamp);
    return result;
  };
  const auto before = stamps();
  ASSERT_EQ(before.size(), 3U);
  file("a.onnx.data", "other weights");
  EXPECT_NE(stamps()[0], before[0]);
  file("b/1/weights.bin", "other weights");
  EXPECT_NE(stamps()[1], before[1]);
  EXPECT_EQ(stamps()[2], before[2]);
}

TEST_F(Repository, AFileThatIsBeingCopiedIsTakenWhenItHasSettled) {
  Settled settled;
  file("a.onnx", "a");
  const auto look = [&] {
    std::vector<std::pair<std::string, std::string>> taken;
    for (const auto scan = settled.take(*scan_models(folder_.path())); const ModelFile& model : scan.models) {
      taken.emplace_back(model.name, model.stamp);
    }
    return taken;
  };
  const auto first = look();
  EXPECT_EQ(first.size(), 1U) << "there is no waiting at the start";
  file("b.onnx", "half");
  file("a.onnx", "another a");
  EXPECT_EQ(look(), first);
  file("b.onnx", "half and half");
  const auto second = look();
  ASSERT_EQ(second.size(), 1U);
  EXPECT_NE(second, first) << "a has settled";
  EXPECT_EQ(look().size(), 2U);
  std::filesystem::remove(folder_ / "a.onnx");
  const auto last = look();
  ASSERT_EQ(last.size(), 1U);
  EXPECT_EQ(last[0].first, "b");
}

TEST_F(Repository, LinksAreFollowedAndBrokenOnesAreNot) {
  file("elsewhere/x/model.onnx");
  std::filesystem::create_directory(folder_ / "models");
  std::filesystem::create_directory_symlink(folder_ / "elsewhere/x", folder_ / "models/linked");
  std::filesystem::create_symlink(folder_ / "nowhere", folder_ / "models/broken.onnx");
  const auto scan = *scan_models(folder_ / "models");
  ASSERT_EQ(scan.models.size(), 1U);
  EXPECT_EQ(scan.models[0].name, "linked");
}

TEST_F(Repository, AFolderThatIsNotThereIsAnError) { EXPECT_EQ(scan_models(folder_ / "nowhere").error().code, ErrorCode::Unavailable); }

TEST(Settings, EveryKeyIsRead) {
  const auto settings = parse_settings(R"({"engine": "e", "device": "cuda:0", "threads": 2, "instances": 3, "max_batch": 8,
    "max_delay_ms": 2.5, "timeout_seconds": 7, "max_waiting": 9, "finite_inputs": true, "engine_options": {"k": "v"}, "model": "null",
    "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 4]}], "outputs": [{"name": "y"}]})");
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->engine, "e");
  EXPECT_EQ(settings->device, "cuda:0");
  EXPECT_EQ(settings->threads, 2);
  EXPECT_EQ(settings->instances, 3);
  EXPECT_EQ(settings->max_batch, 8);
  EXPECT_EQ(settings->max_delay, std::chrono::microseconds{2500});
  EXPECT_EQ(settings->timeout, std::chrono::seconds{7});
  EXPECT_EQ(settings->max_waiting, 9U);
  EXPECT_TRUE(settings->finite);
  EXPECT_THAT(settings->engine_options, ElementsAre(std::pair<std::string, std::string>{"k", "v"}));
  EXPECT_EQ(settings->model, "null");
  EXPECT_EQ(settings->declared.inputs.at(0).shape, (tensor::Shape{-1, 4}));
  EXPECT_EQ(settings->declared.outputs.at(0).name, "y");
}

TEST(Settings, WhatIsWrongIsRefusedByName) {
  for (const auto& [json, word] : std::vector<std::pair<std::string, std::string>>{
           {"[]", "no JSON object"},
           {"{", "no JSON object"},
           {R"({"max_bach": 1})", "max_bach"},
           {R"({"max_batch": 0})", "max_batch"},
           {R"({"max_batch": 1e30})", "max_batch"},
           {R"({"threads": 18446744073709551615})", "threads"},
           {R"({"max_delay_ms": -1})", "max_delay_ms"},
           {R"({"max_delay_ms": 1e300})", "max_delay_ms"},
           {R"({"timeout_seconds": "1"})", "timeout_seconds"},
           {R"({"finite_inputs": 1})", "finite_inputs"},
           {R"({"engine_options": {"a": 1}})", "engine_options"},
           {R"({"inputs": {}})", "inputs"},
           {R"({"inputs": [{"shape": [-2]}]})", "shape"},
           {R"({"inputs": [{"datatype": "FP33"}]})", "FP33"},
       }) {
    const auto settings = parse_settings(json);
    ASSERT_FALSE(settings) << json;
    EXPECT_THAT(settings.error().message, HasSubstr(word));
  }
}

}  // namespace
}  // namespace lapse::serve
