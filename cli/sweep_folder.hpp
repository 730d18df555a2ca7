#pragma once
// The folder that a sweep keeps its points in, so that another run of the same sweep takes what is there and measures only the rest.
//
//   lapse-sweep.json          what all points have in common: the model, the machine, the options (flat, strings)
//   POINT.json                one measurement (lapse.result/1), there whole or not at all
//   POINT.out-of-memory       of a point that did not fit: the reason, one line
//   POINT.part                what is being measured; thrown away by the next run

#include <filesystem>
#include <lapse/base/error.hpp>
#include <lapse/report/sweep.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lapse::cli {

/// What two runs must have in common for their points to belong together: a name for people, and a value. In the order of the names.
using SweepIdentity = std::vector<std::pair<std::string, std::string>>;

/// Of the model (the file's size and date, if it is one), this machine, this lapse, and `options`.
SweepIdentity identify(const std::string& model, const std::vector<std::string>& options);

/// How good a point must be to be taken from an earlier run: as precise and with as many runs as asked for now, unless it had as much time,
/// or all the runs that there may be.
struct Sufficient {
  double precision = 1.0;
  double budget_ns = 0.0;
  std::size_t runs = 0;  // that a percentile needs
  std::size_t min_runs = 0, max_runs = 0;
};

class SweepFolder {
 public:
  /// Makes it if it isn't there. `fresh` throws away what a sweep left in it. Errors: BadUse (no folder, not one of a sweep, one of another
  /// sweep, in use by another process, can't be written).
  static Result<SweepFolder> open(const std::string& path, const SweepIdentity& identity, bool fresh);
  SweepFolder(SweepFolder&& other) noexcept : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)), made_(other.made_) {}
  SweepFolder& operator=(SweepFolder&&) = delete;
  /// A folder that was made for it and got no point is not left behind.
  ~SweepFolder();

  /// The point of that name, if an earlier run finished it well enough. What is damaged counts as not there.
  std::optional<report::SweepPoint> finished(const std::string& point, const Sufficient& sufficient) const;
  /// Where its measurement is to be written …
  std::filesystem::path part(const std::string& point) const { return path_ / (point + ".part"); }
  /// … and is kept from now on. Error: BadUse when it can't be.
  Result<void> keep(const std::string& point) const;
  Result<void> keep_out_of_memory(const std::string& point, const std::string& reason) const;

 private:
  SweepFolder(std::filesystem::path path, int lock, bool made) : path_(std::move(path)), lock_(lock), made_(made) {}
  Result<void> claim(const SweepIdentity& identity, bool fresh) const;
  bool has_points() const;

  std::filesystem::path path_;
  int lock_;   // a descriptor: as long as it is open, the folder is ours
  bool made_;  // by us
};

/// A measurement that came to its end. Nothing for what is absent, damaged or was interrupted.
std::optional<report::Report> read_measurement(const std::filesystem::path& file);

}  // namespace lapse::cli
