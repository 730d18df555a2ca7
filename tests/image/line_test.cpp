#include <gtest/gtest.h>

#include <cstring>
#include <lapse/image/line.hpp>
#include <map>
#include <mutex>

#include "image/made_up_photo.hpp"

namespace lapse::image {
namespace {

/// Makes every pixel a square of scale².
Result<tensor::Tensor> repeat(const tensor::TensorView& in, std::int64_t scale) {
  LAPSE_TRY(auto out, tensor::Tensor::make(tensor::DType::Float32, {in.shape[0], 3, in.shape[2] * scale, in.shape[3] * scale}));
  const auto* from = reinterpret_cast<const float*>(in.data);
  auto* to = reinterpret_cast<float*>(out.data());
  for (std::int64_t plane = 0; plane < in.shape[0] * 3; ++plane) {
    for (std::int64_t y = 0; y < in.shape[2] * scale; ++y) {
      for (std::int64_t x = 0; x < in.shape[3] * scale; ++x) *to++ = from[(plane * in.shape[2] + y / scale) * in.shape[3] + x / scale];
    }
  }
  return out;
}

Pixels repeated(const Pixels& in, std::size_t scale) {
  Pixels out{in.width * scale, in.height * scale, in.channels};
  for (std::size_t y = 0; y < out.height; ++y) {
    for (std::size_t x = 0; x < out.width; ++x) {
      for (std::size_t c = 0; c < in.channels; ++c) out.bytes.push_back(in.bytes[(y / scale * in.width + x / scale) * in.channels + c]);
    }
  }
  return out;
}

constexpr Scaling kScaling{2, 32, 4};

class PhotoLine : public testing::Test {
 protected:
  struct Photo {
    Pixels in, out{};
    std::size_t readable = SIZE_MAX, room = SIZE_MAX;
    int ended = 0;
    std::optional<Error> error{};
    std::string owner{};
    std::atomic<bool>* unwanted = nullptr;
    std::vector<Advance> advances{};
  };

  std::unique_ptr<Order> next() {
    if (asked_ == photos_.size()) return nullptr;
    Photo& photo = photos_[asked_++];
    photo.out = {photo.in.width * 2, photo.in.height * 2, photo.in.channels};
    auto enlargement = Enlargement::make(std::make_unique<MadeUpReader>(photo.in, photo.readable),
                                         std::make_unique<MadeUpWriter>(photo.out, photo.room), kScaling);
    auto order = std::make_unique<Order>();
    order->enlargement = std::move(*enlargement);
    order->ended = [this, &photo](const Result<void>& how) {
      const std::lock_guard lock{mutex_};
      ++photo.ended;
      order_of_ends_.push_back(photo.owner);
      if (!how) photo.error = how.error();
    };
    order->owner = photo.owner;
    if (photo.unwanted != nullptr) order->wanted = [&photo] { return !*photo.unwanted; };
    order->advanced = [&photo](const Advance& advance) { photo.advances.push_back(advance); };
    return order;
  }

  Result<void> run(const Infer& infer, LineOptions options = {}) {
    return enlarge([this] { return next(); }, infer, options);
  }
  Result<void> run() {
    return run([this](const tensor::TensorView& in) {
      ++batches_[in.shape[0]];
      return repeat(in, 2);
    });
  }

  std::vector<Photo> photos_;
  std::size_t asked_ = 0;
  std::mutex mutex_;
  std::map<std::int64_t, int> batches_;     // by their size
  std::vector<std::string> order_of_ends_;  // owners
};

TEST_F(PhotoLine, EnlargesManyPhotosOfAllSizes) {
  std::mt19937 random(5);
  for (unsigned i = 0; i < 40; ++i) photos_.push_back({Pixels::random(1 + random() % 150, 1 + random() % 150, 3 + i % 2, i)});
  ASSERT_TRUE(run());
  for (const Photo& photo : photos_) {
    EXPECT_EQ(photo.ended, 1);
    EXPECT_FALSE(photo.error);
    EXPECT_EQ(photo.out.bytes, repeated(photo.in, 2).bytes) << photo.in.width << " x " << photo.in.height;
  }
}

TEST_F(PhotoLine, PutsTilesOfSeveralPhotosIntoOneBatch) {
  // Four tiles each in all, and only one row of them at a time would be two.
  for (unsigned i = 0; i < 2; ++i) photos_.push_back({Pixels::random(32, 32, 3, i)});
  ASSERT_TRUE(run());
  EXPECT_EQ(batches_, (std::map<std::int64_t, int>{{2, 1}}));
}

TEST_F(PhotoLine, DoesNotLetOneOwnersManyPhotosHoldUpAnothersOne) {
  // 36 tiles each: taken photo by photo, hers would be the last of four to end.
  for (unsigned i = 0; i < 3; ++i) photos_.push_back({Pixels::random(128, 128, 3, i), {}, SIZE_MAX, SIZE_MAX, 0, {}, "many"});
  photos_.push_back({Pixels::random(128, 128, 3, 9), {}, SIZE_MAX, SIZE_MAX, 0, {}, "one"});
  LineOptions options;
  options.in_flight = 4;
  ASSERT_TRUE(run([](const tensor::TensorView& in) { return repeat(in, 2); }, options));
  EXPECT_EQ(order_of_ends_.front(), "one");
}

TEST_F(PhotoLine, TellsHowFarAPhotoIsAndWhatItTook) {
  photos_.push_back({Pixels::random(128, 32)});
  ASSERT_TRUE(run());
  const auto& advances = photos_[0].advances;
  ASSERT_EQ(advances.size(), 5);
  for (std::size_t i = 0; i < advances.size(); ++i) {
    EXPECT_EQ(advances[i].done, i + 1);
    EXPECT_EQ(advances[i].total, 5);
  }
  EXPECT_GT(advances.back().forward, Duration{});
  EXPECT_GT(advances.back().preprocess, Duration{});
  EXPECT_GT(advances.back().postprocess, Duration{});
}

TEST_F(PhotoLine, DropsAPhotoThatNobodyWantsWithinOneTile) {
  std::atomic<bool> unwanted{false};
  photos_.push_back({Pixels::random(500, 500), {}, SIZE_MAX, SIZE_MAX, 0, {}, {}, &unwanted});
  photos_.push_back({Pixels::random(100, 100)});
  int passes = 0;
  LineOptions options;
  options.max_batch = 1;
  options.in_flight = 1;
  ASSERT_TRUE(run(
      [&](const tensor::TensorView& in) {
        unwanted = ++passes == 3 || unwanted;
        return repeat(in, 2);
      },
      options));
  ASSERT_TRUE(photos_[0].error);
  EXPECT_EQ(photos_[0].error->code, ErrorCode::Cancelled);
  EXPECT_LE(photos_[0].advances.size(), 2);  // the third tile was under way, and what came of it is thrown away
  EXPECT_EQ(passes, 3 + 16);                 // and those that were cut already are not run
  EXPECT_FALSE(photos_[1].error);
}

TEST_F(PhotoLine, TakesPhotosAsTheyCome) {
  for (unsigned i = 0; i < 3; ++i) photos_.push_back({Pixels::random(100, 100, 3, i)});
  int waits = 0, idle = 0;
  LineOptions options;
  options.ready = [&](bool wait) {
    ++(wait ? waits : idle);
    return wait;  // never one while another is on its way
  };
  ASSERT_TRUE(run([](const tensor::TensorView& in) { return repeat(in, 2); }, options));
  EXPECT_EQ(waits, 4);  // before each, and before the end
  EXPECT_GT(idle, 0);
  for (const Photo& photo : photos_) EXPECT_EQ(photo.out.bytes, repeated(photo.in, 2).bytes);
}

TEST_F(PhotoLine, DoesNothingWithoutPhotos) {
  ASSERT_TRUE(run());
  EXPECT_TRUE(batches_.empty());
}

TEST_F(PhotoLine, LetsOnePhotosFaultBeItsOwn) {
  for (unsigned i = 0; i < 9; ++i) photos_.push_back({Pixels::random(100, 100, 3, i)});
  photos_[0].readable = 0;
  photos_[4].readable = 50;
  photos_[6].room = 10;
  photos_[8].readable = 0;
  ASSERT_TRUE(run());
  for (std::size_t i = 0; i < photos_.size(); ++i) {
    EXPECT_EQ(photos_[i].ended, 1) << i;
    EXPECT_EQ(photos_[i].error.has_value(), i == 0 || i == 4 || i == 6 || i == 8) << i;
    if (photos_[i].error) continue;
    EXPECT_EQ(photos_[i].out.bytes, repeated(photos_[i].in, 2).bytes) << i;
  }
  EXPECT_EQ(photos_[4].error->message, "the file ends before the picture does");
  EXPECT_EQ(photos_[6].error->message, "the disk is full");
}

TEST_F(PhotoLine, EndsEveryPhotoOnItsWayWithTheModelsError) {
  for (unsigned i = 0; i < 5; ++i) photos_.push_back({Pixels::random(300, 300, 3, i)});
  int passes = 0;
  const auto failed = run([&](const tensor::TensorView& in) -> Result<tensor::Tensor> {
    if (++passes == 3) return fail(ErrorCode::DeviceUnusable, "the device is gone");
    return repeat(in, 2);
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "the device is gone");
  EXPECT_EQ(passes, 3);
  for (std::size_t i = 0; i < asked_; ++i) {
    EXPECT_EQ(photos_[i].ended, 1);
    EXPECT_EQ(photos_[i].error->message, "the device is gone");
  }
  EXPECT_LT(asked_, photos_.size());
}

TEST_F(PhotoLine, RefusesAModelThatMakesAnotherShape) {
  photos_.push_back({Pixels::random(50, 50)});
  const auto failed = run([](const tensor::TensorView& in) { return repeat(in, 3); });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::BadModel);
  EXPECT_EQ(photos_[0].ended, 1);
}

TEST_F(PhotoLine, StopsWhenItIsTold) {
  for (unsigned i = 0; i < 5; ++i) photos_.push_back({Pixels::random(300, 300, 3, i)});
  std::atomic<bool> stop{false};
  int passes = 0;
  LineOptions options;
  options.stop = &stop;
  const auto stopped = run(
      [&](const tensor::TensorView& in) {
        stop = ++passes == 2;
        return repeat(in, 2);
      },
      options);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::Interrupted);
  EXPECT_EQ(passes, 2);
  for (std::size_t i = 0; i < asked_; ++i) EXPECT_EQ(photos_[i].ended, 1);
}

}  // namespace
}  // namespace lapse::image
