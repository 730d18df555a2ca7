#pragma once
// A photo encoded by libvips, which asks for its rows on a thread of its own. Not installed.

#include <atomic>
#include <lapse/image/photo.hpp>
#include <lapse/image/vips/handles.hpp>
#include <lapse/pipeline/bounded_queue.hpp>
#include <optional>
#include <thread>
#include <vector>

namespace lapse::image::vips {

class Writer final : public PhotoWriter {
 public:
  static bool writes(Format format);
  Writer(const WriteOptions& options, Sink sink);
  ~Writer() override;

  Result<void> write(std::size_t rows, std::span<const std::byte> from) override;
  Result<void> finish() override;

 private:
  static int give_rows(VipsRegion* to, void* sequence, void* self, void*, gboolean* stop);
  static gint64 take_bytes(VipsTargetCustom*, const void* bytes, gint64 length, Writer* self);
  void encode();
  Image rows_image();
  bool save(VipsImage* image, VipsTarget* target) const;
  bool fetch();
  Result<void> outcome() const;

  const WriteOptions options_;
  const Sink sink_;
  const std::size_t row_bytes_;
  pipeline::BoundedQueue<std::vector<std::byte>> queue_;

  // Of the encoder's thread; outcome_ is for others once they have joined it.
  std::vector<std::byte> chunk_;
  std::size_t used_ = 0;  // bytes of the chunk
  int next_row_ = 0;
  Result<void> outcome_;

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace lapse::image::vips
