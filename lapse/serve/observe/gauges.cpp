#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <lapse/base/version.hpp>
#include <lapse/serve/observe/gauges.hpp>
#include <map>

namespace lapse::serve {
namespace {

void add_queues(Families& families, const Metrics::Now& now, jobs::Time time) {
  std::map<std::string, jobs::QueueDepth> queues;
  for (const ModelStatus& model : now.models) queues[model.name].model = model.name;  // an empty queue is 0, not absent
  for (const jobs::QueueDepth& queue : now.queues) queues[queue.model] = queue;
  Family& jobs = families.gauge("lapse_queue_jobs", "Jobs that wait (queued) or are being worked on (running)");
  Family& bytes = families.gauge("lapse_queue_bytes", "Bytes of the inputs of the jobs that wait");
  Family& oldest = families.gauge("lapse_queue_oldest_seconds", "Since the oldest job that waits was accepted; 0: none waits");
  for (const auto& [name, queue] : queues) {
    jobs.add(static_cast<double>(queue.queued), {{"model", name}, {"state", "queued"}});
    jobs.add(static_cast<double>(queue.running), {{"model", name}, {"state", "running"}});
    bytes.add(static_cast<double>(queue.bytes), {{"model", name}});
    oldest.add(queue.oldest ? seconds(time - *queue.oldest) : 0.0, {{"model", name}});
  }
}

void add_models(Families& families, const Metrics::Now& now) {
  std::map<std::string, int> running;
  Family& ready = families.gauge("lapse_model_ready", "1 when this version of the model can be asked, else 0");
  for (const ModelStatus& model : now.models) {
    running[model.name] += model.workers;
    ready.add(model.state == ModelState::Ready ? 1 : 0, {{"model", model.name}, {"version", model.version}});
  }
  Family& workers = families.gauge("lapse_workers", "Worker processes that are alive, of all versions of the model");
  for (const auto& [name, count] : running) workers.add(count, {{"model", name}});
}

/// Names and meanings are those of Prometheus' own client libraries.
void add_process(Families& families) {
  std::ifstream statm{"/proc/self/statm"};
  double total = 0, resident = 0;
  if (statm >> total >> resident) {
    const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
    families.gauge("process_resident_memory_bytes", "Resident memory size of the front in bytes").add(resident * page);
    families.gauge("process_virtual_memory_bytes", "Virtual memory size of the front in bytes").add(total * page);
  }
  std::error_code error;
  double open = 0;
  for (std::filesystem::directory_iterator entry{"/proc/self/fd", error}, end; !error && entry != end; entry.increment(error)) ++open;
  if (!error) families.gauge("process_open_fds", "Number of open file descriptors of the front").add(open - 1);  // but the one that counts
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    families.gauge("process_max_fds", "Maximum number of open file descriptors").add(static_cast<double>(limit.rlim_cur));
  }
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) {
    const auto time = [](const timeval& value) { return static_cast<double>(value.tv_sec) + static_cast<double>(value.tv_usec) * 1e-6; };
    families.counter("process_cpu_seconds_total", "Total user and system CPU time spent by the front in seconds")
        .add(time(usage.ru_utime) + time(usage.ru_stime));
  }
}

}  // namespace

void add_gauges(Families& families, const Metrics::Now& now, jobs::Time time) {
  families.gauge("lapse_build_info", "Always 1; which lapse this is")
      .add(1, {{"version", std::string(version())}, {"commit", std::string(git_commit())}});
  families.gauge("lapse_http_connections", "Connections that are open").add(static_cast<double>(now.connections));
  families.gauge("lapse_http_event_streams", "Connections that follow events").add(static_cast<double>(now.streams));
  add_queues(families, now, time);
  add_models(families, now);
  families.gauge("lapse_blob_free_bytes", "Bytes that can still be written where the blobs are").add(static_cast<double>(now.free_bytes));
  add_process(families);
}

}  // namespace lapse::serve
