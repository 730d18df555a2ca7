#include <lapse/image/vips/handles.hpp>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>

namespace lapse::image::vips {
namespace {

std::shared_mutex the_text;
std::mutex turnstile;  // who comes behind one that waits to be alone waits, too

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
  const auto nowhere = [](const gchar*, GLogLevelFlags, const gchar*, gpointer) {};
  g_log_set_handler("VIPS", static_cast<GLogLevelFlags>(G_LOG_LEVEL_MASK & ~G_LOG_LEVEL_ERROR), nowhere, nullptr);
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

Calls::Calls(bool alone) : alone_(alone) {
  const std::lock_guard in_turn(turnstile);
  if (!alone_) {
    the_text.lock_shared();
  } else {
    the_text.lock();
    vips_error_clear();
  }
}

Calls::~Calls() {
  if (!alone_) {
    the_text.unlock_shared();
  } else {
    vips_error_clear();
    the_text.unlock();
  }
}

// libjpeg says so once and goes on. Bytes too many between two segments do no harm, and cameras write them.
bool Calls::wrong_pixels() const {
  const char* const said = vips_error_buffer();
  if (!alone_) return *said != '\0';  // no more than that: others may be writing
  const std::string_view text = said;
  return text.find("Corrupt JPEG data") != text.npos && text.find("extraneous bytes") == text.npos;
}

bool Calls::out_of_memory() const {
  if (!alone_) return false;
  const std::string_view text = vips_error_buffer();
  return text.find("out of memory") != text.npos;
}

}  // namespace lapse::image::vips
