#include <lapse/serve/worker/worker.hpp>

namespace lapse::serve {

Result<int> work(int) { return fail(ErrorCode::Unsupported, "not yet"); }

}  // namespace lapse::serve
