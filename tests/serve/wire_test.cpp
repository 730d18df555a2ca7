// Frames between front and worker: what is written can be read, and nothing else.

#include <gmock/gmock.h>

#include <lapse/serve/worker/wire.hpp>
#include <nlohmann/json.hpp>

namespace lapse::serve::wire {
namespace {

// Without its prefix.
template <class Message>
std::string header_of(const Message& message) {
  return encode(message).substr(kPrefix);
}

oip::Signature signature() {
  oip::Signature signature;
  signature.inputs = {{"x", tensor::DType::Float32, tensor::Shape{-1, 4}}, {"y", tensor::DType::Unknown, std::nullopt}};
  signature.outputs = {{"z", tensor::DType::BFloat16, tensor::Shape{}}};
  return signature;
}

std::vector<ToWorker> to_worker() {
  Load load;
  load.name = "n";
  load.version = "1";
  load.model = "sim:device=5ms";
  load.options = {{"b", "1"}, {"a", "2"}};
  load.threads = 3;
  load.max_batch = 8;
  load.declared = signature();
  load.blobs = "/data/blobs";
  load.photo = image::Scaling{4, 256, 12};
  Item inline_item;
  inline_item.key = ~std::uint64_t{0};
  inline_item.offset = 5;
  inline_item.size = 7;
  Item blob_item;
  blob_item.blob = jobs::Blob{{std::string(64, 'a')}, 99};
  blob_item.header_length = 12;
  blob_item.owner = "ann";
  blob_item.parameters = R"({"format":"png"})";
  blob_item.deadline = jobs::Time{std::chrono::seconds{1'700'000'000}};
  return {load, Run{{inline_item, blob_item}}, Cancel{{1, 2}}, Stop{}};
}

std::vector<ToFront> to_front() {
  Loaded loaded;
  loaded.signature = signature();
  loaded.platform = "torch";
  loaded.threads = 2;
  loaded.batches = true;
  loaded.load = std::chrono::milliseconds{5};
  Finished done;
  done.key = 3;
  done.blob = jobs::Blob{{std::string(64, '0')}, 1};
  done.content_type = "application/json";
  done.trace.started = jobs::Time{std::chrono::nanoseconds{1'234'567'890'123'456'789}};
  done.trace.forward = std::chrono::nanoseconds{77};
  done.trace.preprocess = std::chrono::nanoseconds{88};
  done.trace.batch_size = 4;
  done.notes = {"a note"};
  Finished failed;
  failed.how = Finished::How::Failed;
  failed.error = Error{ErrorCode::OutOfMemory, "no \"room\"", "less"};
  failed.retryable = true;
  Finished released;
  released.how = Finished::How::Released;
  released.error = Error{ErrorCode::Deadline, "late", ""};
  return {loaded,
          Unloadable{{ErrorCode::BadModel, "what", "then"}},
          Started{{1}, 8},
          done,
          failed,
          released,
          Progress{4, 5, 6},
          Alive{},
          Alive{done.trace.started}};
}

TEST(AFrame, IsReadAsItWasWritten) {
  for (const ToWorker& message : to_worker()) {
    const auto again = parse_to_worker(header_of(message));
    ASSERT_TRUE(again) << header_of(message);
    EXPECT_EQ(again->index(), message.index());
    EXPECT_EQ(header_of(*again), header_of(message));
  }
  for (const ToFront& message : to_front()) {
    const auto again = parse_to_front(header_of(message));
    ASSERT_TRUE(again) << header_of(message);
    EXPECT_EQ(again->index(), message.index());
    EXPECT_EQ(header_of(*again), header_of(message));
  }
  const auto load = std::get<Load>(*parse_to_worker(header_of(to_worker()[0])));
  EXPECT_EQ(load.options[0].first, "b");
  EXPECT_EQ(load.declared.inputs[0].shape, (tensor::Shape{-1, 4}));
  EXPECT_FALSE(load.declared.inputs[1].shape);
  EXPECT_TRUE(load.declared.outputs[0].shape && load.declared.outputs[0].shape->empty());
  const auto finished = std::get<Finished>(*parse_to_front(header_of(to_front()[3])));
  EXPECT_EQ(finished.trace.started->time_since_epoch().count(), 1'234'567'890'123'456'789);
  EXPECT_FALSE(finished.trace.h2d);
}

TEST(AFrame, HasItsLengthsInFront) {
  const std::string frame = encode(ToWorker{Stop{}}, 0x0102030405);
  EXPECT_EQ(frame.substr(0, kPrefix),
            std::string("\x0F\0\0\0\x05\x04\x03\x02\x01\0\0\0", kPrefix).replace(0, 1, 1, static_cast<char>(frame.size() - kPrefix)));
  char bytes[kPrefix];
  frame.copy(bytes, kPrefix);
  EXPECT_FALSE(parse_prefix(bytes));  // 4 GiB of payload
  const std::string sound = encode(ToWorker{Stop{}}, 77);
  sound.copy(bytes, kPrefix);
  ASSERT_TRUE(parse_prefix(bytes));
  EXPECT_EQ(parse_prefix(bytes)->payload, 77u);
  EXPECT_EQ(parse_prefix(bytes)->header, sound.size() - kPrefix);
  std::fill_n(bytes, 4, '\xFF');
  EXPECT_FALSE(parse_prefix(bytes));
}

TEST(AFrame, IsRefusedWithoutAnyOneOfItsKeysOrWithAWrongType) {
  const auto try_all = [&](const std::string& header, const auto& parse) {
    const auto json = nlohmann::json::parse(header);
    const auto optional = [&](const std::string& key) {
      return key == "blob" || key == "photo" || key == "running_since" || (key == "error" && json.at("type") == "finished");
    };
    for (const auto& [key, value] : json.items()) {
      auto without = json;
      without.erase(key);
      EXPECT_EQ(parse(without.dump()).has_value(), optional(key)) << without;
      for (const nlohmann::json& wrong : {nlohmann::json(), nlohmann::json(1.5), nlohmann::json("no"), nlohmann::json::array({1.5}),
                                          nlohmann::json::object(), nlohmann::json(-1), nlohmann::json(true)}) {
        if (wrong.type() == value.type() || (wrong.is_number_integer() && value.is_number_integer())) continue;
        auto other = json;
        other[key] = wrong;
        EXPECT_FALSE(parse(other.dump())) << other;
      }
    }
  };
  for (const ToWorker& message : to_worker()) try_all(header_of(message), parse_to_worker);
  for (const ToFront& message : to_front()) try_all(header_of(message), parse_to_front);
}

TEST(AFrame, IsRefusedWhenItIsNoMessage) {
  for (const std::string header :
       {"", "x", "[]", "null", "{}", R"({"type":7})", R"({"type":"loaded"})", R"({"type":"jump"})", "{\"type\":\"stop\"", "\xFF"}) {
    EXPECT_EQ(parse_to_worker(header).error().code, ErrorCode::BadInput) << header;
  }
  EXPECT_FALSE(parse_to_front(R"({"type":"stop"})"));  // the other way
  EXPECT_FALSE(parse_to_worker(std::string(100'000, '[')));
}

TEST(AFrame, HasNumbersInTheirRange) {
  auto finished = nlohmann::json::parse(header_of(to_front()[3]));
  for (const nlohmann::json& how : {nlohmann::json(4), nlohmann::json(-1), nlohmann::json(256)}) {
    finished["how"] = how;
    EXPECT_FALSE(parse_to_front(finished.dump())) << how;
  }
  finished["how"] = 2;
  EXPECT_TRUE(parse_to_front(finished.dump()));
  finished["trace"]["batch_size"] = 1ull << 32;
  EXPECT_FALSE(parse_to_front(finished.dump()));
  auto run = nlohmann::json::parse(header_of(to_worker()[1]));
  run["items"][1]["blob"]["id"] = "../../etc/passwd";
  EXPECT_FALSE(parse_to_worker(run.dump()));
}

TEST(AFrame, CarriesTextsThatAreNoUtf8) {
  const auto again = parse_to_front(header_of(ToFront{Unloadable{{ErrorCode::BadModel, "bad \xFF byte", ""}}}));
  ASSERT_TRUE(again);
  EXPECT_EQ(std::get<Unloadable>(*again).error.message, "bad \xEF\xBF\xBD byte");
}

}  // namespace
}  // namespace lapse::serve::wire
