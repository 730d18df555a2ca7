#pragma once
// A file as libvips reads it, with a time by which the reading has to end, and a memory of having met the file's end. Not installed.

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <lapse/image/format.hpp>
#include <lapse/image/vips/handles.hpp>
#include <span>

namespace lapse::image::vips {

class Source {
 public:
  using Clock = std::chrono::steady_clock;

  Source() = default;
  ~Source();
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  /// errno where that fails, else 0.
  int open(const std::filesystem::path& file);
  /// This object outlives it.
  VipsSource* handle() const noexcept { return VIPS_SOURCE(source_.get()); }
  std::uint64_t size() const noexcept { return size_; }
  /// What the format is told by.
  std::span<const std::byte> first() const noexcept { return std::span(first_).first(known_); }

  /// From then on no byte is given any more.
  void deadline(Clock::time_point when) noexcept { deadline_ = when; }
  /// Somebody wanted bytes from behind the end.
  bool met_end() const noexcept { return met_end_; }

 private:
  static gint64 read(VipsSourceCustom*, void* to, gint64 length, Source* self);
  static gint64 seek(VipsSourceCustom*, gint64 offset, int whence, Source* self);
  int file_ = -1;
  std::uint64_t size_ = 0;
  std::array<std::byte, kSniffed> first_{};
  std::size_t known_ = 0;
  Ref<VipsSourceCustom> source_;
  Clock::time_point deadline_ = Clock::time_point::max();
  bool met_end_ = false;
};

}  // namespace lapse::image::vips
