#include "cli/sweep_folder.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <lapse/engine/subject_library.hpp>
#include <lapse/host/fingerprint.hpp>
#include <lapse/report/terminal.hpp>
#include <nlohmann/json.hpp>

#include "cli/output_file.hpp"

namespace lapse::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kIdentityFile = "lapse-sweep.json";
constexpr const char* kPoint = "point-";
constexpr const char* kOtherFolder = "name a folder of its own: --out DIR";

std::string text_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

tl::unexpected<Error> unusable(const fs::path& path, std::string_view why) {
  return fail(ErrorCode::BadUse, fmt::format("{} {}", path.string(), why), kOtherFolder);
}

bool belongs_to_a_sweep(const fs::path& file) {
  const std::string name = file.filename().string();
  return name.starts_with(kIdentityFile) || name.starts_with(kPoint);
}

/// Size and date of a file, or of all that a folder holds.
std::string describe_file(const fs::path& path) {
  std::error_code failed;
  std::uintmax_t bytes = 0;
  std::optional<fs::file_time_type> newest;
  const auto add = [&](const fs::path& file) {
    if (!fs::is_regular_file(file, failed)) return;
    bytes += fs::file_size(file, failed);
    newest = std::max(newest, std::optional(fs::last_write_time(file, failed)));
  };
  add(path);
  if (fs::is_directory(path, failed)) {
    for (const auto& entry : fs::recursive_directory_iterator(path, failed)) add(entry.path());
  }
  if (!newest) return "no file";
  const auto written = std::chrono::file_clock::to_sys(*newest).time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(written);
  return fmt::format("{} bytes, {:%Y-%m-%dT%H:%M:%S}.{:09}Z", bytes, fmt::gmtime(static_cast<std::time_t>(seconds.count())),
                     std::chrono::nanoseconds(written - seconds).count());
}

void add_model(const std::string& model, SweepIdentity& identity) {
  std::error_code failed;
  const auto subject = engine::parse_subject_name(model);
  const fs::path file = subject && !fs::exists(model, failed) ? subject->file : model;
  if (!fs::exists(file, failed)) {  // "sim:device=5ms"
    identity.emplace_back("model", model);
    return;
  }
  // Its place does not matter, and neither does how the path to it is written.
  const std::string arguments = model.substr(std::min(model.size(), file.string().size()));
  identity.emplace_back("model", fs::weakly_canonical(file, failed).filename().string() + arguments);
  identity.emplace_back("model file", describe_file(file));
}

Result<void> compare(const fs::path& folder, const std::string& there, const std::string& wanted) {
  const auto refuse = [&](const std::string& why) {
    return fail(ErrorCode::BadUse, fmt::format("{} {}", folder.string(), why), "start over in it with --fresh, or name another: --out DIR");
  };
  const auto old = nlohmann::ordered_json::parse(there, nullptr, false);
  if (!old.is_object()) return refuse(fmt::format("has a damaged {}", kIdentityFile));
  // Read back, because what is not UTF-8 was replaced.
  const auto now = nlohmann::ordered_json::parse(wanted);
  for (const auto& [name, value] : now.items()) {
    const auto found = old.find(name);
    if (found != old.end() && *found == value) continue;
    const std::string before = found != old.end() && found->is_string() ? found->get<std::string>() : "";
    return refuse(fmt::format("is of another sweep: {} was '{}', is '{}'", name, report::printable(before),
                              report::printable(value.get<std::string>())));
  }
  return {};
}

}  // namespace

SweepIdentity identify(const std::string& model, const std::vector<std::string>& options) {
  SweepIdentity identity;
  add_model(model, identity);
  identity.emplace_back("options", fmt::format("{}", fmt::join(options, " ")));
  for (const char* variable : {"ORT_DYLIB_PATH", "LAPSE_ENGINE_PATH"}) {
    const char* value = std::getenv(variable);
    identity.emplace_back(variable, value == nullptr ? "" : value);
  }
  const host::Fingerprint host = host::fingerprint();
  identity.emplace_back("CPU", host.cpu);
  identity.emplace_back("CPUs", fmt::format("{} of {}", host.cpus_allowed, host.cpus_online));
  identity.emplace_back("CPU limit", host.cpu_limit ? fmt::format("{}", *host.cpu_limit) : "none");
  identity.emplace_back("governor", host.governor);
  identity.emplace_back("hypervisor", host.hypervisor);
  identity.emplace_back("system", host.os);
  identity.emplace_back("kernel", host.kernel);
  identity.emplace_back("C library", host.libc);
  identity.emplace_back("lapse", fmt::format("{} {} {} {}", host.lapse_version, host.git_commit, host.build_type, host.compiler));
  return identity;
}

Result<SweepFolder> SweepFolder::open(const std::string& path, const SweepIdentity& identity, bool fresh) {
  std::error_code failed;
  if (fs::exists(path, failed) && !fs::is_directory(path, failed)) return unusable(path, "is a file, not a folder");
  const bool made = fs::create_directories(path, failed);
  const int lock = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock < 0) return unusable(path, fmt::format("can't be used: {}", failed ? failed.message() : std::strerror(errno)));
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    close(lock);
    return unusable(path, "is in use by another sweep");
  }
  SweepFolder folder(path, lock, made);
  LAPSE_CHECK(folder.claim(identity, fresh));
  return folder;
}

Result<void> SweepFolder::claim(const SweepIdentity& identity, bool fresh) const {
  std::error_code failed;
  const fs::path file = path_ / kIdentityFile;
  const bool known = fs::exists(file, failed);
  fresh |= !has_points();
  for (const auto& entry : fs::directory_iterator(path_, failed)) {
    if (!known && !belongs_to_a_sweep(entry.path())) return unusable(path_, "holds other things than a sweep");
  }
  nlohmann::ordered_json document = nlohmann::ordered_json::object();
  for (const auto& [name, value] : identity) document[name] = value;
  const std::string text = document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
  if (known && !fresh) LAPSE_CHECK(compare(path_, text_of(file), text));
  for (const auto& entry : fs::directory_iterator(path_, failed)) {
    const bool left_over = entry.path().extension() == ".part";
    if (belongs_to_a_sweep(entry.path()) && (fresh || !known || left_over)) fs::remove(entry.path(), failed);
  }
  auto written = OutputFile::open(file.string()).and_then([&](const OutputFile& output) { return output.write(text); });
  if (!written) written.error().hint = kOtherFolder;
  return written;
}

SweepFolder::~SweepFolder() {
  if (lock_ < 0) return;
  std::error_code failed;
  if (!has_points()) {
    fs::remove(path_ / kIdentityFile, failed);
    if (made_) fs::remove(path_, failed);  // if it is empty
  }
  close(lock_);
}

bool SweepFolder::has_points() const {
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(path_, failed)) {
    if (entry.path().filename().string().starts_with(kPoint) && entry.path().extension() != ".part") return true;
  }
  return false;
}

std::optional<report::SweepPoint> SweepFolder::finished(const std::string& point, const Sufficient& sufficient) const {
  if (const auto report = read_measurement(path_ / (point + ".json"))) {
    const report::PlanRow& plan = report->plan;
    const std::size_t runs = report->samples.end_to_end.size();
    const bool good = plan.reached <= sufficient.precision && runs >= sufficient.runs;
    const bool had_its_time = plan.stop == "budget" && plan.budget_ns >= sufficient.budget_ns;
    if (runs >= sufficient.max_runs || (runs >= sufficient.min_runs && (good || had_its_time))) return report::sweep_point(*report);
    return std::nullopt;
  }
  std::string reason = text_of(path_ / (point + ".out-of-memory"));
  if (reason.empty()) return std::nullopt;
  if (reason.back() == '\n') reason.pop_back();
  report::SweepPoint out;
  out.state = report::PointState::OutOfMemory;
  out.reason = std::move(reason);
  return out;
}

Result<void> SweepFolder::keep(const std::string& point) const {
  std::error_code failed;
  fs::rename(part(point), path_ / (point + ".json"), failed);
  if (failed) return unusable(path_, fmt::format("can't be written: {}", failed.message()));
  return {};
}

Result<void> SweepFolder::keep_out_of_memory(const std::string& point, const std::string& reason) const {
  LAPSE_TRY(const OutputFile file, OutputFile::open((path_ / (point + ".out-of-memory")).string()));
  return file.write(reason + '\n');
}

std::optional<report::Report> read_measurement(const fs::path& file) {
  auto report = report::from_json(text_of(file));
  if (!report || report->plan.stop == "interrupted" || report->plan.stop == "failed") return std::nullopt;
  return std::move(*report);
}

}  // namespace lapse::cli
