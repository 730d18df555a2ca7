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

/// Begins with libvips: once for the whole process, from any thread. Nothing is cached between pictures, one thread works for each, nothing
/// is printed, and no loader and saver but those of our formats can be reached. False: it can't be used.
bool start();

/// Was this libvips built with it?
bool has(const char* operation);

/// Before libvips is used on a thread that it didn't start itself: what it keeps for the thread goes with the thread.
void enter_thread();

/// Calls of libvips, made while one lives. libvips has one text for the whole process of what went wrong: who wants to read it is alone, so
/// that it is about his own calls, and others wait. Those who aren't alone work at the same time, and know only whether it is empty.
class Calls {
 public:
  explicit Calls(bool alone);
  ~Calls();
  Calls(const Calls&) = delete;
  Calls& operator=(const Calls&) = delete;
  /// A decoder went on with pixels that make no sense. Not alone: that, or anything else went wrong, for anybody.
  bool wrong_pixels() const;
  /// Not alone: false, as nobody knows.
  bool out_of_memory() const;

 private:
  const bool alone_;
};

}  // namespace lapse::image::vips
