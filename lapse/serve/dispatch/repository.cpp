#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <lapse/serve/dispatch/repository.hpp>
#include <lapse/serve/dispatch/settings.hpp>
#include <set>

namespace lapse::serve {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestName = 64;
constexpr std::uintmax_t kLargestSettings = 1 << 20;  // bytes

bool sound_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName && name.front() != '.' && std::ranges::all_of(name, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
}

std::optional<std::uint64_t> version_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number == 0 || text.front() == '0') return std::nullopt;
  return number;
}

std::string stamp_of(const fs::path& file) {
  struct stat status {};
  if (file.empty() || ::stat(file.c_str(), &status) != 0) return "-";
  return fmt::format("{}:{}:{}.{}", status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

// Of every file in the folder whose name begins so: weights may lie beside the model that names them.
std::string stamp_of_all(const fs::path& folder, const std::string& beginning) {
  std::set<std::string> stamps;
  std::error_code error, ignored;
  for (fs::directory_iterator entry{folder, error}, end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with(beginning) && entry->is_regular_file(ignored)) stamps.insert(name + "=" + stamp_of(entry->path()));
  }
  std::string all;
  for (const std::string& stamp : stamps) all += stamp + "/";
  return all;
}

bool there(const fs::path& file) {
  std::error_code ignored;
  return fs::is_regular_file(file, ignored);
}

Result<ModelSettings> settings_in(const fs::path& file) {
  std::error_code error;
  const auto size = fs::file_size(file, error);
  if (error || size > kLargestSettings) return fail(ErrorCode::BadInput, "the settings can't be read");
  std::ifstream in{file, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  return parse_settings(text);
}

class Scanner {
 public:
  void look(const fs::path& entry) {
    std::error_code ignored;
    const std::string stem = entry.stem().string(), ending = entry.extension().string();
    if (fs::is_directory(entry, ignored)) {
      folder(entry);
    } else if (entry.filename().string().starts_with('.')) {
      return;  // being copied, or an editor's
    } else if ((ending == ".onnx" || ending == ".pt") && !there(entry)) {
      scan_.skipped.push_back(fmt::format("'{}' is no regular file, or a link to nowhere", entry.filename().string()));
    } else if (ending == ".onnx" || ending == ".pt") {
      const fs::path settings = fs::path(entry).replace_extension(".json");
      add(stem, "1", entry, there(settings) ? settings : fs::path{}, stamp_of_all(entry.parent_path(), entry.filename().string()));
    } else if (ending == ".json" && !there(fs::path(entry).replace_extension(".onnx")) &&
               !there(fs::path(entry).replace_extension(".pt"))) {
      add(stem, "1", {}, entry);
    }
  }

  Scan result() {
    std::ranges::sort(scan_.models, [](const ModelFile& a, const ModelFile& b) {
      return a.name != b.name ? a.name < b.name : *version_number(a.version) < *version_number(b.version);
    });
    return std::move(scan_);
  }

 private:
  void folder(const fs::path& folder) {
    const std::string name = folder.filename().string();
    if (name.starts_with('.')) return;
    const fs::path common = there(folder / "lapse.json") ? folder / "lapse.json" : fs::path{};
    const bool own = file_in(folder, name, "1", common);
    bool numbered = false;
    std::error_code error, ignored;
    for (fs::directory_iterator entry{folder, error}, end; !error && entry != end; entry.increment(error)) {
      const std::string version = entry->path().filename().string();
      if (!version_number(version) || !entry->is_directory(ignored)) continue;
      const fs::path settings = there(entry->path() / "lapse.json") ? entry->path() / "lapse.json" : common;
      numbered = file_in(entry->path(), name, version, settings) || numbered;
    }
    if (!own && !numbered && !common.empty()) add(name, "1", {}, common);
  }

  bool file_in(const fs::path& folder, const std::string& name, const std::string& version, const fs::path& settings) {
    for (const char* file : {"model.onnx", "model.pt"}) {
      if (!there(folder / file)) continue;
      add(name, version, folder / file, settings, stamp_of_all(folder, ""));
      return true;
    }
    return false;
  }

  void add(const std::string& name, const std::string& version, const fs::path& file, const fs::path& settings,
           const std::string& stamp = {}) {
    if (!sound_name(name)) {
      scan_.skipped.push_back(fmt::format("'{}' is no name to serve a model under: 1 to 64 of A-Z a-z 0-9 . _ -", name));
      return;
    }
    ModelFile model{name, version, file.string(), {}, {}, stamp + stamp_of(settings)};
    if (!settings.empty()) {
      auto read = settings_in(settings);
      if (read) {
        model.settings = std::move(*read);
      } else {
        model.problem = fmt::format("{}: {}", settings.filename().string(), read.error().message);
      }
    }
    if (file.empty()) {
      if (!model.problem.empty()) {  // it may be settings, or a JSON file of another kind
        scan_.skipped.push_back(model.problem);
        return;
      }
      if (model.settings.model.empty()) return;
      model.path = model.settings.model;
      if (model.path != "null" && model.path != "sim" && !model.path.starts_with("sim:")) {
        model.problem = "setting 'model' is none of null, sim and sim:SETTINGS";
      }
    }
    if (!names_.insert(name + "/" + version).second) {
      scan_.skipped.push_back(fmt::format("'{}' version {} is there twice", name, version));
      return;
    }
    scan_.models.push_back(std::move(model));
  }

  Scan scan_;
  std::set<std::string> names_;
};

}  // namespace

Result<Scan> scan_models(const std::string& folder) {
  std::error_code error;
  std::vector<fs::path> entries;
  for (fs::directory_iterator entry{folder, error}, end; !error && entry != end; entry.increment(error)) entries.push_back(entry->path());
  if (error) {
    return fail(ErrorCode::Unavailable, fmt::format("the models folder {} can't be read: {}", folder, error.message()), "see to --models");
  }
  std::ranges::sort(entries);
  Scanner scanner;
  for (const fs::path& entry : entries) scanner.look(entry);
  return scanner.result();
}

Scan Settled::take(Scan now) {
  Models seen, taken;
  for (const ModelFile& file : now.models) {
    const auto key = std::pair{file.name, file.version};
    seen.emplace(key, file);
    const bool same = !seen_ || (seen_->contains(key) && seen_->at(key).stamp == file.stamp);
    if (same) {
      taken.emplace(key, file);
    } else if (taken_.contains(key)) {
      taken.emplace(key, taken_.at(key));
    }
  }
  std::erase_if(now.models, [&](ModelFile& file) {
    const auto found = taken.find({file.name, file.version});
    if (found != taken.end()) file = found->second;
    return found == taken.end();
  });
  seen_ = std::move(seen);
  taken_ = std::move(taken);
  return now;
}

}  // namespace lapse::serve
