#include <fmt/format.h>

#include <algorithm>
#include <lapse/image/faults.hpp>
#include <lapse/image/line.hpp>
#include <lapse/image/opened.hpp>
#include <memory>
#include <mutex>

#include "cli/command.hpp"
#include "cli/console.hpp"
#include "cli/photo_files.hpp"
#include "cli/photo_model.hpp"

namespace lapse::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFooter =
    "JPEG, PNG, WebP, and HEIC and AVIF where libvips has them, told by their content, up to 110 megapixels.\n"
    "A photo that can't be read is told in one line, and the others go on; exit status 2 then. What is not\n"
    "whole is not there: an interrupted run leaves no half picture.\n"
    "\n"
    "Examples:\n"
    "  lapse upscale holiday.jpg -o larger.png\n"
    "  lapse upscale photos/ -o larger/ --scale 4 --format webp";

struct Options {
  std::vector<std::string> inputs;
  std::string output, format = "auto";
  bool keep_metadata = false;
  PhotoModelOptions model;

  void add_to(CLI::App& command) {
    const auto option = [&](const char* name, auto& value, const char* type, const char* text) {
      return command.add_option(name, value, text)->type_name(type);
    };
    option("PHOTO", inputs, "", "Photos, or folders with photos")->required();
    option("-o,--output", output, "FILE|DIR", "The enlarged photo; for several of them a folder, which is made")->required();
    option("--scale", model.scale, "N", "2 or 4 times as wide and high (default: 2)")->check(CLI::IsMember({2, 4}));
    option("--format", format, "FORMAT", "jpeg, png, webp, or auto: the photo's own where that can be written (default: auto)")
        ->check(CLI::IsMember({"auto", "jpeg", "png", "webp"}));
    command.add_flag("--keep-metadata", keep_metadata, "Keep what the photo tells: camera, time, place (default: none of it)");
    option("--model", model.file, "FILE", "Another model, with its settings beside it (default: the one of lapse)");
    option("--threads", model.threads, "N", "CPU threads of the model (default: the usable CPUs but one)")->check(number_between(1, 4096));
    option("--device", model.device, "DEVICE", "Device to run on (default: the engine's own choice)");
    option("--tile", model.tile, "N", "Side of a tile in pixels (default: what the model's settings say)")->check(number_between(1, 4096));
    option("--batch", model.batch, "N", "Tiles in one pass (default: what the model's settings say)")->check(number_between(1, 1024));
    command.footer(kFooter);
  }

  std::optional<image::Format> wanted() const {
    if (format == "auto") return std::nullopt;
    return image::format_of_suffix("." + format);
  }
};

/// One run: opens photo after photo for the line, and tells how each ended.
class Upscale {
 public:
  Upscale(const image::Codec& codec, const image::Scaling& scaling, std::vector<fs::path> photos, PhotoTargets targets, bool keep_metadata,
          report::Language language)
      : codec_(codec),
        scaling_(scaling),
        photos_(std::move(photos)),
        targets_(std::move(targets)),
        keep_metadata_(keep_metadata),
        korean_(language == report::Language::Korean),
        line_(language) {}

  std::unique_ptr<image::Order> next() {
    while (opened_ < photos_.size()) {
      const fs::path& photo = photos_[opened_++];
      auto order = open(photo);
      if (order) return std::move(*order);
      tell_fault(photo, order.error());
    }
    return nullptr;
  }

  void passed(std::int64_t tiles) {
    const std::lock_guard lock{mutex_};
    tiles_ += tiles;
    const auto now = Clock::now();
    constexpr auto kEvery = std::chrono::milliseconds{100};
    if (now - shown_ < kEvery) return;
    shown_ = now;
    line_.show(korean_ ? fmt::format("사진 {} / {} · 타일 {}개", enlarged_ + faulty_, photos_.size(), tiles_)
                       : fmt::format("{} / {} photos · {} tiles", enlarged_ + faulty_, photos_.size(), tiles_));
  }

  std::size_t faulty() const noexcept { return faulty_; }

  void tell_sum() {
    line_.clear();
    const double seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
    const double rate = static_cast<double>(pixels_) / 1e6 / seconds;
    fmt::print("{}\n", korean_
                           ? fmt::format("사진 {}장 중 {}장 확대 · {:.1f} s · 초당 {:.2f} MP", photos_.size(), enlarged_, seconds, rate)
                           : fmt::format("{} of {} photos enlarged · {:.1f} s · {:.2f} MP/s", enlarged_, photos_.size(), seconds, rate));
  }

 private:
  using Clock = std::chrono::steady_clock;

  Result<std::unique_ptr<image::Order>> open(const fs::path& photo) {
    fs::path target;
    std::shared_ptr<PartFile> file;
    const auto into = [&](image::Format format) -> Result<image::Sink> {
      LAPSE_TRY(target, targets_.of(photo, format));
      LAPSE_TRY(file, PartFile::create(target));
      return [file](std::span<const std::byte> bytes) { return file->append(bytes); };
    };
    LAPSE_TRY(auto opened, image::open_photo(codec_, photo, {{}, scaling_, targets_.wanted(), keep_metadata_}, into));
    const auto ended = [this, &photo, header = opened.header, target, file](Result<void> how) {
      if (how) how = file->finish();
      if (how) return tell_enlarged(photo, target, header);
      if (how.error().code != ErrorCode::Interrupted) tell_fault(photo, how.error());
    };
    return std::make_unique<image::Order>(image::Order{std::move(opened.enlargement), ended});
  }

  std::string_view say(std::string_view sentence) const { return korean_ ? image::in_korean(sentence) : sentence; }

  void tell_enlarged(const fs::path& photo, const fs::path& target, const image::Header& header) {
    const std::lock_guard lock{mutex_};
    ++enlarged_;
    pixels_ += header.width * header.height;
    line_.clear();
    fmt::print("{} → {} · {} × {} → {} × {}\n", photo.string(), target.string(), header.width, header.height, header.width * scaling_.scale,
               header.height * scaling_.scale);
    for (const std::string_view note : header.notes) fmt::print("  {}: {}\n", korean_ ? "참고" : "note", say(note));
    std::fflush(stdout);
  }

  void tell_fault(const fs::path& photo, const Error& error) {
    const std::lock_guard lock{mutex_};
    ++faulty_;
    line_.clear();
    const std::string figures = error.hint.empty() ? "" : fmt::format(" ({})", error.hint);
    fmt::print(stderr, "lapse: {}{}: {}{}\n", korean_ ? "오류: " : "", photo.string(), say(error.message), figures);
  }

  const image::Codec& codec_;
  const image::Scaling scaling_;
  const std::vector<fs::path> photos_;
  PhotoTargets targets_;
  const bool keep_metadata_, korean_;
  const Clock::time_point begin_ = Clock::now();
  std::size_t opened_ = 0;

  std::mutex mutex_;
  ProgressLine line_;
  Clock::time_point shown_{};
  std::size_t enlarged_ = 0, faulty_ = 0;
  std::uint64_t pixels_ = 0;
  std::int64_t tiles_ = 0;
};

Result<int> run(const Options& options, const Context& context) {
  image::LineOptions line;
  line.stop = &stop_on_signal();
  LAPSE_TRY(const image::Codec* codec, image::find_codec());
  LAPSE_TRY(auto photos, find_photos(options.inputs));
  std::error_code failed;
  const bool several = photos.size() > 1 || fs::is_directory(options.inputs.front(), failed);
  LAPSE_TRY(auto targets, PhotoTargets::make(options.output, several, options.wanted()));
  LAPSE_TRY(auto model, PhotoModel::load(options.model));
  line.scale = model.scaling().scale;
  line.max_batch = model.batch();
  Upscale upscale(*codec, model.scaling(), std::move(photos), std::move(targets), options.keep_metadata, context.language);
  LAPSE_CHECK(image::enlarge([&] { return upscale.next(); },
                             [&](const tensor::TensorView& tiles) {
                               upscale.passed(tiles.shape.front());
                               return model.infer(tiles);
                             },
                             line));
  upscale.tell_sum();
  return upscale.faulty() > 0 ? exit_status(ErrorCode::BadInput) : 0;
}

}  // namespace

Command add_upscale(CLI::App& app, Context& context) {
  const auto options = std::make_shared<Options>();
  options->add_to(*app.add_subcommand("upscale", "Enlarge photos, 2 or 4 times, by super-resolution"));
  return [options, &context] {
    const auto status = run(*options, context);
    return status ? *status : print_error(status.error(), context.language);
  };
}

}  // namespace lapse::cli
