#pragma once
// Many replicates on a few threads.

#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace lapse::bench {

/// `work(i)` for every i below `count`, each once; the results in the order of i, whatever the number of threads.
template <class Work>
auto replicate(std::size_t count, std::size_t jobs, Work work) {
  std::vector<decltype(work(std::size_t{}))> results(count);
  std::atomic<std::size_t> next{0};
  {
    std::vector<std::jthread> threads;
    for (std::size_t job = 0; job < jobs; ++job) {
      threads.emplace_back([&] {
        for (std::size_t i = next++; i < count; i = next++) results[i] = work(i);
      });
    }
  }
  return results;
}

}  // namespace lapse::bench
