#pragma once
// Infer requests with one FP32 tensor as bytes, no two alike: each has its own id in the JSON and its own first values in the tensor; the
// rest of the tensor is shared, so that a client of one thread can send hundreds of megabytes a second.

#include <boost/asio/buffer.hpp>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace load {

class Bodies {
 public:
  /// `shape` as in the protocol's JSON, "1,65536".
  Bodies(std::string input, std::string shape, std::uint64_t seed) : input_(std::move(input)), shape_(std::move(shape)), seed_(seed) {
    std::size_t values = 1;
    for (std::size_t at = 0; at < shape_.size();) {
      std::size_t used = 0;
      values *= std::stoul(shape_.substr(at), &used);
      at += used + 1;
    }
    if (values < kOwn) throw std::runtime_error("the tensor needs at least 4 values");
    std::mt19937_64 random{seed};
    std::uniform_real_distribution<float> value{-1, 1};
    values_.resize(values);
    for (float& each : values_) each = value(random);
  }

  struct Body {
    std::string begin;  // JSON and the values of its own
    boost::asio::const_buffer rest;
    std::size_t header_length = 0;
    std::size_t size() const { return begin.size() + rest.size(); }
  };

  Body make(std::uint64_t number) const {
    Body body;
    body.begin = R"({"id":")" + std::to_string(seed_) + "-" + std::to_string(number) +
                 R"(","parameters":{"binary_data_output":true},"inputs":[{"name":")" + input_ + R"(","shape":[)" + shape_ +
                 R"(],"datatype":"FP32","parameters":{"binary_data_size":)" + std::to_string(values_.size() * sizeof(float)) + "}}]}";
    body.header_length = body.begin.size();
    for (std::size_t i = 0; i < kOwn; ++i) {
      const float own = static_cast<float>((number >> (16 * i)) & 0xffff) / 65536.0F;
      char bytes[sizeof own];
      std::memcpy(bytes, &own, sizeof own);
      body.begin.append(bytes, sizeof own);
    }
    const auto rest = std::as_bytes(std::span{values_}.subspan(kOwn));
    body.rest = boost::asio::buffer(rest.data(), rest.size());
    return body;
  }

 private:
  static constexpr std::size_t kOwn = 4;
  std::string input_, shape_;
  std::uint64_t seed_;
  std::vector<float> values_;
};

}  // namespace load
