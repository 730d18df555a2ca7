// Photos through a worker, as the front sees it: real files, the real codec, and models that enlarge by 1, which keeps every pixel.

#include <gmock/gmock.h>

#include <image/made_up_photo.hpp>
#include <jobs/stores.hpp>
#include <lapse/image/codec.hpp>
#include <lapse/image/faults.hpp>
#include <lapse/jobs/folder_blob_store.hpp>

#include "serve/front_end.hpp"

namespace lapse::serve {
namespace {

using How = wire::Finished::How;
using image::Pixels;

/// What is written to it fails, as on a full disk.
class FullBlobs final : public jobs::BlobStore {
 public:
  explicit FullBlobs(std::unique_ptr<jobs::BlobStore> inner) : inner_(std::move(inner)) {}
  Result<std::unique_ptr<jobs::BlobWriter>> create() override { return std::make_unique<Full>(); }
  Result<jobs::Blob> put(std::span<const std::byte> bytes) override { return inner_->put(bytes); }
  Result<std::unique_ptr<jobs::BlobReader>> open(const jobs::BlobId& id) const override { return inner_->open(id); }
  Result<std::filesystem::path> local_file(const jobs::BlobId& id) const override { return inner_->local_file(id); }
  Result<jobs::Collected> remove_unreferenced(std::span<const jobs::BlobId>, Duration, const Referenced&) override { return {}; }
  Result<jobs::Collected> collect(Duration, const Referenced&) override { return {}; }
  Result<Usage> usage() const override { return Usage{}; }

 private:
  struct Full final : jobs::BlobWriter {
    Result<void> append(std::span<const std::byte>) override { return fail(ErrorCode::Unavailable, "no space left on device"); }
    Result<jobs::Blob> finish() override { return fail(ErrorCode::Unavailable, "no space left on device"); }
  };
  std::unique_ptr<jobs::BlobStore> inner_;
};

class Photos : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto codec = image::find_codec();
    ASSERT_TRUE(codec) << codec.error().message;
    codec_ = *codec;
    blobs_ = *jobs::FolderBlobStore::open(folder_ / "blobs");
  }

  OpenBlobs open_blobs() {
    return [this](const std::string&) -> Result<std::unique_ptr<jobs::BlobStore>> {
      LAPSE_TRY(auto blobs, jobs::FolderBlobStore::open(folder_ / "blobs"));
      if (full_) return std::make_unique<FullBlobs>(std::move(blobs));
      return blobs;
    };
  }
  /// A pass takes so long.
  static wire::Load photo_load(std::chrono::microseconds pass = {}) {
    wire::Load load = load_of(LAPSE_SOURCE_DIR "/README.md", 4);  // any file: it takes no model
    load.engine = LAPSE_BINARY_DIR "/tests/copying_engine.so";
    if (pass.count() > 0) load.options = {{"delay_us", std::to_string(pass.count())}};
    load.photo = image::Scaling{1, 32, 4};
    return load;
  }

  jobs::Blob stored(const Pixels& pixels, image::Format format = image::Format::Png) {
    std::string file;
    const auto sink = [&](std::span<const std::byte> bytes) -> Result<void> {
      file.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      return {};
    };
    auto writer = codec_->create({format, pixels.width, pixels.height, pixels.channels, nullptr}, sink).value();
    EXPECT_TRUE(writer->write(pixels.height, pixels.bytes));
    EXPECT_TRUE(writer->finish());
    return keep(file);
  }
  jobs::Blob keep(const std::string& bytes) { return blobs_->put(std::as_bytes(std::span{bytes})).value(); }
  Pixels decoded(const jobs::Blob& blob) {
    auto reader = codec_->open(blobs_->local_file(blob.id).value(), {}).value();
    Pixels pixels{reader->header().width, reader->header().height, reader->header().channels, {}};
    pixels.bytes.resize(pixels.width * pixels.height * pixels.channels);
    EXPECT_TRUE(reader->read(pixels.height, pixels.bytes));
    return pixels;
  }
  static wire::Item item(std::uint64_t key, const jobs::Blob& blob, std::string owner = "o", std::string parameters = "") {
    wire::Item made;
    made.key = key;
    made.blob = blob;
    made.owner = std::move(owner);
    made.parameters = std::move(parameters);
    return made;
  }

  jobs::Folder folder_;
  const image::Codec* codec_ = nullptr;
  std::unique_ptr<jobs::FolderBlobStore> blobs_;
  bool full_ = false;
};

TEST_F(Photos, ComeBackAsPicturesWithTheTimesOfTheirStages) {
  FrontEnd front(open_blobs());
  EXPECT_FALSE(front.load(photo_load()).batches);  // jobs are not joined; tiles are
  const Pixels pixels = Pixels::random(100, 70);
  front.send(wire::Run{{item(7, stored(pixels))}});
  EXPECT_EQ(front.hear_one<wire::Started>().keys, std::vector<std::uint64_t>{7});
  const auto progress = front.hear_one<wire::Progress>();
  EXPECT_EQ(progress.key, 7u);
  EXPECT_EQ(progress.total, 12u);  // 4 x 3 tiles, of which neighbours share 8 pixels
  const auto done = front.answers(1).at(7).finished;
  ASSERT_EQ(done.how, How::Done) << done.error->message;
  EXPECT_EQ(done.content_type, "image/png");
  EXPECT_EQ(decoded(*done.blob).bytes, pixels.bytes);
  const jobs::Trace& trace = done.trace;
  ASSERT_TRUE(trace.batched && trace.started && trace.preprocess && trace.forward && trace.postprocess);
  EXPECT_LE(*trace.batched, *trace.started);
  EXPECT_GT(*trace.forward, Duration{});
}

TEST_F(Photos, AreWrittenAsIsWishedForAndSaidOf) {
  FrontEnd front(open_blobs());
  front.load(photo_load());
  const auto photo = stored(Pixels::random(40, 40, 4));
  front.send(wire::Run{{item(1, photo, "o", R"({"format":"webp"})"), item(2, photo, "o", R"({"format":"jpeg","keep_metadata":true})")}});
  auto answers = front.answers(2);
  EXPECT_EQ(answers.at(1).finished.content_type, "image/webp");
  EXPECT_TRUE(answers.at(1).finished.notes.empty());
  EXPECT_EQ(answers.at(2).finished.content_type, "image/jpeg");
  EXPECT_EQ(answers.at(2).finished.notes, std::vector<std::string>{std::string(image::kFlattened.english)});
}

TEST_F(Photos, ThatAreBrokenFailAloneInPlainWords) {
  FrontEnd front(open_blobs());
  front.load(photo_load());
  const Pixels pixels = Pixels::random(200, 200);
  const auto whole = stored(pixels);
  const std::string bytes = blobs_->read(whole.id).value();
  front.send(wire::Run{{item(1, whole), item(2, keep(bytes.substr(0, bytes.size() / 2))), item(3, keep("GIF89a and so on")), item(4, whole),
                        item(5, {jobs::BlobId{std::string(64, 'a')}, 1})}});
  auto answers = front.answers(5);
  EXPECT_EQ(answers.at(2).finished.error->message, image::kTruncated.sentence.english);
  EXPECT_EQ(answers.at(3).finished.error->message, image::kNoPhoto.sentence.english);
  EXPECT_EQ(answers.at(5).finished.error->code, ErrorCode::NotFound);
  for (const std::uint64_t key : {2, 3, 5}) {
    EXPECT_EQ(answers.at(key).finished.how, How::Failed);
    EXPECT_FALSE(answers.at(key).finished.retryable);
  }
  for (const std::uint64_t key : {1, 4}) {
    ASSERT_EQ(answers.at(key).finished.how, How::Done);
    EXPECT_EQ(decoded(*answers.at(key).finished.blob).bytes, pixels.bytes);
  }
}

TEST_F(Photos, AreCancelledBetweenTwoTiles) {
  FrontEnd front(open_blobs());
  front.load(photo_load(std::chrono::microseconds{4000}));
  const auto photo = stored(Pixels::random(1000, 1000));
  std::vector<wire::Item> items;
  for (std::uint64_t key = 1; key <= 6; ++key) items.push_back(item(key, photo));
  front.send(wire::Run{items});
  for (std::uint64_t key = 1; key <= 4; ++key) EXPECT_EQ(front.hear_one<wire::Started>().keys, std::vector{key});
  front.hear_one<wire::Progress>();
  front.send(wire::Cancel{{5, 6, 1, 2, 3, 4}});  // in this order: an end makes room for the next
  for (const auto& [key, answer] : front.answers(6)) {
    EXPECT_EQ(answer.finished.how, How::Cancelled);
    EXPECT_EQ(answer.finished.stopped, key <= 4 ? "after the tile that was running" : "before it started") << key;
  }
  front.send(wire::Run{{item(7, stored(Pixels::random(20, 20)))}});
  EXPECT_EQ(front.answers(1).at(7).finished.how, How::Done);
}

TEST_F(Photos, OfOneOwnerDoNotHoldUpAnothers) {
  FrontEnd front(open_blobs());
  front.load(photo_load(std::chrono::milliseconds{2}));
  const auto large = stored(Pixels::random(400, 400)), small = stored(Pixels::random(60, 60));
  front.send(wire::Run{{item(1, large, "a"), item(2, large, "a"), item(3, large, "a"), item(4, small, "b")}});
  EXPECT_EQ(front.hear_one<wire::Finished>().key, 4u);
  front.answers(3);
}

TEST_F(Photos, ForWhichTheDiskHasNoRoomAreGivenBack) {
  full_ = true;
  FrontEnd front(open_blobs());
  front.load(photo_load());
  front.send(wire::Run{{item(1, stored(Pixels::random(300, 300)))}});
  const auto answer = front.answers(1).at(1).finished;
  EXPECT_EQ(answer.how, How::Released);
  EXPECT_EQ(answer.error->message, "no space left on device");
}

TEST_F(Photos, ThatWereSentAreFinishedWhenTheWorkerIsStopped) {
  FrontEnd front(open_blobs());
  front.load(photo_load(std::chrono::milliseconds{1}));
  const auto photo = stored(Pixels::random(100, 100));
  front.send(wire::Run{{item(1, photo), item(2, photo), item(3, photo), item(4, photo), item(5, photo)}});
  front.send(wire::Stop{});
  for (const auto& [key, answer] : front.answers(5)) EXPECT_EQ(answer.finished.how, How::Done) << key;
  ASSERT_TRUE(front.wait());
  EXPECT_EQ(*front.status, 0);
}

TEST_F(Photos, AreLeftWhereTheyAreWhenTheFrontHasGone) {
  FrontEnd front(open_blobs());
  front.load(photo_load(std::chrono::microseconds{4000}));
  const auto photo = stored(Pixels::random(2000, 2000));  // a minute and more
  front.send(wire::Run{{item(1, photo), item(2, photo)}});
  front.hear_one<wire::Progress>();
  const auto began = std::chrono::steady_clock::now();
  front.hang_up();
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds{30});
}

TEST_F(Photos, OfAModelThatDoesNotEnlargeSoFailAndTheWorkerStays) {
  FrontEnd front(open_blobs());
  wire::Load load = photo_load();
  load.photo->scale = 2;  // the engine gives back what it is given
  front.load(load);
  const auto photo = stored(Pixels::random(50, 50));
  for (const std::uint64_t key : {1, 2}) {
    front.send(wire::Run{{item(key, photo)}});
    const auto answer = front.answers(1).at(key).finished;
    ASSERT_EQ(answer.how, How::Failed);
    EXPECT_EQ(answer.error->code, ErrorCode::BadModel);
  }
}

TEST_F(Photos, TakeNoInferenceRequests) {
  FrontEnd front(open_blobs());
  front.load(photo_load());
  front.run({request_of({1, 4}, 1)});
  EXPECT_EQ(front.answers(1).at(1).finished.error->code, ErrorCode::Unsupported);
}

}  // namespace
}  // namespace lapse::serve
