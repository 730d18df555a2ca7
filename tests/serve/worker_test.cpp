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

TEST(TheLedger, LetsEveryRequestBeAnsweredOnce) {
  using Verdict = Ledger::Verdict;
  Ledger ledger;
  EXPECT_TRUE(ledger.add(1));
  EXPECT_FALSE(ledger.add(1));
  EXPECT_TRUE(ledger.wanted(1));
  EXPECT_TRUE(ledger.cancel(1));   // answered by whoever cancels…
  EXPECT_FALSE(ledger.cancel(1));  // …once
  EXPECT_FALSE(ledger.wanted(1));
  EXPECT_EQ(ledger.end(1), Verdict::Dropped);
  EXPECT_TRUE(ledger.add(1));
  EXPECT_TRUE(ledger.cancel(1));
  EXPECT_FALSE(ledger.begin(1));
  EXPECT_FALSE(ledger.begin(1));

  EXPECT_TRUE(ledger.add(2));
  EXPECT_TRUE(ledger.begin(2));
  EXPECT_TRUE(ledger.wanted(2));
  EXPECT_FALSE(ledger.cancel(2));  // answered when its pass is over
  EXPECT_FALSE(ledger.wanted(2));
  EXPECT_EQ(ledger.end(2), Verdict::Cancelled);
  EXPECT_EQ(ledger.end(2), Verdict::Dropped);

  EXPECT_TRUE(ledger.add(3));
  EXPECT_TRUE(ledger.begin(3));
  EXPECT_EQ(ledger.end(3), Verdict::Answer);
  EXPECT_FALSE(ledger.cancel(3));
  EXPECT_TRUE(ledger.add(4));
  ledger.drop_all();
  EXPECT_FALSE(ledger.begin(4));
}

TEST(Worker, TellsADeclaredSignatureWhereItDoesNotFit) {
  FrontEnd front;
  auto load = load_of("null");
  load.declared.inputs = {{"image", tensor::DType::Float32, std::nullopt}};
  front.send(load);
  const auto error = front.hear_one<wire::Unloadable>().error;
  EXPECT_EQ(error.code, ErrorCode::BadModel);
  EXPECT_THAT(error.message, ::testing::HasSubstr("'image'"));
}

TEST(Worker, RefusesBodiesThatAreNotWhereTheySayAndKeysThatAreTaken) {
  FrontEnd front;
  front.load(load_of("null"));
  wire::Item item;
  item.key = 1;
  item.offset = ~std::uint64_t{0};
  item.size = 2;
  front.send(wire::Run{{item}}, "{}");
  EXPECT_EQ(front.answers(1).at(1).finished.how, How::Failed);
  item.blob = jobs::Blob{{std::string(64, 'f')}, 1};
  front.send(wire::Run{{item}});
  EXPECT_EQ(front.answers(1).at(1).finished.error->code, ErrorCode::NotFound);
  front.send(wire::Run{{item, item}});
  ASSERT_FALSE(front.wait());
  EXPECT_EQ(front.status.error().code, ErrorCode::BadInput);
}

}  // namespace
}  // namespace lapse::serve
