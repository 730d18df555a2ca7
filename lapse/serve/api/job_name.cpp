#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <lapse/serve/api/job_name.hpp>
#include <string_view>

namespace lapse::serve::api {

Result<void> check_names(jobs::JobSpec spec) {
  spec.input.blob.id.hex.assign(64, '0');
  return jobs::check(spec);
}

std::string new_job_name() {
  std::array<unsigned char, 16> bytes{};
  RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
  const auto now = std::chrono::floor<std::chrono::milliseconds>(jobs::system_now()).time_since_epoch().count();
  for (std::size_t i = 0; i < 6; ++i) bytes[i] = static_cast<unsigned char>(now >> (8 * (5 - i)));
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x70);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);
  std::string name;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) name += '-';
    fmt::format_to(std::back_inserter(name), "{:02x}", bytes[i]);
  }
  return name;
}

std::string digest_of(const jobs::JobSpec& spec, std::optional<Duration> timeout) {
  // Every part with its length, so that no two lists of parts are written alike.
  std::string all;
  const auto add = [&all](std::string_view part) { fmt::format_to(std::back_inserter(all), "{}:{}", part.size(), part); };
  add(spec.model);
  add(spec.version);
  add(std::to_string(spec.input.header_length));
  add(std::to_string(spec.priority));
  add(timeout ? std::to_string(timeout->count()) : "");
  add(spec.webhook);
  add(spec.input.blob.id.hex);
  // Only where there are any, so that jobs of the time before them keep their digests.
  if (!spec.label.empty() || !spec.parameters.empty()) {
    add(spec.label);
    add(spec.parameters);
  }
  std::array<unsigned char, 32> digest{};
  EVP_Digest(all.data(), all.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  std::string text;
  for (const unsigned char byte : digest) fmt::format_to(std::back_inserter(text), "{:02x}", byte);
  return text;
}

}  // namespace lapse::serve::api
