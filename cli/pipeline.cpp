#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <lapse/image/picture_batches.hpp>
#include <lapse/measure/model.hpp>
#include <lapse/pipeline/overlap.hpp>
#include <lapse/report/html.hpp>
#include <lapse/report/json_parts.hpp>
#include <lapse/report/overlap.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/command.hpp"
#include "cli/console.hpp"
#include "cli/model_options.hpp"
#include "cli/output_forms.hpp"
#include "cli/photo_files.hpp"

namespace lapse::cli {
namespace {

constexpr const char* kFooter =
    "The same batches go through the model in two ways, in turns: synchronous, where each waits for the last,\n"
    "and asynchronous, where the CPU prepares the next ones while the device works. The bound is what the\n"
    "slowest stage alone would take: no pipeline is faster. The outputs of both ways are compared.\n"
    "\n"
    "A picture that can't be read is left out and counted, and its batch goes on; --strict ends there.\n"
    "\n"
    "Examples:\n"
    "  lapse pipeline resnet18.onnx --images photos/ --batch 8 --threads 1 --html overlap.html\n"
    "  lapse pipeline model.onnx --synthetic 400 --batch 8 --cpu-time 5ms --trace out.json\n"
    "  lapse pipeline 'sim:device=5ms,h2d=1ms,d2h=1ms' --cpu-time 5ms";

constexpr std::size_t kBatches = 50;  // of a round of made-up data, where nobody says how many items

struct Options {
  std::string model;
  std::vector<std::string> images;
  std::size_t synthetic = 0, batches = 0, resize = 256;
  std::string cpu_time = "0s", budget = "0s";
  std::vector<float> mean, deviation;
  bool strict = false;
  pipeline::OverlapPlan plan{.rounds = 6};
  EngineOptions engine;
  InputOptions inputs;
  OutputForms outputs;

  void add_to(CLI::App& command) {
    command.add_option("MODEL", model, "Model file, null, or sim:SETTINGS")->required()->type_name("");
    const auto option = [&](const char* name, auto& value, const char* type, const char* text, const char* group) {
      return command.add_option(name, value, text)->type_name(type)->group(group);
    };
    const char* const data = "Batches";
    option("--images", images, "PATH...", "Pictures, or folders with pictures", data);
    option("--synthetic", synthetic, "N", "Made-up items in a round instead of pictures (default: 50 batches)", data)
        ->check(number_between(1, 1e8));
    option("--batches", batches, "N", "Batches in a round (default: every item once)", data)->check(number_between(1, 1e7));
    option("--cpu-time", cpu_time, "TIME", "Keep a CPU busy for this long with each made-up batch (default: 0s)", data);
    option("--resize", resize, "N", "Shorter side of a picture before its middle is cut out (default: 256)", data)
        ->check(number_between(1, 16384));
    option("--mean", mean, "R G B", "Subtracted from the channels, 0 to 1 (default: that of ImageNet)", data)->expected(3)->delimiter(',');
    option("--std", deviation, "R G B", "The channels are divided by it (default: that of ImageNet)", data)->expected(3)->delimiter(',');
    command.add_flag("--strict", strict, "End at the first picture that can't be read")->group(data);
    const char* const way = "Overlap";
    option("--rounds", plan.rounds, "N", "Rounds of each way; an interval needs 6 (default: 6)", way)->check(number_between(1, 1000));
    option("--budget", budget, "TIME", "Begin no further round after this time; 0s: none (default: 0s)", way);
    option("--workers", plan.workers, "N", "Threads that prepare batches (default: 1)", way)->check(number_between(1, 256));
    option("--depth", plan.depth, "N", "Batches that wait between two stages at the most (default: 2)", way)
        ->check(number_between(1, 1024));
    option("--in-flight", plan.in_flight, "N", "Batches on an asynchronous device at once (default: 2)", way)->check(number_between(1, 64));
    inputs.add_to(command);
    engine.add_to(command);
    outputs.add(command, "--json", "Everything (docs/json.md); - is stdout instead of the text");
    outputs.add(command, "--trace", "Every batch in Chrome's trace format, for ui.perfetto.dev");
    outputs.add(command, "--html", "A page with the figure, which opens from disk");
    command.footer(kFooter);
  }
};

/// Made-up batches of `total` items in all: the prepared inputs, copied, and a processor kept busy for a known time.
pipeline::Prepare made_up(const measuring::Inputs& inputs, Duration cpu_time, std::size_t total) {
  const auto items = static_cast<std::size_t>(inputs.batch);
  return [&inputs, cpu_time, items, total](std::size_t batch, pipeline::BatchInputs to) -> Result<std::vector<bool>> {
    const auto until = std::chrono::steady_clock::now() + cpu_time;
    const measuring::InputSet& set = inputs.sets[batch % inputs.sets.size()];
    for (std::size_t i = 0; i < to.size(); ++i) {
      if (!to[i].empty()) std::memcpy(to[i].data(), set.inputs[i].data(), to[i].size());
    }
    while (std::chrono::steady_clock::now() < until) {
    }
    std::vector<bool> there(items, true);
    const std::size_t left = total - batch * items % total;  // in the last batch some may be missing, as with pictures
    std::fill(there.begin() + static_cast<std::ptrdiff_t>(std::min(left, items)), there.end(), false);
    return there;
  };
}

Result<image::Preprocessing> preprocessing_for(const std::vector<tensor::Tensor>& inputs, const Options& options) {
  const bool fits = inputs.size() == 1 && inputs.front().dtype() == tensor::DType::Float32 && inputs.front().shape().size() == 4 &&
                    inputs.front().shape()[1] == 3;
  if (!fits) {
    return fail(ErrorCode::BadInput, "this model does not take pictures: one float32 input of N x 3 x H x W is expected",
                "leave --images out: made-up data of the right shape is used then");
  }
  image::Preprocessing result;
  result.height = static_cast<std::size_t>(inputs.front().shape()[2]);
  result.width = static_cast<std::size_t>(inputs.front().shape()[3]);
  result.resize_shorter = std::max({options.resize, result.height, result.width});
  if (!options.mean.empty()) std::ranges::copy(options.mean, result.mean.begin());
  if (!options.deviation.empty()) std::ranges::copy(options.deviation, result.deviation.begin());
  if (std::ranges::any_of(result.deviation, [](float value) { return !(value > 0); })) {
    return fail(ErrorCode::BadUse, "--std: every channel is divided by it, so it has to be above 0");
  }
  return result;
}

std::string progress_line(const pipeline::OverlapProgress& now, const pipeline::OverlapPlan& plan, report::Language language) {
  const bool korean = language == report::Language::Korean;
  const char* way = korean ? (now.asynchronous ? "비동기" : "동기") : (now.asynchronous ? "asynchronous" : "synchronous");
  const std::string round = now.round == 0 ? (korean ? "예열" : "warm-up")
                                           : fmt::format(fmt::runtime(korean ? "{} / {}회" : "round {} of {}"), now.round, plan.rounds);
  return fmt::format("{} · {} · {} / {}", round, way, now.batches, plan.batches);
}

Result<void> write(OutputForms& outputs, const pipeline::Overlap& overlap, const pipeline::OverlapPlan& plan,
                   const report::OverlapSubject& subject, report::Language language) {
  const auto document = report::to_json(overlap, plan, subject);
  outputs.put("--json", [&] { return report::document_text(document); });
  outputs.put("--trace", [&] { return report::to_trace(overlap, subject); });
  outputs.put("--html", [&] { return report::to_html(document, language); });
  if (!outputs.takes_stdout()) {
    LAPSE_TRY(const std::string text, report::overlap_text(document, language, unicode_terminal()));
    fmt::print("{}", text);
  }
  return outputs.outcome();
}

report::OverlapSubject subject_of(const Options& options, const measuring::LoadedModel& model, std::int64_t batch,
                                  const image::PictureBatches* pictures, const Context& context) {
  report::OverlapSubject subject;
  subject.model = options.model;
  subject.engine = model.engine->name();
  subject.engine_version = model.engine->version();
  subject.device = model.session->device();
  subject.threads = model.session->threads();
  subject.batch = batch;
  subject.asynchronous = model.session->asynchronous();
  subject.source = pictures != nullptr ? "images" : "synthetic";
  subject.argv = context.argv;
  if (pictures == nullptr) return subject;
  for (const auto& [file, error] : pictures->skipped()) {
    if (++subject.skipped_count <= report::kSkippedRows) subject.skipped.push_back({file.string(), error.message});
  }
  return subject;
}

Result<int> run(Options& options, const Context& context) {
  pipeline::OverlapPlan plan = options.plan;
  LAPSE_TRY(plan.budget, parse_duration(options.budget));
  LAPSE_TRY(const Duration cpu_time, parse_duration(options.cpu_time));
  if (!options.images.empty() && (options.synthetic > 0 || cpu_time.count() > 0)) {
    return fail(ErrorCode::BadUse, "--synthetic and --cpu-time are for made-up data, --images for pictures", "leave one of them out");
  }
  LAPSE_TRY(measuring::ModelRequest request, options.engine.request(options.model));
  LAPSE_TRY(request.inputs, options.inputs.request());
  LAPSE_CHECK(options.outputs.open({options.model}));
  std::vector<std::filesystem::path> files;
  if (!options.images.empty()) {
    LAPSE_TRY(files, find_photos(options.images));
  }

  ProgressLine progress{context.language};
  progress.loading(options.model);
  LAPSE_TRY(const auto model, measuring::load_model(request, {.copy_streams = 2}));
  if (model.folder) return fail(ErrorCode::BadUse, fmt::format("{} is a folder", options.model), "name the model file in it");
  if (model.session->device() == "sim:virtual") {
    return fail(ErrorCode::BadUse, "virtual time is for one thread, and a pipeline has several", "leave time=virtual out");
  }
  LAPSE_TRY(const auto inputs, measuring::prepare_inputs(*model.session, request.inputs));
  const std::vector<tensor::Tensor>& like = inputs.sets.front().inputs;
  const auto batch = static_cast<std::size_t>(inputs.batch);
  plan.items = batch;

  std::optional<image::PictureBatches> pictures;
  const std::size_t total = options.synthetic > 0 ? options.synthetic : kBatches * batch;
  pipeline::Prepare prepare = made_up(inputs, cpu_time, total);
  plan.batches = (total + batch - 1) / batch;
  if (!files.empty()) {
    LAPSE_TRY(const image::Codec* codec, image::find_codec());
    LAPSE_TRY(const image::Preprocessing preprocessing, preprocessing_for(like, options));
    pictures.emplace(*codec, std::move(files),
                     image::PictureBatches::Options{.size = batch, .preprocessing = preprocessing, .strict = options.strict});
    prepare = [&pictures](std::size_t index, pipeline::BatchInputs to) { return pictures->fill(index, to.front()); };
    plan.batches = pictures->count();
  }
  if (options.batches > 0) plan.batches = options.batches;

  const pipeline::OverlapHooks hooks{
      [&](const pipeline::OverlapProgress& now) { progress.show(progress_line(now, plan, context.language)); }, &stop_on_signal()};
  auto overlap = pipeline::overlap(*model.session, *model.timeline, like, prepare, plan, hooks);
  progress.clear();
  if (!overlap) return tl::unexpected(std::move(overlap).error());
  LAPSE_CHECK(write(options.outputs, *overlap, plan, subject_of(options, model, inputs.batch, pictures ? &*pictures : nullptr, context),
                    context.language));
  if (overlap->failure) return tl::unexpected(*overlap->failure);  // after what had been measured until then
  const pipeline::Agreement& agreement = overlap->agreement;
  if (agreement.random == 0 && agreement.different > 0) {
    return fail(ErrorCode::WrongAnswer,
                fmt::format("{} of {} items come out differently in the two ways", agreement.different, agreement.items),
                "the engine shares something between batches that are on their way at once: try --in-flight 1");
  }
  return 0;
}

}  // namespace

Command add_pipeline(CLI::App& app, Context& context) {
  const auto options = std::make_shared<Options>();
  options->add_to(*app.add_subcommand("pipeline", "Measure what is gained when the CPU prepares the next batch while the device works"));
  return [options, &context] {
    const auto status = run(*options, context);
    return status ? *status : print_error(status.error(), context.language);
  };
}

}  // namespace lapse::cli
