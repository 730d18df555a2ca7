// ONNX Runtime and LibTorch on the same real models (models/make_zoo.py): do they give the same answers?

#include <gtest/gtest.h>

#include <filesystem>
#include <lapse/measure/answer.hpp>
#include <lapse/measure/model.hpp>

namespace lapse::measuring {
namespace {

constexpr double kAgreement = 1e-3;

class Zoo : public ::testing::TestWithParam<const char*> {};

PreparedModel prepare(const std::string& engine, const char* name) {
  ModelRequest request;
  request.model = std::string(LAPSE_SOURCE_DIR "/models/zoo/") + name;
  request.engine = engine;
  request.threads = 2;
  auto model = prepare_model(request);
  if (!model) {
    ADD_FAILURE() << model.error().message << " (models/make_zoo.py --out models/zoo makes the models)";
    return {};
  }
  return std::move(*model);
}

TEST_P(Zoo, BothEnginesAgreeWithEachOtherAndWithPyTorch) {
  PreparedModel onnx = prepare("onnxruntime", GetParam()), torch = prepare("torch", GetParam());
  ASSERT_TRUE(onnx.subject && torch.subject);
  ASSERT_EQ(onnx.subject->sets(), torch.subject->sets());
  for (PreparedModel* model : {&onnx, &torch}) {
    const auto answer = check_answer(*model->subject, model->session->outputs(), *model->inputs, {0.0, kAgreement});
    ASSERT_TRUE(answer) << model->engine->name() << ": " << answer.error().message;
    EXPECT_EQ(answer->verdict, Answer::Verdict::Correct);
  }
  for (std::size_t set = 0; set < onnx.subject->sets(); ++set) {
    const auto ours = onnx.subject->infer(set), theirs = torch.subject->infer(set);
    ASSERT_TRUE(ours && theirs);
    ASSERT_EQ(ours->size(), theirs->size());
    for (std::size_t i = 0; i < ours->size(); ++i) {
      const double difference = tensor::largest_difference((*ours)[i], (*theirs)[i]);
      EXPECT_LE(difference, kAgreement) << "output " << i << " of input set " << set;
      RecordProperty("largest_difference", std::to_string(difference));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Zoo, ::testing::Values("resnet50", "resnet18", "mobilenet_v2", "encoder", "decoder", "espcn"),
                         [](const auto& model) { return std::string(model.param); });

}  // namespace
}  // namespace lapse::measuring
