#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <lapse/image/vips/source.hpp>

namespace lapse::image::vips {

Source::~Source() {
  source_.reset();
  if (file_ >= 0) ::close(file_);
}

int Source::open(const std::filesystem::path& file) {
  file_ = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a pipe without a writer is not waited for
  struct stat status {};
  if (file_ < 0 || ::fstat(file_, &status) != 0) return errno;
  if (S_ISDIR(status.st_mode)) return EISDIR;
  if (!S_ISREG(status.st_mode)) return ESPIPE;
  size_ = static_cast<std::uint64_t>(status.st_size);
  const ssize_t got = ::pread(file_, first_.data(), first_.size(), 0);
  if (got < 0) return errno;
  known_ = static_cast<std::size_t>(got);
  source_.reset(vips_source_custom_new());
  g_signal_connect(source_.get(), "read", reinterpret_cast<GCallback>(&Source::read), this);
  g_signal_connect(source_.get(), "seek", reinterpret_cast<GCallback>(&Source::seek), this);
  return 0;
}

gint64 Source::read(VipsSourceCustom*, void* to, gint64 length, Source* self) {
  if (Clock::now() >= self->deadline_) return -1;
  const ssize_t got = ::read(self->file_, to, static_cast<std::size_t>(length));
  if (got == 0 && length > 0) self->met_end_ = true;
  return got;
}

gint64 Source::seek(VipsSourceCustom*, gint64 offset, int whence, Source* self) { return ::lseek(self->file_, offset, whence); }

}  // namespace lapse::image::vips
