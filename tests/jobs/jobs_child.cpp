// A process for tests to kill.
//   jobs_child work DATA PREFIX SEED   submits, claims and ends jobs on four threads until it is killed; prints what was acknowledged
//   jobs_child put FOLDER FROM TO      puts the blobs "content FROM" … "content TO − 1", then prints "done"
//   jobs_child begin FOLDER            begins a blob, prints "begun", and never finishes it
//   jobs_child hold DATA               holds the data folder, prints its process id
//   jobs_child fill FOLDER LIMIT       no file may have more than LIMIT bytes: puts twice as much, then prints the error

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <lapse/jobs/data_folder.hpp>
#include <lapse/jobs/folder_blob_store.hpp>
#include <lapse/jobs/sqlite_job_store.hpp>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace lapse;
using namespace lapse::jobs;
using namespace std::chrono_literals;

template <class T>
T must(Result<T> result) {
  if (result) return std::move(*result);
  fmt::print(stderr, "jobs_child: {}\n", result.error().message);
  std::exit(1);
}

/// One write, so that a line is there whole or not at all.
void say(const std::string& line) {
  const std::string text = line + "\n";
  if (::write(STDOUT_FILENO, text.data(), text.size()) < 0) std::exit(1);
}

Blob put(BlobStore& blobs, const std::string& text) { return must(blobs.put(std::as_bytes(std::span(text)))); }

void work(JobStore& store, BlobStore& blobs, const std::string& prefix, unsigned seed) {
  std::mt19937 random{seed};
  const auto submit = [&](int i) {
    JobSpec spec;
    spec.owner = i % 3 == 0 ? "bob" : "ann";
    spec.id = fmt::format("{}-{}", prefix, i);
    spec.model = "model";
    spec.input.blob = put(blobs, "input of " + spec.id);
    spec.digest = spec.id;
    must(store.submit(spec));
    say(fmt::format("submitted {} {}", spec.owner, spec.id));
    if (random() % 8 == 0 && must(store.cancel(spec.owner, spec.id)).state == State::Cancelled) {
      say(fmt::format("cancelled {} {}", spec.owner, spec.id));
    }
  };
  const auto run = [&](const Claimed& one) {
    const JobSpec& spec = one.job.spec;
    const auto ended = [&](bool kept) {  // how is the store's to say: a cancel may have come first
      if (kept) say(fmt::format("{} {} {}", name(must(store.get(spec.owner, spec.id)).state), spec.owner, spec.id));
    };
    switch (random() % 6) {
      case 0:
        must(store.release(one.lease));
        break;
      case 1:
        ended(must(store.fail(one.lease, {ErrorCode::BadInput, "bad", ""}, false)));
        break;
      default:
        JobStore::Completion completion;
        completion.lease = one.lease;
        completion.result.blob = put(blobs, "result of " + spec.id);
        ended(must(store.complete(completion)));
    }
  };
  for (int i = 0;; ++i) {
    submit(i);
    for (const Claimed& one : must(store.claim({"worker", "model", {}, true, 1 + random() % 2, 30s}))) run(one);
  }
}

int work(const std::string& folder, const std::string& prefix, unsigned seed) {
  const auto data = must(DataFolder::open(folder));
  const auto blobs = must(FolderBlobStore::open(data.blobs()));
  const auto store = must(SqliteJobStore::open(data.database(), {}));
  must(store->recover());
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] { work(*store, *blobs, fmt::format("{}-{}", prefix, t), seed * 4 + t); });
  }
  for (std::thread& thread : threads) thread.join();
  return 0;
}

int fill(const std::string& folder, unsigned limit) {
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit bound{limit, limit};
  const auto blobs = must(FolderBlobStore::open(folder));
  setrlimit(RLIMIT_FSIZE, &bound);
  const std::string bytes(2 * limit, 'x');
  const auto stored = blobs->put(std::as_bytes(std::span(bytes)));
  say(stored ? "stored" : fmt::format("{}: {}", name(stored.error().code), stored.error().message));
  put(*blobs, "a small one");
  say("and the next one is stored");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const std::string& what = words.at(0);
  if (what == "work") return work(words.at(1), words.at(2), static_cast<unsigned>(std::stoul(words.at(3))));
  if (what == "fill") return fill(words.at(1), static_cast<unsigned>(std::stoul(words.at(2))));
  if (what == "hold") {
    const auto data = must(DataFolder::open(words.at(1)));
    say(std::to_string(::getpid()));
    ::pause();
  }
  if (what == "put") {
    const auto blobs = must(FolderBlobStore::open(words.at(1)));
    for (int i = std::stoi(words.at(2)); i < std::stoi(words.at(3)); ++i) put(*blobs, fmt::format("content {}", i));
    say("done");
    return 0;
  }
  const auto blobs = must(FolderBlobStore::open(words.at(1)));
  const auto writer = must(blobs->create());
  const std::string text = "half of it";
  if (!writer->append(std::as_bytes(std::span(text)))) return 1;
  say("begun");
  ::pause();
}
