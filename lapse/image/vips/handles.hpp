#pragma once
// libvips as C++ sees it: references that let go of themselves, and the library made safe. Not installed.

#include <vips/vips.h>

#include <memory>
#include <utility>

namespace lapse::image::vips {

struct Unref {
  void operator()(gpointer object) const noexcept { g_object_unref(object); }
};
template <class T>
using Ref = std::unique_ptr<T, Unref>;
using Image = Ref<VipsImage>;

/// An image that a call of libvips makes: `make([&](VipsImage** out) { return vips_flip(in, out, …, nullptr); })`. Null when it fails.
template <class Call>
Image make(Call call) {
  VipsImage* out = nullptr;
  return Image(call(&out) == 0 ? out : nullptr);
}

/// Begins with libvips: once for the whole process, from any thread. Nothing is cached between pictures, one thread works for each, and no
/// loader and saver but those of our formats can be reached. False: it can't be used.
bool start();

/// Was this libvips built with it?
bool has(const char* operation);

/// Before libvips is used on a thread that it didn't start itself: what it keeps for the thread goes with the thread.
void enter_thread();

/// Was the last failure one of memory? Forgets what libvips has to say.
bool ran_out_of_memory();

/// While one lives, a complaint of a decoder on this thread that means wrong pixels is noted instead of printed.
class Complaints {
 public:
  Complaints();
  ~Complaints();
  Complaints(const Complaints&) = delete;
  Complaints& operator=(const Complaints&) = delete;
  bool any() const noexcept { return any_; }

 private:
  friend struct Log;
  bool any_ = false;
  Complaints* outer_;
};

}  // namespace lapse::image::vips
