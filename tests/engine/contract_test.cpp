// One suite for every engine: what lapse/engine/abi.h promises, asked of each of them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <lapse/device/timeline.hpp>
#include <lapse/engine/catalogue.hpp>
#include <lapse/engine/session.hpp>
#include <lapse/tensor/fill.hpp>
#include <thread>

namespace lapse::engine {
namespace {

struct Candidate {
  std::string label, engine, model;
  tensor::Shape shape;
  bool asynchronous;
};

void PrintTo(const Candidate& candidate, std::ostream* stream) { *stream << candidate.label; }

std::string demo(const std::string& file) { return LAPSE_SOURCE_DIR "/models/demo/" + file; }

class EngineContract : public ::testing::TestWithParam<Candidate> {
 protected:
  void SetUp() override {
    const auto api = find_engine(GetParam().engine);
    if (!api) {
      // The presets without plug-ins (TSan) measure the built-in engines only; the test preset has all of them.
      if (std::getenv("LAPSE_TEST_ALL_ENGINES") != nullptr) FAIL() << api.error().message;
      GTEST_SKIP() << api.error().message;
    }
    auto opened = Engine::open(**api, {});
    ASSERT_TRUE(opened) << opened.error().message;
    engine_.emplace(std::move(*opened));
  }

  Session load(const Options& options = {{"threads", "1"}}) {
    auto session = engine_->load(GetParam().model, options);
    EXPECT_TRUE(session) << session.error().message;
    return std::move(*session);
  }

  static tensor::Tensor input(std::uint64_t seed) {
    auto tensor = tensor::Tensor::make(tensor::DType::Float32, GetParam().shape);
    EXPECT_TRUE(tensor);
    EXPECT_TRUE(tensor::fill(*tensor, {}, seed));
    return std::move(*tensor);
  }

  static Binding bind(Session& session, const tensor::Tensor& input) {
    const tensor::TensorView view = input.view();
    auto binding = session.bind({&view, 1});
    EXPECT_TRUE(binding) << binding.error().message;
    return std::move(*binding);
  }

  static std::vector<std::byte> run(Binding& binding, device::Timeline& timeline) {
    const lapse_status status = binding.submit(timeline.stream());
    EXPECT_EQ(status, LAPSE_OK) << binding.error(status).message;
    EXPECT_TRUE(timeline.synchronize());
    const auto outputs = binding.outputs();
    EXPECT_TRUE(outputs) << outputs.error().message;
    EXPECT_EQ(outputs->size(), 1u);
    const tensor::TensorView& output = outputs->front();
    EXPECT_EQ(output.bytes, *tensor::byte_size(output.dtype, output.shape));
    return {output.data, output.data + output.bytes};
  }

  std::optional<Engine> engine_;
};

TEST_P(EngineContract, TellsItsVersionAndDevices) {
  EXPECT_EQ(engine_->name(), GetParam().engine);
  EXPECT_FALSE(engine_->version().empty());
  EXPECT_FALSE(engine_->devices().empty());
}

TEST_P(EngineContract, TellsTheSignatureAndWhetherItBlocks) {
  const Session session = load();
  ASSERT_EQ(session.inputs().size(), 1u);
  EXPECT_EQ(session.inputs()[0].name, "x");
  EXPECT_EQ(session.asynchronous(), GetParam().asynchronous);
  EXPECT_TRUE(device::open_timeline(session.device()));
}

TEST_P(EngineContract, GivesTheSameOutputForTheSameInput) {
  Session session = load();
  const auto timeline = std::move(*device::open_timeline(session.device()));
  const auto data = input(1);
  Binding binding = bind(session, data);
  const auto first = run(binding, *timeline);
  EXPECT_FALSE(first.empty());
  EXPECT_EQ(run(binding, *timeline), first);
}

TEST_P(EngineContract, KeepsTheOutputsOfTwoBindingsApart) {
  Session session = load();
  const auto timeline = std::move(*device::open_timeline(session.device()));
  const auto data_a = input(1), data_b = input(2);
  Binding a = bind(session, data_a), b = bind(session, data_b);
  const auto of_a = run(a, *timeline);
  const auto of_b = run(b, *timeline);
  EXPECT_NE(of_a, of_b);
  const auto still = a.outputs();
  ASSERT_TRUE(still);
  EXPECT_EQ(std::memcmp(still->front().data, of_a.data(), of_a.size()), 0);
}

TEST_P(EngineContract, RunsBindingsInParallelIfItSaysSo) {
  Session session = load();
  if (!session.concurrent()) GTEST_SKIP() << "not concurrent, and says so";
  const auto timeline = std::move(*device::open_timeline(session.device()));
  const auto data_a = input(1), data_b = input(2);
  Binding a = bind(session, data_a), b = bind(session, data_b);
  const auto of_a = run(a, *timeline), of_b = run(b, *timeline);
  const auto repeat = [&](Binding& binding, const std::vector<std::byte>& expected) {
    for (int i = 0; i < 20; ++i) EXPECT_EQ(run(binding, *timeline), expected);
  };
  std::thread other{[&] { repeat(b, of_b); }};
  repeat(a, of_a);
  other.join();
}

TEST_P(EngineContract, RefusesTheWrongNumberOfInputs) {
  Session session = load();
  const auto binding = session.bind({});
  ASSERT_FALSE(binding);
  EXPECT_EQ(binding.error().code, ErrorCode::BadInput);
  EXPECT_FALSE(binding.error().message.empty());
}

TEST_P(EngineContract, RefusesAShapeThatDoesNotFitAtBindOrAtSubmit) {
  Session session = load();
  const auto timeline = std::move(*device::open_timeline(session.device()));
  const auto wrong = *tensor::Tensor::make(tensor::DType::Float32, {2, 3, 5});
  const tensor::TensorView view = wrong.view();
  auto binding = session.bind({&view, 1});
  if (!binding) {
    EXPECT_EQ(binding.error().code, ErrorCode::BadInput) << binding.error().message;
    return;
  }
  const lapse_status status = binding->submit(timeline->stream());
  ASSERT_NE(status, LAPSE_OK);
  EXPECT_EQ(binding->error(status).code, ErrorCode::BadInput) << binding->error(status).message;
}

TEST_P(EngineContract, SurvivesAFailureAndGoesOnWorking) {
  Session session = load();
  const auto timeline = std::move(*device::open_timeline(session.device()));
  EXPECT_FALSE(session.bind({}));
  const auto data = input(1);
  Binding binding = bind(session, data);
  EXPECT_FALSE(run(binding, *timeline).empty());
}

TEST_P(EngineContract, RefusesAnUnknownOptionByName) {
  const auto session = engine_->load(GetParam().model, {{"no_such_option", "1"}});
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, ErrorCode::BadInput);
  EXPECT_THAT(session.error().message, ::testing::HasSubstr("no_such_option"));
}

TEST_P(EngineContract, RefusesADeviceThatItDoesNotHave) {
  const auto session = engine_->load(GetParam().model, {{"device", "abacus"}});
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, ErrorCode::DeviceUnusable) << session.error().message;
}

TEST_P(EngineContract, RefusesAModelThatIsNone) {
  const auto session = engine_->load("no such model", {{"threads", "1"}});
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, ErrorCode::BadModel) << session.error().message;
  EXPECT_FALSE(session.error().message.empty());
}

INSTANTIATE_TEST_SUITE_P(Engines, EngineContract,
                         ::testing::Values(Candidate{"null", "null", "", {2, 4}, false},
                                           Candidate{"sim", "sim", "submit=10us,device=100us", {2, 4}, true},
                                           Candidate{"sim_blocking", "sim", "device=100us,blocking=1", {2, 4}, false},
                                           Candidate{"sim_virtual", "sim", "submit=50us,device=5ms,time=virtual", {2, 4}, true},
                                           Candidate{"onnxruntime", "onnxruntime", demo("model.onnx"), {1, 1, 96, 96}, false},
                                           Candidate{"torch", "torch", demo("model.pt"), {1, 1, 96, 96}, false}),
                         [](const auto& candidate) { return candidate.param.label; });

}  // namespace
}  // namespace lapse::engine
