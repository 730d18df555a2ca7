// One suite for every engine: what lapse/engine/abi.h promises, asked of each of them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
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
  std::string device{}, transfers{};  // empty: the engine's own choice, and that it has none
};

void PrintTo(const Candidate& candidate, std::ostream* stream) { *stream << candidate.label; }

std::string demo(const std::string& file) { return LAPSE_SOURCE_DIR "/models/demo/" + file; }

class EngineContract : public ::testing::TestWithParam<Candidate> {
 protected:
  void SetUp() override {
    if (!GetParam().device.empty()) {
      auto opened = device::open_timeline(GetParam().device);
      if (!opened) return refuse_device(opened.error().message);
      timeline_ = std::move(*opened);
    }
    const auto api = find_engine(GetParam().engine);
    if (!api) {
      // The presets without plug-ins (TSan) measure the built-in engines only; the test preset has all of them.
      if (std::getenv("LAPSE_TEST_ALL_ENGINES") != nullptr) FAIL() << api.error().message;
      GTEST_SKIP() << api.error().message;
    }
    auto opened = Engine::open(**api, {});
    ASSERT_TRUE(opened) << opened.error().message;
    engine_.emplace(std::move(*opened));
    if (!GetParam().device.empty() && (engine_->devices() + ",").find(GetParam().device + ",") == std::string::npos) {
      const std::string reason = engine_->library().string() + " runs on " + engine_->devices() + " only";
      if (!is_built_for_cuda(*engine_)) GTEST_SKIP() << reason << ": it is a build for the CPU";
      refuse_device(reason);
    }
  }

  // By what lies beside the library: both engines keep their CUDA half in a file of its own.
  static bool is_built_for_cuda(const Engine& engine) {
    const char* half = engine.name() == "torch" ? "libtorch_cuda.so" : "libonnxruntime_providers_cuda.so";
    return std::filesystem::exists(engine.library().parent_path() / half);
  }

  // An absent device skips the test with the reason, but where the person says that this machine has one.
  static void refuse_device(const std::string& reason) {
    if (std::getenv("LAPSE_TEST_GPU") != nullptr) FAIL() << reason;
    GTEST_SKIP() << reason;
  }

  Options load_options() const {
    Options options{{"threads", "1"}};
    if (GetParam().device.empty()) return options;
    options.emplace_back("device", GetParam().device);
    options.emplace_back("transfers", GetParam().transfers);
    options.emplace_back("streams", std::to_string(reinterpret_cast<std::uintptr_t>(timeline_->stream())));
    return options;
  }

  Session load() {
    auto session = engine_->load(GetParam().model, load_options());
    EXPECT_TRUE(session) << session.error().message;
    return std::move(*session);
  }

  device::Timeline& timeline_of(const Session& session) {
    if (!timeline_) timeline_ = std::move(*device::open_timeline(session.device()));
    return *timeline_;
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
    return finish(binding, timeline);
  }

  // Waits for what was submitted, and returns its output.
  static std::vector<std::byte> finish(Binding& binding, device::Timeline& timeline) {
    EXPECT_TRUE(timeline.synchronize());
    const auto outputs = binding.outputs();
    EXPECT_TRUE(outputs) << outputs.error().message;
    EXPECT_EQ(outputs->size(), 1u);
    const tensor::TensorView& output = outputs->front();
    EXPECT_EQ(output.bytes, *tensor::byte_size(output.dtype, output.shape));
    return {output.data, output.data + output.bytes};
  }

  std::optional<Engine> engine_;
  std::unique_ptr<device::Timeline> timeline_;
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

TEST_P(EngineContract, TellsItsTransfersAndIsStagedWhereTheyArePartOfAnInference) {
  const Session session = load();
  if (GetParam().device.empty()) GTEST_SKIP() << "has the host's memory only";
  EXPECT_EQ(session.device(), GetParam().device);
  EXPECT_EQ(session.transfers(), GetParam().transfers);
  EXPECT_EQ(session.staged(), GetParam().transfers != "none");
}

TEST_P(EngineContract, TheThreeStagesInOrderAreOneInference) {
  Session session = load();
  if (!session.staged()) GTEST_SKIP() << "one piece, and says so";
  device::Timeline& timeline = timeline_of(session);
  const auto data_a = input(1), data_b = input(2);
  Binding a = bind(session, data_a), b = bind(session, data_b);
  const auto whole = run(a, timeline);
  run(b, timeline);
  for (const lapse_stage stage : {LAPSE_STAGE_H2D, LAPSE_STAGE_FORWARD, LAPSE_STAGE_D2H}) {
    const lapse_status status = a.stage(stage, timeline.stream());
    ASSERT_EQ(status, LAPSE_OK) << a.error(status).message;
  }
  EXPECT_EQ(finish(a, timeline), whole);
}

TEST_P(EngineContract, GivesTheSameOutputForTheSameInput) {
  Session session = load();
  device::Timeline& timeline = timeline_of(session);
  const auto data = input(1);
  Binding binding = bind(session, data);
  const auto first = run(binding, timeline);
  EXPECT_FALSE(first.empty());
  EXPECT_EQ(run(binding, timeline), first);
}

TEST_P(EngineContract, KeepsTheOutputsOfTwoBindingsApart) {
  Session session = load();
  device::Timeline& timeline = timeline_of(session);
  const auto data_a = input(1), data_b = input(2);
  Binding a = bind(session, data_a), b = bind(session, data_b);
  const auto of_a = run(a, timeline);
  const auto of_b = run(b, timeline);
  EXPECT_NE(of_a, of_b);
  const auto still = a.outputs();
  ASSERT_TRUE(still);
  EXPECT_EQ(std::memcmp(still->front().data, of_a.data(), of_a.size()), 0);
}

// How batches that come one after the other go through one binding (lapse/pipeline).
TEST_P(EngineContract, ReadsItsInputsAnewAtEachSubmitFromWhereItSays) {
  Session session = load();
  if (session.transfers() == "none") GTEST_SKIP() << "its inputs lie on the device since they were bound";
  device::Timeline& timeline = timeline_of(session);
  const tensor::Tensor bound = input(1), other = input(2);
  Binding binding = bind(session, bound), reference = bind(session, other);
  const auto first = run(binding, timeline), wanted = run(reference, timeline);
  const auto inputs = binding.inputs();
  ASSERT_TRUE(inputs) << inputs.error().message;
  ASSERT_EQ(inputs->size(), 1u);
  ASSERT_EQ(inputs->front().size(), other.bytes());
  std::memcpy(inputs->front().data(), other.data(), other.bytes());
  EXPECT_EQ(run(binding, timeline), wanted);
  EXPECT_NE(first, wanted);
}

TEST_P(EngineContract, RunsBindingsInParallelIfItSaysSo) {
  Session session = load();
  if (!session.concurrent()) GTEST_SKIP() << "not concurrent, and says so";
  device::Timeline& timeline = timeline_of(session);
  const auto data_a = input(1), data_b = input(2);
  Binding a = bind(session, data_a), b = bind(session, data_b);
  const auto of_a = run(a, timeline), of_b = run(b, timeline);
  const auto repeat = [&](Binding& binding, const std::vector<std::byte>& expected) {
    for (int i = 0; i < 20; ++i) EXPECT_EQ(run(binding, timeline), expected);
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
  device::Timeline& timeline = timeline_of(session);
  const auto wrong = *tensor::Tensor::make(tensor::DType::Float32, {2, 3, 5});
  const tensor::TensorView view = wrong.view();
  auto binding = session.bind({&view, 1});
  if (!binding) {
    EXPECT_EQ(binding.error().code, ErrorCode::BadInput) << binding.error().message;
    return;
  }
  const lapse_status status = binding->submit(timeline.stream());
  ASSERT_NE(status, LAPSE_OK);
  EXPECT_EQ(binding->error(status).code, ErrorCode::BadInput) << binding->error(status).message;
}

TEST_P(EngineContract, SurvivesAFailureAndGoesOnWorking) {
  Session session = load();
  device::Timeline& timeline = timeline_of(session);
  EXPECT_FALSE(session.bind({}));
  const auto data = input(1);
  Binding binding = bind(session, data);
  EXPECT_FALSE(run(binding, timeline).empty());
}

TEST_P(EngineContract, RefusesAnUnknownOptionByName) {
  const auto session = engine_->load(GetParam().model, {{"no_such_option", "1"}});
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, ErrorCode::BadInput);
  EXPECT_THAT(session.error().message, ::testing::HasSubstr("no_such_option"));
}

TEST_P(EngineContract, RefusesADeviceThatItDoesNotHave) {
  for (const char* device : {"abacus", "cuda:200"}) {
    const auto session = engine_->load(GetParam().model, {{"device", device}});
    ASSERT_FALSE(session) << device;
    EXPECT_EQ(session.error().code, ErrorCode::DeviceUnusable) << session.error().message;
  }
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
                                           Candidate{"sim_staged", "sim", "device=100us,h2d=20us,d2h=20us", {2, 4}, true},
                                           Candidate{"onnxruntime", "onnxruntime", demo("model.onnx"), {1, 1, 96, 96}, false},
                                           Candidate{"torch", "torch", demo("model.pt"), {1, 1, 96, 96}, false}),
                         [](const auto& candidate) { return candidate.param.label; });

// The models that run on the host above, on the first CUDA device.
std::vector<Candidate> cuda_candidates() {
  std::vector<Candidate> candidates;
  for (const char* transfers : {"pinned", "pageable", "none"}) {
    for (const auto& [engine, model] : {std::pair{"onnxruntime", "model.onnx"}, std::pair{"torch", "model.pt"}}) {
      candidates.push_back({std::string(engine) + "_" + transfers, engine, demo(model), {1, 1, 96, 96}, true, "cuda:0", transfers});
    }
  }
  return candidates;
}

INSTANTIATE_TEST_SUITE_P(Cuda, EngineContract, ::testing::ValuesIn(cuda_candidates()),
                         [](const auto& candidate) { return candidate.param.label; });

}  // namespace
}  // namespace lapse::engine
