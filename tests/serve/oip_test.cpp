// Requests and responses of the Open Inference Protocol: as they should be, and as they come.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <lapse/serve/oip/infer.hpp>
#include <limits>
#include <nlohmann/json.hpp>

namespace lapse::serve::oip {
namespace {

using tensor::DType;
using ::testing::HasSubstr;

template <class T>
std::vector<T> values(const tensor::Tensor& tensor) {
  std::vector<T> result(tensor.bytes() / sizeof(T));
  std::memcpy(result.data(), tensor.data(), tensor.bytes());
  return result;
}

std::string input(const std::string& rest) { return R"({"inputs":[{"name":"x",)" + rest + "}]}"; }

Error refusal(const std::string& body, std::uint64_t header_length = 0) {
  const auto request = parse_request(body, header_length);
  EXPECT_FALSE(request) << body.substr(0, 200);
  if (request) return {ErrorCode::Internal, "it was accepted", ""};
  EXPECT_EQ(request.error().message.find('\n'), std::string::npos);
  return request.error();
}

// ---- what is read ----

TEST(InferRequestOf, JsonIsReadNestedAndFlat) {
  for (const char* data : {"[1.5,2,-3,4e2,5,6]", "[[1.5,2,-3],[4e2,5,6]]"}) {
    const auto request = parse_request(input(R"("shape":[2,3],"datatype":"FP32","data":)" + std::string(data)), 0);
    ASSERT_TRUE(request) << request.error().message;
    ASSERT_EQ(request->inputs.size(), 1u);
    EXPECT_EQ(request->inputs[0].name, "x");
    EXPECT_EQ(request->inputs[0].tensor.shape(), (tensor::Shape{2, 3}));
    EXPECT_EQ(values<float>(request->inputs[0].tensor), (std::vector<float>{1.5F, 2, -3, 400, 5, 6}));
  }
}

TEST(InferRequestOf, KeysStandInAnyOrder) {
  const auto request =
      parse_request(R"({"outputs":[{"name":"y"}],"inputs":[{"data":[[1],[2]],"datatype":"INT8","parameters":{},"shape":[2,1],"name":"a"},)"
                    R"({"shape":[2],"data":[true,0],"datatype":"BOOL","name":"b"}],"id":"seven"})",
                    0);
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(values<std::int8_t>(request->inputs[0].tensor), (std::vector<std::int8_t>{1, 2}));
  EXPECT_EQ(values<std::uint8_t>(request->inputs[1].tensor), (std::vector<std::uint8_t>{1, 0}));
  EXPECT_EQ(request->inputs[1].name, "b");
  EXPECT_EQ(request->id, "seven");
  EXPECT_EQ(request->outputs[0].name, "y");
  EXPECT_FALSE(request->outputs[0].binary);
}

TEST(InferRequestOf, ParametersThatAreKnownAreTakenAndOthersLeft) {
  const auto request = parse_request(
      R"({"parameters":{"binary_data_output":true,"priority":21,"timeout":2500,"sequence_id":{"deep":[1,[2]]},"x":null},)"
      R"("inputs":[],"outputs":[{"name":"y","parameters":{"binary_data":false,"classification":0}},{"name":"z"}],"other":[{}]})",
      0);
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_TRUE(request->binary_output);
  EXPECT_EQ(request->priority, -10) << "Triton's lowest level";
  EXPECT_EQ(request->timeout_us, 2500u);
  EXPECT_EQ(request->outputs[0].binary, false);
  EXPECT_EQ(request->outputs[1].binary, std::nullopt);
}

TEST(InferRequestOf, PrioritiesAreTritonsLevels) {
  const auto priority = [](const std::string& level) {
    return parse_request(R"({"inputs":[],"parameters":{"priority":)" + level + "}}", 0)->priority;
  };
  EXPECT_EQ(priority("1"), 10) << "the highest";
  EXPECT_EQ(priority("2"), 9);
  EXPECT_EQ(priority("11"), 0);
  EXPECT_EQ(priority("0"), std::nullopt) << "whatever is ordinary";
}

TEST(InferRequestOf, EveryTypeIsReadAtItsLimits) {
  const auto read = [](const std::string& type, const std::string& data) {
    auto request = parse_request(input(R"("shape":[2],"datatype":")" + type + R"(","data":)" + data), 0);
    EXPECT_TRUE(request) << request.error().message;
    return std::move(request->inputs[0].tensor);
  };
  EXPECT_EQ(values<std::uint8_t>(read("UINT8", "[0,255]")), (std::vector<std::uint8_t>{0, 255}));
  EXPECT_EQ(values<std::int8_t>(read("INT8", "[-128,127]")), (std::vector<std::int8_t>{-128, 127}));
  EXPECT_EQ(values<std::uint16_t>(read("UINT16", "[0,65535]")), (std::vector<std::uint16_t>{0, 65535}));
  EXPECT_EQ(values<std::int16_t>(read("INT16", "[-32768,32767]")), (std::vector<std::int16_t>{-32768, 32767}));
  EXPECT_EQ(values<std::uint32_t>(read("UINT32", "[0,4294967295]")), (std::vector<std::uint32_t>{0, 4294967295U}));
  EXPECT_EQ(values<std::int32_t>(read("INT32", "[-2147483648,2147483647]")),
            (std::vector<std::int32_t>{std::numeric_limits<std::int32_t>::min(), 2147483647}));
  EXPECT_EQ(values<std::uint64_t>(read("UINT64", "[0,18446744073709551615]")), (std::vector<std::uint64_t>{0, ~std::uint64_t{0}}));
  EXPECT_EQ(values<std::int64_t>(read("INT64", "[-9223372036854775808,9223372036854775807]")),
            (std::vector<std::int64_t>{std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}));
  EXPECT_EQ(values<std::uint16_t>(read("FP16", "[1.5,-65504]")), (std::vector<std::uint16_t>{0x3E00, 0xFBFF}));
  EXPECT_EQ(values<std::uint16_t>(read("BF16", "[1.5,-2]")), (std::vector<std::uint16_t>{0x3FC0, 0xC000}));
  EXPECT_EQ(values<float>(read("FP32", "[0.1,3.4028235e38]")), (std::vector<float>{0.1F, 3.4028235e38F}));
  EXPECT_EQ(values<double>(read("FP64", "[0.1,1e308]")), (std::vector<double>{0.1, 1e308}));
}

TEST(InferRequestOf, NoMoreMemoryIsTakenThanIsToldBefore) {
  std::string zeros = "0";
  for (int i = 1; i < 10'000; ++i) zeros += ",0";
  const std::string json = input(R"("shape":[10000],"datatype":"FP64","data":[)" + zeros + "]");
  const auto largest = parse_request(json, 0);
  ASSERT_TRUE(largest);
  EXPECT_LE(largest->inputs[0].tensor.bytes(), memory_for(json.size(), 0));
  EXPECT_GT(largest->inputs[0].tensor.bytes(), memory_for(json.size(), 0) * 9 / 10) << "nor much less, at the worst";
  EXPECT_EQ(memory_for(1000, 100), 4 * 100 + 900u);
  EXPECT_EQ(memory_for(1000, 2000), 4 * 1000u) << "which is refused";
}

TEST(InferRequestOf, ScalarsAndEmptyTensorsAreTensorsToo) {
  const auto scalar = parse_request(input(R"("shape":[],"datatype":"FP64","data":[2.5])"), 0);
  ASSERT_TRUE(scalar) << scalar.error().message;
  EXPECT_EQ(values<double>(scalar->inputs[0].tensor), std::vector<double>{2.5});
  for (const char* data : {"[]", "[[],[]]"}) {
    const auto empty = parse_request(input(R"("shape":[2,0],"datatype":"FP32","data":)" + std::string(data)), 0);
    ASSERT_TRUE(empty) << empty.error().message;
    EXPECT_EQ(empty->inputs[0].tensor.bytes(), 0u);
  }
}

TEST(InferRequestOf, BinaryTensorsFollowTheJsonInOrder) {
  const std::string json = R"({"inputs":[{"name":"a","shape":[2],"datatype":"FP32","parameters":{"binary_data_size":8}},)"
                           R"({"name":"j","shape":[1],"datatype":"INT32","data":[5]},)"
                           R"({"name":"b","shape":[1,2],"datatype":"UINT8","parameters":{"binary_data_size":2}}]})";
  const float numbers[]{1.0F, -2.0F};
  const std::string body = json + std::string(reinterpret_cast<const char*>(numbers), 8) + "\x07\x08";
  const auto request = parse_request(body, json.size());
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(values<float>(request->inputs[0].tensor), (std::vector<float>{1, -2}));
  EXPECT_EQ(values<std::int32_t>(request->inputs[1].tensor), std::vector<std::int32_t>{5});
  EXPECT_EQ(values<std::uint8_t>(request->inputs[2].tensor), (std::vector<std::uint8_t>{7, 8}));
}

// ---- what is refused ----

TEST(InferRequestRefuses, WhatIsNoJsonObject) {
  for (const char* body : {"", " ", "null", "1", "\"x\"", "[]", "[{}]", "{", "{\"inputs\":[}", "{}{}", "\xFF\xFE", "{\"id\":\"\xFF\"}",
                           "{\"inputs\":[]} trailing", "{'inputs':[]}", "{\"inputs\":[],}", "// comment\n{\"inputs\":[]}"}) {
    EXPECT_EQ(refusal(body).code, ErrorCode::BadInput) << body;
  }
  EXPECT_THAT(refusal("{}").message, HasSubstr("no 'inputs'"));
}

TEST(InferRequestRefuses, TenThousandLevels) {
  const std::string deep = std::string(10'000, '[') + std::string(10'000, ']');
  for (const std::string& body :
       {deep, R"({"inputs":)" + deep + "}", R"({"parameters":{"x":)" + deep + "}}", R"({"x":)" + deep + "}",
        input(R"("shape":[1],"datatype":"FP32","data":)" + deep), input(R"("data":)" + deep), input(R"("shape":)" + deep)}) {
    EXPECT_EQ(refusal(body).code, ErrorCode::BadInput);
  }
  std::string objects;
  for (int i = 0; i < 10'000; ++i) objects += R"({"x":)";
  EXPECT_THAT(refusal(objects).message, HasSubstr("deeper than 64 levels"));
}

TEST(InferRequestRefuses, ShapeAndDataThatDisagree) {
  const auto message = [](const std::string& shape, const std::string& data) {
    return refusal(input(R"("shape":)" + shape + R"(,"datatype":"FP32","data":)" + data)).message;
  };
  EXPECT_THAT(message("[2,3]", "[1,2,3,4,5]"), HasSubstr("shape 2x3 wants 6 elements, and 5 are there"));
  EXPECT_THAT(message("[2,3]", "[1,2,3,4,5,6,7]"), HasSubstr("wants 6 elements, and more are there"));
  EXPECT_THAT(message("[2,3]", "[[1,2,3],[4,5]]"), HasSubstr("wants 3 elements, and 2 are there in a list of level 2"));
  EXPECT_THAT(message("[2,3]", "[[1,2],[3,4],[5,6]]"), HasSubstr("in a list of level 2"));
  EXPECT_THAT(message("[2,3]", "[[1,2,3]]"), HasSubstr("wants 2 elements, and 1 are there in a list of level 1"));
  EXPECT_THAT(message("[2,3]", "[[[1],[2],[3]],[[4],[5],[6]]]"), HasSubstr("nested otherwise"));
  EXPECT_THAT(message("[2,3]", "[[1,2,3],4,5,6]"), HasSubstr("nested otherwise"));
  EXPECT_THAT(message("[2,3]", "[1,2,3,[4,5,6]]"), HasSubstr("nested otherwise"));
  EXPECT_THAT(message("[2,2,1]", "[[1,2],[3,4]]"), HasSubstr("nested otherwise"));
  EXPECT_THAT(message("[]", "[]"), HasSubstr("wants 1 elements"));
  EXPECT_THAT(message("[0]", "[1]"), HasSubstr("wants 0 elements"));
  EXPECT_THAT(message("[1000000000]", "[1]"), HasSubstr("more elements than the request"));
}

TEST(InferRequestRefuses, ShapesThatOverflowOrAreNegative) {
  const auto message = [](const std::string& shape) {
    return refusal(input(R"("shape":)" + shape + R"(,"datatype":"FP32","data":[1])")).message;
  };
  EXPECT_THAT(message("[-1]"), HasSubstr("not a whole number of 0 or more"));
  EXPECT_THAT(message("[1.0]"), HasSubstr("not a whole number"));
  EXPECT_THAT(message("[true]"), HasSubstr("not a whole number"));
  EXPECT_THAT(message("[\"1\"]"), HasSubstr("not a whole number"));
  EXPECT_THAT(message("[null]"), HasSubstr("not a whole number"));
  EXPECT_THAT(message("[[1]]"), HasSubstr("not a whole number"));
  EXPECT_THAT(message("[9223372036854775808]"), HasSubstr("not a whole number"));
  EXPECT_THAT(message("[99999999999999999999999]"), HasSubstr("not a whole number"));
  EXPECT_THAT(message("[4294967296,4294967296]"), HasSubstr("more elements than the request"));
  EXPECT_THAT(message("[9223372036854775807,2]"), HasSubstr("more elements than the request"));
  std::string many = "[1";
  for (int i = 0; i < 40; ++i) many += ",1";
  EXPECT_THAT(message(many + "]"), HasSubstr("more than 32 dimensions"));
  EXPECT_THAT(message("1"), HasSubstr("'shape' is not a list"));
}

TEST(InferRequestRefuses, ElementsThatTheTypeDoesNotHave) {
  const auto message = [](const std::string& type, const std::string& element) {
    return refusal(input(R"("shape":[2],"datatype":")" + type + R"(","data":[0,)" + element + "]")).message;
  };
  EXPECT_THAT(message("UINT8", "256"), HasSubstr("element 1 is no UINT8"));
  EXPECT_THAT(message("UINT8", "-1"), HasSubstr("element 1 is no UINT8"));
  EXPECT_THAT(message("INT8", "128"), HasSubstr("is no INT8"));
  EXPECT_THAT(message("INT64", "9223372036854775808"), HasSubstr("is no INT64"));
  EXPECT_THAT(message("UINT64", "18446744073709551616"), HasSubstr("is no UINT64"));
  EXPECT_THAT(message("INT32", "1.5"), HasSubstr("is no INT32"));
  EXPECT_THAT(message("INT32", "true"), HasSubstr("is no INT32"));
  EXPECT_THAT(message("BOOL", "2"), HasSubstr("is no BOOL"));
  EXPECT_THAT(message("BOOL", "-1"), HasSubstr("is no BOOL"));
  EXPECT_THAT(message("BOOL", "0.0"), HasSubstr("is no BOOL"));
  EXPECT_THAT(message("FP32", "false"), HasSubstr("is no FP32"));
  EXPECT_THAT(message("FP32", "1e39"), HasSubstr("is no FP32"));
  EXPECT_THAT(message("FP16", "65520"), HasSubstr("is no FP16"));
  EXPECT_THAT(message("FP64", "1e999"), HasSubstr("too large"));
  EXPECT_THAT(message("FP32", "null"), HasSubstr("element 1 is null"));
  EXPECT_THAT(message("FP32", "\"1\""), HasSubstr("element 1 is a string"));
  EXPECT_THAT(message("FP32", "{}"), HasSubstr("an object among them"));
  for (const char* element : {"NaN", "Infinity", "-Infinity", "nan", "01", "+1", ".5", "0x1"}) {
    EXPECT_THAT(message("FP32", element), HasSubstr("is not JSON")) << element;
  }
}

TEST(InferRequestRefuses, BinarySizesThatAreWrong) {
  const auto code = [](const std::string& size, const std::string& tail, const std::string& shape = "[2]") {
    const std::string json = input(R"("shape":)" + shape + R"(,"datatype":"FP32","parameters":{"binary_data_size":)" + size + "}");
    return refusal(json + tail, json.size());
  };
  EXPECT_THAT(code("4", "1234").message, HasSubstr("does not take the 4 bytes"));
  EXPECT_THAT(code("8", "1234").message, HasSubstr("8 bytes are announced, and 4 are there"));
  EXPECT_THAT(code("8", "123456789").message, HasSubstr("1 bytes too many"));
  EXPECT_THAT(code("-8", "12345678").message, HasSubstr("'binary_data_size' is not a whole number"));
  EXPECT_THAT(code("8.0", "12345678").message, HasSubstr("'binary_data_size' is not a whole number"));
  EXPECT_THAT(code("\"8\"", "12345678").message, HasSubstr("'binary_data_size' is not a whole number"));
  EXPECT_EQ(code("18446744073709551615", "").code, ErrorCode::BadInput);
  EXPECT_EQ(code("4611686018427387904", "", "[1152921504606846976]").code, ErrorCode::BadInput);
  EXPECT_EQ(code("0", "", "[4294967296,4294967296]").code, ErrorCode::BadInput);
  EXPECT_EQ(code("18446744073709551615", "", "[9223372036854775807,9223372036854775807]").code, ErrorCode::BadInput);
  EXPECT_THAT(refusal("{}", 3).message, HasSubstr("the JSON is said to have 3 bytes, and the request has 2"));
  EXPECT_EQ(refusal("{}", std::numeric_limits<std::uint64_t>::max()).code, ErrorCode::BadInput);
  const std::string truths = input(R"("shape":[1],"datatype":"BOOL","parameters":{"binary_data_size":1})");
  EXPECT_THAT(refusal(truths + "\x02", truths.size()).message, HasSubstr("a byte of 0 or 1"));
}

TEST(InferRequestRefuses, WhatIsMissingTwiceOrOfTheWrongType) {
  const std::string good = R"({"name":"x","shape":[1],"datatype":"FP32","data":[1]})";
  const auto with = [](const std::string& inputs) { return refusal(R"({"inputs":[)" + inputs + "]}").message; };
  EXPECT_THAT(with(good + "," + good), HasSubstr("input 'x' is there twice"));
  EXPECT_THAT(with(R"({"shape":[1],"datatype":"FP32","data":[1]})"), HasSubstr("input 0 has no name"));
  EXPECT_THAT(with(R"({"name":"x","datatype":"FP32","data":[1]})"), HasSubstr("no shape"));
  EXPECT_THAT(with(R"({"name":"x","shape":[1],"data":[1]})"), HasSubstr("no datatype"));
  EXPECT_THAT(with(R"({"name":"x","shape":[1],"datatype":"FP32"})"), HasSubstr("no data"));
  EXPECT_THAT(with(R"({"name":"x","shape":[1],"datatype":"FP32","data":[1],"parameters":{"binary_data_size":4}})"), HasSubstr("both"));
  EXPECT_THAT(with(R"({"name":"x","shape":[1],"shape":[1],"datatype":"FP32","data":[1]})"), HasSubstr("'shape' is there twice"));
  EXPECT_THAT(with(R"({"name":"x","data":[1],"shape":[1],"datatype":"FP32","data":[1]})"), HasSubstr("'data' is there twice"));
  EXPECT_THAT(with(R"({"name":7,"shape":[1],"datatype":"FP32","data":[1]})"), HasSubstr("'name' is not a string"));
  EXPECT_THAT(with(R"({"name":"x","shape":[1],"datatype":"FLOAT","data":[1]})"), HasSubstr("'FLOAT' is no datatype"));
  EXPECT_THAT(with(R"({"name":"x","shape":[1],"datatype":null,"data":[1]})"), HasSubstr("'datatype' is not a string"));
  EXPECT_THAT(with(R"({"name":"x","shape":[1],"datatype":"FP32","data":1})"), HasSubstr("'data' is not a list"));
  EXPECT_THAT(with("1"), HasSubstr("lists of objects"));
  EXPECT_THAT(with("[]"), HasSubstr("lists of objects"));
  EXPECT_THAT(with("\"x\""), HasSubstr("lists of objects"));
  EXPECT_EQ(refusal(R"({"inputs":{}})").code, ErrorCode::BadInput);
  EXPECT_EQ(refusal(R"({"inputs":null})").code, ErrorCode::BadInput);
  EXPECT_EQ(refusal(R"({"inputs":[],"inputs":[]})").code, ErrorCode::BadInput);
  EXPECT_EQ(refusal(R"({"inputs":[],"id":7})").code, ErrorCode::BadInput);
  EXPECT_EQ(refusal(R"({"inputs":[],"outputs":[{"name":"y"},{"name":"y"}]})").code, ErrorCode::BadInput);
  EXPECT_EQ(refusal(R"({"inputs":[],"outputs":[{}]})").code, ErrorCode::BadInput);
  EXPECT_EQ(refusal(R"({"inputs":[],"parameters":{"priority":22}})").code, ErrorCode::BadInput);
  EXPECT_EQ(refusal(R"({"inputs":[],"parameters":{"priority":-1}})").code, ErrorCode::BadInput);
  EXPECT_EQ(refusal(R"({"inputs":[],"parameters":{"timeout":-1}})").code, ErrorCode::BadInput);
  EXPECT_EQ(refusal(R"({"inputs":[],"parameters":{"binary_data_output":"yes"}})").code, ErrorCode::BadInput);
  EXPECT_EQ(refusal(R"({"inputs":[],"parameters":[]})").code, ErrorCode::BadInput);
  EXPECT_EQ(refusal(input(R"("shape":[1],"datatype":"BYTES","data":["a"])")).code, ErrorCode::Unsupported);
  EXPECT_EQ(refusal(R"({"inputs":[],"outputs":[{"name":"y","parameters":{"classification":3}}]})").code, ErrorCode::Unsupported);
}

TEST(InferRequestRefuses, TooManyAndTooLargeTensors) {
  std::string inputs;
  for (int i = 0; i < 3; ++i) {
    inputs += (i > 0 ? "," : "") + std::string(R"({"name":")") + std::to_string(i) + R"(","shape":[4],"datatype":"FP32","data":[1,2,3,4]})";
  }
  const std::string body = R"({"inputs":[)" + inputs + "]}";
  EXPECT_TRUE(parse_request(body, 0));
  EXPECT_EQ(parse_request(body, 0, {.max_tensors = 2}).error().code, ErrorCode::BadInput);
  EXPECT_EQ(parse_request(body, 0, {.max_tensor_bytes = 15}).error().code, ErrorCode::TooLarge);
}

TEST(InferRequestRefuses, MoreKeysThanAnybodyNeeds) {
  std::string keys;
  for (int i = 0; i < 10'000; ++i) keys += fmt::format("\"{}\":0,", i);
  for (const std::string& body : {"{" + keys + R"("inputs":[]})", R"({"parameters":{)" + keys + R"("z":0},"inputs":[]})",
                                  input(keys + R"("shape":[1],"datatype":"FP32","data":[1])")}) {
    EXPECT_THAT(refusal(body).message, HasSubstr("more than 1024 keys"));
  }
  EXPECT_TRUE(parse_request(R"({"x":{)" + keys + R"("z":0},"inputs":[]})", 0)) << "what is read over is not remembered";
}

TEST(InferRequestRefuses, LongAndOddNamesOnOneShortLine) {
  const std::string name(100'000, 'n');
  EXPECT_LT(refusal(R"({"inputs":[{"name":")" + name + R"(","shape":[1]}]})").message.size(), 150u);
  const std::string odd = refusal(R"({"inputs":[{"name":"a\nb\u0000c","shape":[1]}]})").message;
  EXPECT_THAT(odd, HasSubstr("'a b c'"));
  std::string korean;
  for (int i = 0; i < 50; ++i) korean += "입";  // three bytes each: 64 lies within one
  const auto error = refusal(R"({"inputs":[{"name":")" + korean + R"(","shape":[1]}]})");
  EXPECT_NO_THROW(nlohmann::json(error.message).dump());
}

// ---- what fits a model ----

InferRequest request_for(const std::string& inputs, const std::string& outputs = "[]") {
  auto request = parse_request(R"({"inputs":)" + inputs + R"(,"outputs":)" + outputs + "}", 0);
  EXPECT_TRUE(request) << request.error().message;
  return std::move(*request);
}

Signature two_inputs() {
  Signature signature;
  signature.inputs = {{"a", DType::Float32, tensor::Shape{-1, 2}}, {"b", DType::Unknown, std::nullopt}};
  signature.outputs = {{"y", DType::Float32, std::nullopt}};
  return signature;
}

TEST(ARequest, FitsTheModelOrIsToldWhyNot) {
  const std::string a = R"({"name":"a","shape":[3,2],"datatype":"FP32","data":[1,2,3,4,5,6]})";
  const std::string b = R"({"name":"b","shape":[1],"datatype":"INT8","data":[1]})";
  const auto message = [](const InferRequest& request) {
    const auto checked = check(request, two_inputs());
    return checked ? std::string() : checked.error().message;
  };
  EXPECT_EQ(message(request_for("[" + b + "," + a + "]", R"([{"name":"y"}])")), "");
  EXPECT_THAT(message(request_for("[" + a + "]")), HasSubstr("'b' is missing"));
  EXPECT_THAT(message(request_for("[" + a + "," + b + R"(,{"name":"c","shape":[0],"datatype":"INT8","data":[]}])")),
              HasSubstr("no input 'c'"));
  EXPECT_THAT(message(request_for("[" + a + "," + b + "]", R"([{"name":"z"}])")), HasSubstr("no output 'z'"));
  EXPECT_THAT(message(request_for("[" + b + R"(,{"name":"a","shape":[3,2],"datatype":"FP64","data":[1,2,3,4,5,6]}])")),
              HasSubstr("takes FP32, not FP64"));
  EXPECT_THAT(message(request_for("[" + b + R"(,{"name":"a","shape":[2,3],"datatype":"FP32","data":[1,2,3,4,5,6]}])")),
              HasSubstr("takes shape ?x2, not 2x3"));
  EXPECT_THAT(message(request_for("[" + b + R"(,{"name":"a","shape":[6],"datatype":"FP32","data":[1,2,3,4,5,6]}])")),
              HasSubstr("takes shape ?x2, not 6"));
}

TEST(ARequest, HasNoNaNWhereThatIsRefused) {
  const std::string json = R"({"inputs":[{"name":"x","shape":[2],"datatype":"FP32","parameters":{"binary_data_size":8}}]})";
  Signature signature;
  signature.inputs = {{"x", DType::Float32, std::nullopt}};
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    const float numbers[]{1.0F, bad};
    const auto request = parse_request(json + std::string(reinterpret_cast<const char*>(numbers), 8), json.size());
    ASSERT_TRUE(request);
    EXPECT_TRUE(check(*request, signature));
    EXPECT_EQ(check(*request, signature, true).error().code, ErrorCode::BadInput);
  }
}

// ---- what is answered ----

struct Answered {
  tensor::Tensor tensor;
  Signature signature;
  std::vector<tensor::TensorView> views;
};

template <class T>
Answered output_of(DType dtype, const std::vector<T>& numbers) {
  Answered answered;
  answered.tensor = *tensor::Tensor::make(dtype, {static_cast<std::int64_t>(numbers.size())});
  std::memcpy(answered.tensor.data(), numbers.data(), answered.tensor.bytes());
  answered.signature.outputs = {{"y", dtype, std::nullopt}};
  answered.views = {answered.tensor.view()};
  return answered;
}

TEST(AResponse, InJsonReadsBackToTheSameBits) {
  const std::vector<float> numbers{0.1F, -0.0F, 1.0F / 3.0F, 3.4028235e38F, 1e-45F, 16777216.0F, 123456.78F, -1e10F};
  const auto output = output_of(DType::Float32, numbers);
  InferRequest request;
  request.id = "an \"id\"\n";
  const auto encoded = encode_response("m", "3", request, output.signature, output.views);
  ASSERT_TRUE(encoded);
  EXPECT_EQ(encoded->header_length, 0u);
  EXPECT_EQ(encoded->content_type(), "application/json");
  const auto json = nlohmann::json::parse(encoded->body);
  EXPECT_EQ(json.at("model_name"), "m");
  EXPECT_EQ(json.at("model_version"), "3");
  EXPECT_EQ(json.at("id"), request.id);
  EXPECT_EQ(json.at("outputs").at(0).at("datatype"), "FP32");
  EXPECT_EQ(json.at("outputs").at(0).at("shape"), nlohmann::json::array({8}));
  // The response of one is the request of another.
  const auto again = parse_request(R"({"inputs":)" + json.at("outputs").dump() + "}", 0);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(std::memcmp(again->inputs[0].tensor.data(), numbers.data(), output.tensor.bytes()), 0);
}

TEST(AResponse, InJsonHasEveryType) {
  const auto data = [](const Answered& output) {
    const auto encoded = encode_response("m", "", {}, output.signature, output.views);
    return nlohmann::json::parse(encoded->body).at("outputs").at(0).at("data").dump();
  };
  EXPECT_EQ(data(output_of<std::uint8_t>(DType::Bool, {0, 1})), "[false,true]");
  EXPECT_EQ(data(output_of<std::uint8_t>(DType::UInt8, {0, 255})), "[0,255]");
  EXPECT_EQ(data(output_of<std::int8_t>(DType::Int8, {-128, 65})), "[-128,65]");
  EXPECT_EQ(data(output_of<std::int64_t>(DType::Int64, {std::numeric_limits<std::int64_t>::min(), 1})), "[-9223372036854775808,1]");
  EXPECT_EQ(data(output_of<std::uint64_t>(DType::UInt64, {~std::uint64_t{0}})), "[18446744073709551615]");
  EXPECT_EQ(data(output_of<std::uint16_t>(DType::Float16, {0x3E00})), "[1.5]");
  EXPECT_EQ(data(output_of<std::uint16_t>(DType::BFloat16, {0xC000})), "[-2]");
  EXPECT_EQ(data(output_of<double>(DType::Float64, {0.1})), "[0.1]");
}

TEST(AResponse, HasBinaryTensorsWhereTheyWereAskedFor) {
  const auto a = output_of<float>(DType::Float32, {1, 2});
  const auto b = output_of<std::uint8_t>(DType::UInt8, {7});
  Signature signature;
  signature.outputs = {{"a", DType::Float32, std::nullopt}, {"b", DType::UInt8, std::nullopt}};
  const std::vector<tensor::TensorView> views{a.views[0], b.views[0]};
  InferRequest request;
  request.binary_output = true;
  request.outputs = {{"b", std::nullopt}, {"a", false}};
  const auto encoded = encode_response("m", "1", request, signature, views);
  ASSERT_TRUE(encoded);
  EXPECT_EQ(encoded->content_type(), "application/octet-stream");
  const auto json = nlohmann::json::parse(encoded->body.substr(0, encoded->header_length));
  EXPECT_EQ(json.at("outputs").at(0).at("name"), "b");
  EXPECT_EQ(json.at("outputs").at(0).at("parameters").at("binary_data_size"), 1);
  EXPECT_EQ(json.at("outputs").at(1).at("data"), nlohmann::json::array({1, 2}));
  EXPECT_EQ(encoded->body.substr(encoded->header_length), "\x07");
}

TEST(AResponse, SaysNaNInBinaryAlone) {
  const auto output = output_of<float>(DType::Float32, {1, std::nanf("")});
  const auto refused = encode_response("m", "1", {}, output.signature, output.views);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::BadInput);
  EXPECT_THAT(refused.error().hint, HasSubstr("binary"));
  InferRequest binary;
  binary.binary_output = true;
  EXPECT_TRUE(encode_response("m", "1", binary, output.signature, output.views));
}

TEST(AResponse, NamesOutputsThatTheModelDoesNot) {
  const auto output = output_of<float>(DType::Float32, {1});
  const auto encoded = encode_response("m", "1", {}, {}, output.views);
  ASSERT_TRUE(encoded);
  EXPECT_EQ(nlohmann::json::parse(encoded->body).at("outputs").at(0).at("name"), "output_0");
  InferRequest other;
  other.outputs = {{"y", std::nullopt}};
  EXPECT_EQ(encode_response("m", "1", other, {}, output.views).error().code, ErrorCode::BadInput);
}

TEST(Datatypes, AreNamedAsTheProtocolDoes) {
  for (const DType dtype : {DType::Bool, DType::UInt8, DType::Int8, DType::UInt16, DType::Int16, DType::UInt32, DType::Int32, DType::UInt64,
                            DType::Int64, DType::Float16, DType::BFloat16, DType::Float32, DType::Float64}) {
    EXPECT_EQ(parse_datatype(datatype(dtype)), dtype);
  }
  EXPECT_EQ(datatype(DType::Unknown), "");
  EXPECT_FALSE(parse_datatype(""));
}

}  // namespace
}  // namespace lapse::serve::oip
