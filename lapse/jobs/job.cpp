#include <lapse/jobs/job_store.hpp>

namespace lapse::jobs {

Time system_now() { return std::chrono::time_point_cast<Time::duration>(std::chrono::system_clock::now()); }

}  // namespace lapse::jobs
