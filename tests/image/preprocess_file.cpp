// One photo as a classifier gets it, for a comparison from outside (preprocess_peer_test.py):
//   preprocess_file FILE SHORTER WIDTH HEIGHT > VALUES       3 x HEIGHT x WIDTH of float32, 0 … 255

#include <cstdio>
#include <cstdlib>
#include <lapse/image/preprocess.hpp>
#include <lapse/image/vips/codec.hpp>
#include <vector>

using namespace lapse;

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const auto size = [&](int i) { return static_cast<std::size_t>(std::atoi(argv[i])); };
  constexpr float kUnit = 1.0F / 255;
  const image::Preprocessing how{
      .width = size(3), .height = size(4), .resize_shorter = size(2), .mean = {}, .deviation = {kUnit, kUnit, kUnit}};
  std::vector<float> values(3 * how.width * how.height);
  const auto codec = image::vips::codec();
  if (!codec) return 2;
  if (const auto done = image::preprocess(**codec, argv[1], {}, how, values); !done) {
    std::fprintf(stderr, "%s\n", done.error().message.c_str());
    return 1;
  }
  return std::fwrite(values.data(), sizeof(float), values.size(), stdout) == values.size() ? 0 : 1;
}
