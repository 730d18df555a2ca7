// Your own code on the CPU, measured by lapse as a library.
#include <algorithm>
#include <iostream>
#include <lapse/report/compose.hpp>
#include <lapse/report/render.hpp>
#include <vector>

int main() {
  std::vector<int> numbers(100'000), sorted;
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<int>(i * 48271 % 65537);

  const auto result = lapse::measure([&] { std::ranges::sort(sorted = numbers); }, {.budget = std::chrono::seconds{2}});

  if (!result) return std::cerr << result.error().message << '\n', 1;
  std::cout << lapse::report::to_text(lapse::report::compose(*result, "sort"), lapse::report::Language::English);
}
