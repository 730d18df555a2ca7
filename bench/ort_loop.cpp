// lapse's median beside the one of a loop written by hand over the very same ONNX Runtime session.
//   bench_ort_loop RESULT.json THREADS FOLDER…      (each a model.onnx with test data)

#include <filesystem>
#include <lapse/measure/inputs.hpp>
#include <lapse/measure/run.hpp>
#include <lapse/measure/session_subject.hpp>

#include "engines/onnxruntime/plugin.hpp"
#include "paired.hpp"

namespace {

using namespace lapse;
namespace ort = plugin::onnxruntime;

// Short rounds and many: a shared machine changes its speed within seconds, and what both sides meet alike cancels out.
constexpr int kRounds = 201;
constexpr Duration kRoundTime = std::chrono::milliseconds{120};

// What people write: one input value, Run, two readings of the clock.
class HandWritten {
 public:
  HandWritten(ort::NativeSession native, const engine::Session& session, const measuring::InputSet& data) : native_(native) {
    const OrtApi& api = *native_.api;
    OrtMemoryInfo* memory = nullptr;
    check(api.CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, &memory));
    for (std::size_t i = 0; i < data.inputs.size(); ++i) {
      const tensor::Tensor& input = data.inputs[i];
      const auto type = input.dtype() == tensor::DType::Int64 ? ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64 : ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
      OrtValue* value = nullptr;
      check(api.CreateTensorWithDataAsOrtValue(memory, const_cast<std::byte*>(input.data()), input.bytes(), input.shape().data(),
                                               input.shape().size(), type, &value));
      values_.push_back(value);
      input_names_.push_back(session.inputs()[i].name.c_str());
    }
    for (const engine::Port& port : session.outputs()) output_names_.push_back(port.name.c_str());
    api.ReleaseMemoryInfo(memory);
  }

  double median(std::size_t runs) {
    const OrtApi& api = *native_.api;
    std::vector<double> times;
    std::vector<OrtValue*> outputs(output_names_.size());
    for (std::size_t i = 0; i < runs; ++i) {
      const auto start = std::chrono::steady_clock::now();
      OrtStatus* status = api.Run(native_.session, nullptr, input_names_.data(), values_.data(), values_.size(), output_names_.data(),
                                  output_names_.size(), outputs.data());
      const auto end = std::chrono::steady_clock::now();
      check(status);
      for (OrtValue*& output : outputs) api.ReleaseValue(std::exchange(output, nullptr));
      times.push_back(static_cast<double>((end - start).count()));
    }
    return bench::Paired::median(std::move(times));
  }

 private:
  static void check(const OrtStatus* status) {
    if (status != nullptr) std::abort();
  }
  ort::NativeSession native_;
  std::vector<const OrtValue*> values_;
  std::vector<const char*> input_names_, output_names_;
};

nlohmann::json compare(engine::Engine& engine, const std::filesystem::path& folder, const std::string& threads) {
  auto session = engine.load((folder / "model.onnx").string(), {{"threads", threads}}).value();
  auto inputs = measuring::read_test_data(folder, session).value();
  inputs.sets.erase(inputs.sets.begin() + 1, inputs.sets.end());  // the loop by hand knows one set
  const auto timeline = device::open_timeline("cpu").value();
  auto subject = measuring::SessionSubject::make(session, *timeline, inputs, 1).value();
  HandWritten by_hand{ort::native(session.handle()), session, inputs.sets.front()};

  const double first = by_hand.median(5);
  measuring::Plan plan;
  plan.warmup = 0;
  plan.precision = 1e-9;  // never reached: both sides do the same number of runs
  plan.max_runs = std::max<std::size_t>(3, static_cast<std::size_t>(static_cast<double>(kRoundTime.count()) / first));
  const auto ours = [&] {
    const auto measured = measuring::run(subject, plan).value();
    std::vector<double> times;
    for (const measuring::Sample& sample : measured.samples) times.push_back(static_cast<double>(sample.end_to_end.count()));
    return bench::Paired::median(std::move(times));
  };
  const bench::Paired paired = bench::take_turns(kRounds, ours, [&] { return by_hand.median(plan.max_runs); });
  const auto ratio = paired.ratio();
  fmt::print("{}: lapse {}, by hand {}, ratio {:.4f} [{:.4f}, {:.4f}] over {} rounds of {} runs, {} thread(s)\n",
             folder.filename().string(), format_nanoseconds(bench::Paired::median(paired.ours)),
             format_nanoseconds(bench::Paired::median(paired.theirs)), ratio.value, ratio.low, ratio.high, kRounds, plan.max_runs, threads);
  return bench::to_json(paired);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return fmt::print(stderr, "usage: bench_ort_loop RESULT.json THREADS FOLDER…\n"), 2;
  auto engine = engine::Engine::open(ort::table(), {});
  if (!engine) return fmt::print(stderr, "{}\n", engine.error().message), 3;
  nlohmann::json results;
  for (int i = 3; i < argc; ++i) {
    const std::filesystem::path folder = argv[i];
    results[folder.filename().string()] = compare(*engine, folder, argv[2]);
  }
  bench::save(argv[1], results);
}
