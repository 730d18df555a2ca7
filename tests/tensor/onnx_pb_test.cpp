#include <dlfcn.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <lapse/tensor/onnx_pb.hpp>

#include "tensor/bytes.hpp"

namespace lapse::tensor {
namespace {

// One field of a protobuf each; the numbers are those of onnx.proto.
enum Field : int {
  kDims = 1,
  kType = 2,
  kSegment = 3,
  kFloats = 4,
  kInt32s = 5,
  kStrings = 6,
  kInt64s = 7,
  kName = 8,
  kRaw = 9,
  kDoubles = 10,
  kUint64s = 11,
  kExternal = 13,
  kLocation = 14
};
enum Type : std::uint64_t {
  kFloat = 1,
  kUint8 = 2,
  kInt8 = 3,
  kInt64 = 7,
  kString = 8,
  kBool = 9,
  kFloat16 = 10,
  kDouble = 11,
  kUint32 = 12,
  kComplex64 = 14,
  kBfloat16 = 16,
  kFloat8 = 17,
  kInt4 = 22
};

std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>((value & 0x7F) | 0x80);
  return bytes + static_cast<char>(value);
}
std::string number(Field field, std::uint64_t value) { return varint(static_cast<std::uint64_t>(field) << 3) + varint(value); }
std::string chunk(Field field, const std::string& bytes) {
  return varint(static_cast<std::uint64_t>(field) << 3 | 2) + varint(bytes.size()) + bytes;
}
std::string header(Type type, const std::vector<std::uint64_t>& dims) {
  std::string bytes;
  for (const std::uint64_t dimension : dims) bytes += number(kDims, dimension);
  return bytes + number(kType, type);
}

constexpr std::uint64_t minus(std::uint64_t value) { return ~value + 1; }
const std::string kOneAndTwo = literal("\x00\x00\x80\x3F\x00\x00\x00\x40");

ErrorCode code_of(const Result<NamedTensor>& result) { return result ? ErrorCode::Internal : result.error().code; }
Result<NamedTensor> parse(const std::string& file) { return parse_tensor_pb(bytes_of(file)); }

template <class T>
void expect_values(const std::string& file, DType dtype, const std::vector<T>& expected) {
  const auto parsed = parse(file);
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->tensor.dtype(), dtype);
  EXPECT_EQ(values<T>(parsed->tensor), expected);
}

TEST(ParseTensorPb, ReadsRawData) {
  const auto parsed = parse(header(kFloat, {2, 1}) + chunk(kName, "x") + chunk(kRaw, kOneAndTwo));
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->name, "x");
  EXPECT_EQ(parsed->tensor.dtype(), DType::Float32);
  EXPECT_EQ(parsed->tensor.shape(), (Shape{2, 1}));
  EXPECT_EQ(values<float>(parsed->tensor), (std::vector{1.0F, 2.0F}));
}

TEST(ParseTensorPb, ReadsPackedAndUnpackedFields) {
  expect_values<float>(header(kFloat, {2}) + chunk(kFloats, kOneAndTwo), DType::Float32, {1.0F, 2.0F});
  const std::string unpacked = literal("\x25\x00\x00\x80\x3F\x25\x00\x00\x00\x40");  // field 4, 32 bits, twice
  expect_values<float>(header(kFloat, {2}) + unpacked, DType::Float32, {1.0F, 2.0F});
  expect_values<std::int64_t>(header(kInt64, {2}) + number(kInt64s, 5) + number(kInt64s, minus(1)), DType::Int64, {5, -1});
  expect_values<std::int64_t>(chunk(kDims, "\x01\x02") + number(kType, kInt64) + chunk(kInt64s, "\x05\x06"), DType::Int64, {5, 6});
}

TEST(ParseTensorPb, ReadsEveryTypedField) {
  expect_values<double>(header(kDouble, {1}) + chunk(kDoubles, literal("\x00\x00\x00\x00\x00\x00\xF8\x3F")), DType::Float64, {1.5});
  expect_values<std::uint32_t>(header(kUint32, {1}) + number(kUint64s, 0xFFFFFFFF), DType::UInt32, {0xFFFFFFFF});
  expect_values<std::int8_t>(header(kInt8, {2}) + number(kInt32s, minus(128)) + number(kInt32s, 127), DType::Int8, {-128, 127});
  expect_values<std::uint8_t>(header(kBool, {2}) + chunk(kInt32s, literal("\x01\x00")), DType::Bool, {1, 0});
}

TEST(ParseTensorPb, ReadsHalfPrecisionAsBits) {
  expect_values<std::uint16_t>(header(kFloat16, {2}) + number(kInt32s, 0x3C00) + number(kInt32s, 0xFC00), DType::Float16, {0x3C00, 0xFC00});
  expect_values<std::uint16_t>(header(kBfloat16, {1}) + number(kInt32s, 0x3F80), DType::BFloat16, {0x3F80});
  expect_values<std::uint16_t>(header(kBfloat16, {1}) + chunk(kRaw, "\x80\x3F"), DType::BFloat16, {0x3F80});
}

TEST(ParseTensorPb, ReadsScalarsAndEmptyTensors) {
  const auto scalar = parse(header(kUint8, {}) + chunk(kRaw, "\x07"));
  ASSERT_TRUE(scalar);
  EXPECT_TRUE(scalar->tensor.shape().empty());
  for (const std::string& data : {std::string(), chunk(kRaw, "")}) {
    const auto empty = parse(header(kFloat, {0, 3}) + data);
    ASSERT_TRUE(empty) << empty.error().message;
    EXPECT_EQ(empty->tensor.shape(), (Shape{0, 3}));
    EXPECT_EQ(empty->tensor.bytes(), 0U);
    EXPECT_TRUE(empty->name.empty());
  }
}

TEST(ParseTensorPb, MakesEveryBoolAZeroOrAOne) {
  expect_values<std::uint8_t>(header(kBool, {3}) + chunk(kRaw, literal("\x00\x01\x02")), DType::Bool, {0, 1, 1});
  expect_values<std::uint8_t>(header(kBool, {1}) + number(kInt32s, 2), DType::Bool, {1});
}

TEST(ParseTensorPb, NamesTheTypeThatItDoesNotRead) {
  for (const auto& [type, name] : {std::pair{kString, "string"}, {kComplex64, "complex64"}, {kFloat8, "float8e4m3fn"}, {kInt4, "int4"}}) {
    const auto parsed = parse(header(type, {1}) + chunk(kStrings, "a"));
    ASSERT_EQ(code_of(parsed), ErrorCode::Unsupported) << name;
    EXPECT_NE(parsed.error().message.find(name), std::string::npos);
  }
  const auto later = parse(header(static_cast<Type>(99), {1}) + chunk(kRaw, "a"));
  EXPECT_EQ(code_of(later), ErrorCode::Unsupported);
  EXPECT_EQ(code_of(parse(header(static_cast<Type>(0), {1}) + chunk(kRaw, "a"))), ErrorCode::BadInput);
}

TEST(ParseTensorPb, DoesNotFollowExternalData) {
  EXPECT_EQ(code_of(parse(header(kFloat, {2}) + number(kLocation, 1))), ErrorCode::Unsupported);
  EXPECT_EQ(code_of(parse(header(kFloat, {2}) + chunk(kExternal, "\x0A\x01k\x12\x01v"))), ErrorCode::Unsupported);
}

TEST(ParseTensorPb, TellsASequenceOrAnOptionalFromATensor) {
  const std::string element = header(kFloat, {2}) + chunk(kRaw, kOneAndTwo);
  // Their name is field 1, their element type field 2, their values field 3.
  EXPECT_EQ(code_of(parse("\x0A\x01x\x10\x01" + chunk(kSegment, element))), ErrorCode::Unsupported);
  EXPECT_EQ(code_of(parse("\x10\x01" + chunk(kSegment, element))), ErrorCode::Unsupported);
  EXPECT_EQ(code_of(parse("\x0A\x09seq_empty\x10\x01")), ErrorCode::Unsupported);
  // An optional sequence stands in field 5, as int32_data do.
  EXPECT_EQ(code_of(parse("\x0A\x0Eoptional_input\x10\x03" + chunk(kInt32s, "\x1A\x1C\x08\x01"))), ErrorCode::Unsupported);
  EXPECT_EQ(code_of(parse(literal("\x0A\x0Eoptional_input\x10\x00"))), ErrorCode::Unsupported);
}

TEST(ParseTensorPb, RefusesDataThatDoesNotFillTheShape) {
  for (const std::string& data :
       {std::string(), chunk(kRaw, "abc"), chunk(kRaw, kOneAndTwo + "more"), chunk(kFloats, kOneAndTwo + kOneAndTwo),
        number(kInt32s, 1) + number(kInt32s, 2), chunk(kRaw, kOneAndTwo) + chunk(kFloats, kOneAndTwo)}) {
    EXPECT_EQ(code_of(parse(header(kFloat, {2}) + data)), ErrorCode::BadInput) << data.size();
  }
}

TEST(ParseTensorPb, RefusesAValueOutsideTheType) {
  EXPECT_EQ(code_of(parse(header(kUint8, {1}) + number(kInt32s, 256))), ErrorCode::BadInput);
  EXPECT_EQ(code_of(parse(header(kUint8, {1}) + number(kInt32s, minus(1)))), ErrorCode::BadInput);
  EXPECT_EQ(code_of(parse(header(kUint32, {1}) + number(kUint64s, std::uint64_t{1} << 32))), ErrorCode::BadInput);
}

TEST(ParseTensorPb, RefusesAClaimOfMoreDataThanThereIsBeforeItTakesMemory) {
  EXPECT_EQ(code_of(parse(header(kUint8, {std::uint64_t{1} << 40}) + chunk(kRaw, "a"))), ErrorCode::BadInput);
  EXPECT_EQ(code_of(parse(header(kUint8, {std::uint64_t{1} << 40}) + number(kInt32s, 1))), ErrorCode::BadInput);
  EXPECT_EQ(code_of(parse(header(kFloat, {std::uint64_t{1} << 40, std::uint64_t{1} << 40}) + chunk(kRaw, "a"))), ErrorCode::OutOfMemory);
  EXPECT_EQ(code_of(parse(header(kFloat, {minus(2)}) + chunk(kRaw, kOneAndTwo))), ErrorCode::BadInput);
}

TEST(ParseTensorPb, RefusesDamage) {
  EXPECT_EQ(code_of(parse("")), ErrorCode::BadInput);
  EXPECT_EQ(code_of(parse("not a protobuf at all")), ErrorCode::BadInput);
  const std::string file = header(kFloat, {2}) + chunk(kRaw, kOneAndTwo);
  for (std::size_t length = 0; length < file.size(); ++length)
    EXPECT_EQ(code_of(parse(file.substr(0, length))), ErrorCode::BadInput) << length;
}

TEST(ReadTensorPb, NamesThePathInTheError) {
  const auto absent = read_tensor_pb("/nonexistent/input_0.pb");
  ASSERT_EQ(code_of(absent), ErrorCode::BadInput);
  EXPECT_NE(absent.error().message.find("/nonexistent/input_0.pb"), std::string::npos);
}

TEST(Protobuf, IsNotExportedFromTheProgram) {
  // MessageLite::ParseFromArray(void const*, int): LibTorch's protobuf would bind to ours.
  EXPECT_EQ(dlsym(RTLD_DEFAULT, "_ZN6google8protobuf11MessageLite14ParseFromArrayEPKvi"), nullptr);
}

}  // namespace
}  // namespace lapse::tensor
