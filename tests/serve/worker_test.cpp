// A worker as the front sees it, over its socket.

#include <gmock/gmock.h>

#include "serve/front_end.hpp"

namespace lapse::serve {
namespace {

using How = wire::Finished::How;

TEST(Worker, TellsWhatItHasLoaded) {
  FrontEnd front;
  const auto loaded = front.load(load_of("null", 8));
  EXPECT_EQ(loaded.platform, "null");
  EXPECT_EQ(loaded.device, "cpu");
  EXPECT_TRUE(loaded.batches);
  ASSERT_EQ(loaded.signature.inputs.size(), 1u);
  EXPECT_EQ(loaded.signature.inputs[0].name, "x");
  EXPECT_EQ(loaded.signature.inputs[0].dtype, tensor::DType::Float32);
  EXPECT_EQ(loaded.signature.inputs[0].shape, (tensor::Shape{-1, 4}));
}

TEST(Worker, AnswersAnInlineRequestInline) {
  FrontEnd front;
  front.load(load_of("null"));
  const auto request = request_of({2, 4}, 7);
  front.run({request});
  EXPECT_EQ(front.hear_one<wire::Started>().keys, std::vector<std::uint64_t>{1});
  const auto answer = front.answers(1).at(1);
  ASSERT_EQ(answer.finished.how, How::Done) << answer.finished.error->message;
  EXPECT_EQ(answer.finished.size, answer.body.size());
  EXPECT_EQ(answer.finished.content_type, "application/octet-stream");
  // null's output is its input.
  EXPECT_EQ(answer.body.substr(answer.finished.header_length), request.first.substr(request.second));
  EXPECT_EQ(nlohmann::json::parse(answer.body.substr(0, answer.finished.header_length)).at("model_name"), "m");
  EXPECT_EQ(answer.finished.trace.batch_size, 1u);
  EXPECT_TRUE(answer.finished.trace.batched && answer.finished.trace.started && answer.finished.trace.forward);
  EXPECT_FALSE(answer.finished.trace.h2d);
}

TEST(Worker, AnswersARequestInTheBlobStoreThere) {
  FrontEnd front;
  front.load(load_of("null"));
  const auto [body, length] = request_of({1, 4}, 3);
  const auto blob = MemoryBlobs(front.shelf).put(std::as_bytes(std::span(body)));
  wire::Item item;
  item.key = 9;
  item.blob = *blob;
  item.header_length = length;
  front.send(wire::Run{{item}});
  const auto answer = front.answers(1).at(9);
  ASSERT_EQ(answer.finished.how, How::Done);
  ASSERT_TRUE(answer.finished.blob);
  EXPECT_TRUE(answer.body.empty());
  const std::string stored = *MemoryBlobs(front.shelf).read(answer.finished.blob->id);
  EXPECT_EQ(stored.size(), answer.finished.blob->size);
  EXPECT_EQ(stored.substr(answer.finished.header_length), body.substr(length));
}

TEST(Worker, RefusesABadRequestAndServesTheNext) {
  FrontEnd front;
  front.load(load_of("null"));
  front.run({{"not json", 0}, request_of({1, 4}, 1), request_of({1, 5}, 1), {"", 0}});
  const auto answers = front.answers(4);
  EXPECT_EQ(answers.at(1).finished.how, How::Failed);
  EXPECT_EQ(answers.at(1).finished.error->code, ErrorCode::BadInput);
  EXPECT_FALSE(answers.at(1).finished.retryable);
  EXPECT_EQ(answers.at(2).finished.how, How::Done);
  EXPECT_THAT(answers.at(3).finished.error->message, ::testing::HasSubstr("the model takes shape ?x4, not 1x5"));
  EXPECT_EQ(answers.at(4).finished.how, How::Failed);
}

TEST(Worker, FinishesWhatWasSentWhenItIsStopped) {
  FrontEnd front;
  front.load(load_of("sim:device=2ms"));
  front.run({request_of({1, 4}, 1), request_of({1, 4}, 2), request_of({1, 4}, 3)});
  front.send(wire::Stop{});
  for (const auto& [key, answer] : front.answers(3)) EXPECT_EQ(answer.finished.how, How::Done) << key;
  ASSERT_TRUE(front.wait());
  EXPECT_EQ(*front.status, 0);
}

TEST(Worker, SaysWhyAModelCannotBeLoadedAndEnds) {
  FrontEnd front;
  front.send(load_of("/nowhere/model.onnx"));
  EXPECT_EQ(front.hear_one<wire::Unloadable>().error.code, ErrorCode::BadModel);
  ASSERT_TRUE(front.wait());
  EXPECT_EQ(*front.status, exit_status(ErrorCode::BadModel));
}

}  // namespace
}  // namespace lapse::serve
