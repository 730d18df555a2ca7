#include <lapse/image/vips/handles.hpp>
#include <string>
#include <string_view>

namespace lapse::image::vips {
namespace {

thread_local Complaints* listening = nullptr;

}  // namespace

struct Log {
  // libjpeg goes on with wrong pixels where its data make no sense, and only says so. Bytes too many between two segments are harmless, and
  // cameras write them.
  static void write(const gchar*, GLogLevelFlags, const gchar* message, gpointer) {
    const std::string_view text = message == nullptr ? "" : message;
    const bool wrong_pixels = text.find("Corrupt JPEG data") != text.npos && text.find("extraneous bytes") == text.npos;
    if (wrong_pixels && listening != nullptr) listening->any_ = true;
  }
};

namespace {

bool start_once() {
  if (vips_init("lapse") != 0) return false;
  vips_cache_set_max(0);
  vips_concurrency_set(1);
  vips_block_untrusted_set(TRUE);
  vips_operation_block_set("VipsForeign", TRUE);
  for (const char* kind : {"Jpeg", "Png", "Webp", "Heif"}) {
    for (const char* way : {"Load", "Save"}) {
      const std::string name = std::string("VipsForeign") + way + kind;
      if (g_type_from_name(name.c_str()) != 0) vips_operation_block_set(name.c_str(), FALSE);
    }
  }
  g_log_set_handler("VIPS", static_cast<GLogLevelFlags>(G_LOG_LEVEL_MASK & ~G_LOG_LEVEL_ERROR), Log::write, nullptr);
  return true;
}

}  // namespace

bool start() {
  static const bool kStarted = start_once();
  return kStarted;
}

bool has(const char* operation) { return vips_type_find("VipsOperation", operation) != 0; }

void enter_thread() {
  struct Leave {
    ~Leave() { vips_thread_shutdown(); }
  };
  thread_local const Leave leave;
  static_cast<void>(leave);
}

bool ran_out_of_memory() {
  char* const text = vips_error_buffer_copy();
  const bool memory = std::string_view(text).find("out of memory") != std::string_view::npos;
  g_free(text);
  return memory;
}

Complaints::Complaints() : outer_(std::exchange(listening, this)) {}
Complaints::~Complaints() { listening = outer_; }

}  // namespace lapse::image::vips
