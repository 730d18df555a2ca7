#pragma once
// The codec behind the module's entry; linked, not loaded, by whoever tests it. Not installed.

#include <lapse/image/codec.hpp>

namespace lapse::image::vips {

/// Error: EngineUnusable when libvips doesn't start.
Result<const Codec*> codec();

}  // namespace lapse::image::vips
