#pragma once
// Memory for a whole picture: of the process where it is small, else a file without a name that the kernel may write out. Not installed.

#include <cstddef>
#include <span>

namespace lapse::image::vips {

class Canvas {
 public:
  Canvas() = default;
  ~Canvas();
  Canvas(const Canvas&) = delete;
  Canvas& operator=(const Canvas&) = delete;
  /// False where there is neither memory nor disk. Once.
  bool reserve(std::size_t bytes);
  std::span<std::byte> bytes() noexcept { return bytes_; }

 private:
  std::span<std::byte> bytes_;
};

}  // namespace lapse::image::vips
