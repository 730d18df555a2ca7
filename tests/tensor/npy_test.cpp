#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <lapse/tensor/npy.hpp>

#include "tensor/bytes.hpp"

namespace lapse::tensor {
namespace {

/// A version 1.0 file round a header and data that the case writes out.
std::string npy(std::string header, std::string_view data) {
  header += '\n';
  std::string file = literal("\x93NUMPY\x01\x00");
  file += static_cast<char>(header.size() & 0xFF);
  file += static_cast<char>(header.size() >> 8);
  return file.append(header).append(data);
}

const std::string kPair = literal("\x01\x00\x00\x00\x02\x00\x00\x00");

ErrorCode code_of(const Result<Tensor>& result) { return result ? ErrorCode::Internal : result.error().code; }

class NpyFile : public testing::Test {
 protected:
  NpyFile() : path_(std::filesystem::path(testing::TempDir()) / ("lapse_npy_test_" + std::to_string(getpid()))) {}
  ~NpyFile() override { std::filesystem::remove(path_); }

  std::string content() const {
    std::ifstream stream(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  std::filesystem::path path_;
};

TEST(ParseNpy, ReadsWhatNumpyWrote) {
  // numpy.save of numpy.array([[1, 2, 3], [4, 5, 6]], '<i2'), all of it.
  const std::string file = literal("\x93NUMPY\x01\x00\x76\x00{'descr': '<i2', 'fortran_order': False, 'shape': (2, 3), }") +
                           std::string(58, ' ') + literal("\n\x01\x00\x02\x00\x03\x00\x04\x00\x05\x00\x06\x00");
  const auto tensor = parse_npy(bytes_of(file));
  ASSERT_TRUE(tensor) << tensor.error().message;
  EXPECT_EQ(tensor->dtype(), DType::Int16);
  EXPECT_EQ(tensor->shape(), (Shape{2, 3}));
  EXPECT_EQ(values<std::int16_t>(*tensor), (std::vector<std::int16_t>{1, 2, 3, 4, 5, 6}));
}

TEST(ParseNpy, TakesTheKeysInAnyOrderAndSpacing) {
  for (const char* header :
       {"{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }", "{'shape':(2,),'fortran_order':False,'descr':'<i4'}",
        "{ \"fortran_order\" : False , \"shape\" : ( 2 , ) , \"descr\" : \"<i4\" }  ",
        "{'descr': '<i4', 'fortran_order': False, 'shape': (2L,), }", "{'descr': '<i4', 'fortran_order': True, 'shape': (2,), }"}) {
    const auto tensor = parse_npy(bytes_of(npy(header, kPair)));
    ASSERT_TRUE(tensor) << header << tensor.error().message;
    EXPECT_EQ(values<std::int32_t>(*tensor), (std::vector<std::int32_t>{1, 2})) << header;
  }
}

TEST(ParseNpy, ReadsVersionsTwoAndThree) {
  for (const char version : {'\x02', '\x03'}) {
    const std::string header = "{'descr': '<i4', 'fortran_order': False, 'shape': (2,)}\n";
    const std::string file = "\x93NUMPY" + std::string{version, '\0', static_cast<char>(header.size()), '\0', '\0', '\0'} + header + kPair;
    const auto tensor = parse_npy(bytes_of(file));
    ASSERT_TRUE(tensor) << tensor.error().message;
    EXPECT_EQ(values<std::int32_t>(*tensor), (std::vector<std::int32_t>{1, 2}));
  }
}

TEST(ParseNpy, TurnsFortranOrderRowMajor) {
  // [[1, 2, 3], [4, 5, 6]] by columns.
  const auto matrix = parse_npy(bytes_of(npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3)}", "\x01\x04\x02\x05\x03\x06")));
  ASSERT_TRUE(matrix);
  EXPECT_EQ(values<std::uint8_t>(*matrix), (std::vector<std::uint8_t>{1, 2, 3, 4, 5, 6}));
  // numpy.arange(12).reshape(2, 3, 2) in order 'F'.
  const auto cube = parse_npy(bytes_of(
      npy("{'descr': '|i1', 'fortran_order': True, 'shape': (2, 3, 2)}", literal("\x00\x06\x02\x08\x04\x0A\x01\x07\x03\x09\x05\x0B"))));
  ASSERT_TRUE(cube);
  EXPECT_EQ(values<std::int8_t>(*cube), (std::vector<std::int8_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
}

TEST(ParseNpy, TurnsBigEndianNative) {
  const auto integers =
      parse_npy(bytes_of(npy("{'descr': '>i4', 'fortran_order': False, 'shape': (2,)}", literal("\x00\x00\x00\x01\xFF\xFF\xFF\xFE"))));
  ASSERT_TRUE(integers);
  EXPECT_EQ(values<std::int32_t>(*integers), (std::vector<std::int32_t>{1, -2}));
  const auto both =
      parse_npy(bytes_of(npy("{'descr': '>u2', 'fortran_order': True, 'shape': (2, 2)}", literal("\x00\x01\x00\x03\x00\x02\x00\x04"))));
  ASSERT_TRUE(both);
  EXPECT_EQ(values<std::uint16_t>(*both), (std::vector<std::uint16_t>{1, 2, 3, 4}));
}

TEST(ParseNpy, ReadsScalarsAndEmptyTensors) {
  const auto scalar =
      parse_npy(bytes_of(npy("{'descr': '<f8', 'fortran_order': False, 'shape': ()}", literal("\x00\x00\x00\x00\x00\x00\xF8\x3F"))));
  ASSERT_TRUE(scalar);
  EXPECT_TRUE(scalar->shape().empty());
  EXPECT_EQ(values<double>(*scalar), std::vector{1.5});
  for (const char* order : {"True", "False"}) {
    const auto empty = parse_npy(bytes_of(npy("{'descr': '<f4', 'fortran_order': " + std::string(order) + ", 'shape': (3, 0, 2)}", "")));
    ASSERT_TRUE(empty);
    EXPECT_EQ(empty->shape(), (Shape{3, 0, 2}));
    EXPECT_EQ(empty->bytes(), 0U);
  }
}

TEST(ParseNpy, KnowsEveryTypeThatItCanHold) {
  const std::string eight(8, '\0');
  for (const auto& [descr, dtype] : {std::pair{"|b1", DType::Bool},
                                     {"|u1", DType::UInt8},
                                     {"|i1", DType::Int8},
                                     {"<u2", DType::UInt16},
                                     {"<i2", DType::Int16},
                                     {"<u4", DType::UInt32},
                                     {"<i4", DType::Int32},
                                     {"<u8", DType::UInt64},
                                     {"<i8", DType::Int64},
                                     {"<f2", DType::Float16},
                                     {"<f4", DType::Float32},
                                     {"<f8", DType::Float64}}) {
    const auto count = std::to_string(8 / size_of(dtype));
    const auto tensor =
        parse_npy(bytes_of(npy("{'descr': '" + std::string(descr) + "', 'fortran_order': False, 'shape': (" + count + ",)}", eight)));
    ASSERT_TRUE(tensor) << descr;
    EXPECT_EQ(tensor->dtype(), dtype) << descr;
  }
}

TEST(ParseNpy, MakesEveryBoolAZeroOrAOne) {
  const auto tensor = parse_npy(bytes_of(npy("{'descr': '|b1', 'fortran_order': False, 'shape': (3,)}", literal("\x00\x01\x02"))));
  ASSERT_TRUE(tensor);
  EXPECT_EQ(values<std::uint8_t>(*tensor), (std::vector<std::uint8_t>{0, 1, 1}));
}

TEST(ParseNpy, RefusesTypesThatAreNoNumbersAndNamesThem) {
  for (const char* descr : {"'|O'", "'<U5'", "'|S3'", "'<c8'", "'<f16'", "'|V2'", "'<M8[ns]'", "''", "'f4'", "'|f4'"}) {
    const auto tensor = parse_npy(bytes_of(npy("{'descr': " + std::string(descr) + ", 'fortran_order': False, 'shape': (2,)}", kPair)));
    ASSERT_EQ(code_of(tensor), ErrorCode::BadInput) << descr;
    EXPECT_NE(tensor.error().message.find(descr), std::string::npos) << tensor.error().message;
  }
  EXPECT_EQ(code_of(parse_npy(bytes_of(npy("{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (2,)}", kPair)))),
            ErrorCode::BadInput);
}

TEST(ParseNpy, RefusesEveryBeginningOfAFile) {
  const std::string file = npy("{'descr': '<i4', 'fortran_order': False, 'shape': (2,)}", kPair);
  for (std::size_t length = 0; length < file.size(); ++length) {
    EXPECT_EQ(code_of(parse_npy(bytes_of(file.substr(0, length)))), ErrorCode::BadInput) << length;
  }
  EXPECT_EQ(code_of(parse_npy(bytes_of(file + "x"))), ErrorCode::BadInput);
}

TEST(ParseNpy, RefusesADamagedHeader) {
  for (const char* header :
       {"", "{}", "[1]", "{'descr': '<i4', 'fortran_order': False}", "{'descr': '<i4', 'fortran_order': False, 'shape': (2)}",
        "{'descr': '<i4', 'fortran_order': False, 'shape': 2}", "{'descr': '<i4', 'fortran_order': False, 'shape': (2,,)}",
        "{'descr': '<i4', 'fortran_order': False, 'shape': (,)}", "{'descr': '<i4', 'fortran_order': False, 'shape': (2 1)}",
        "{'descr': '<i4', 'fortran_order': False, 'shape': (-2,)}", "{'descr': '<i4', 'fortran_order': 0, 'shape': (2,)}",
        "{'descr': '<i4', 'descr': '<i4', 'fortran_order': False, 'shape': (2,)}",
        "{'descr': '<i4', 'fortran_order': False, 'shape': (2,), 'x': 1}", "{'descr': '<i4' 'fortran_order': False, 'shape': (2,)}",
        "{'descr': '<i4, 'fortran_order': False, 'shape': (2,)}", "{'descr': '<i4', 'fortran_order': False, 'shape': (2,)} 1",
        "{'descr': '<i4', 'fortran_order': False, 'shape': (99999999999999999999,)}"}) {
    EXPECT_EQ(code_of(parse_npy(bytes_of(npy(header, kPair)))), ErrorCode::BadInput) << header;
  }
}

TEST(ParseNpy, RefusesAClaimOfMoreDataThanThereIsBeforeItTakesMemory) {
  EXPECT_EQ(code_of(parse_npy(bytes_of(npy("{'descr': '<i4', 'fortran_order': False, 'shape': (1099511627776,)}", kPair)))),
            ErrorCode::BadInput);
  EXPECT_EQ(code_of(parse_npy(bytes_of(npy("{'descr': '<i4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", kPair)))),
            ErrorCode::OutOfMemory);
}

TEST_F(NpyFile, ComesBackAsItWasWritten) {
  const Tensor tensor = tensor_of(DType::Float16, {1, 3}, std::vector<std::uint16_t>{0x3C00, 0x7E00, 0x8000});
  ASSERT_TRUE(write_npy(path_, tensor.view()));
  const auto back = read_npy(path_);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->dtype(), DType::Float16);
  EXPECT_EQ(back->shape(), (Shape{1, 3}));
  EXPECT_EQ(values<std::uint16_t>(*back), values<std::uint16_t>(tensor));
}

TEST_F(NpyFile, IsWrittenByteForByteAsNumpyWritesIt) {
  ASSERT_TRUE(write_npy(path_, tensor_of(DType::Int16, {2, 3}, std::vector<std::int16_t>{1, 2, 3, 4, 5, 6}).view()));
  EXPECT_EQ(content(), literal("\x93NUMPY\x01\x00\x76\x00{'descr': '<i2', 'fortran_order': False, 'shape': (2, 3), }") +
                           std::string(58, ' ') + literal("\n\x01\x00\x02\x00\x03\x00\x04\x00\x05\x00\x06\x00"));
  ASSERT_TRUE(write_npy(path_, tensor_of(DType::Bool, {1}, std::vector<std::uint8_t>{1}).view()));
  EXPECT_EQ(content(), literal("\x93NUMPY\x01\x00\x76\x00{'descr': '|b1', 'fortran_order': False, 'shape': (1,), }") +
                           std::string(60, ' ') + "\n\x01");
  ASSERT_TRUE(write_npy(path_, tensor_of(DType::Float64, {}, std::vector{1.5}).view()));
  EXPECT_EQ(content(), literal("\x93NUMPY\x01\x00\x76\x00{'descr': '<f8', 'fortran_order': False, 'shape': (), }") + std::string(62, ' ') +
                           literal("\n\x00\x00\x00\x00\x00\x00\xF8\x3F"));
}

TEST_F(NpyFile, HoldsBfloat16AsFloat32) {
  ASSERT_TRUE(write_npy(path_, tensor_of(DType::BFloat16, {2}, std::vector<std::uint16_t>{0x3F80, 0xC000}).view()));
  const auto back = read_npy(path_);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->dtype(), DType::Float32);
  EXPECT_EQ(values<float>(*back), (std::vector{1.0F, -2.0F}));
}

TEST_F(NpyFile, NamesItsPathInTheError) {
  std::ofstream(path_) << "not numpy";
  const auto tensor = read_npy(path_);
  ASSERT_FALSE(tensor);
  EXPECT_TRUE(tensor.error().message.starts_with(path_.string() + ": ")) << tensor.error().message;
}

TEST(ReadNpy, RefusesWhatIsNoFile) {
  EXPECT_EQ(code_of(read_npy("/nonexistent/input.npy")), ErrorCode::BadInput);
  for (const std::string& path : {testing::TempDir(), std::string("/dev/zero")}) {
    const auto tensor = read_npy(path);
    ASSERT_EQ(code_of(tensor), ErrorCode::BadInput);
    EXPECT_TRUE(tensor.error().message.ends_with("is not a regular file")) << tensor.error().message;
  }
}

TEST(WriteNpy, SaysWhenItCannot) {
  const Tensor tensor = tensor_of(DType::UInt8, {1}, std::vector<std::uint8_t>{1});
  EXPECT_EQ(write_npy("/nonexistent/output.npy", tensor.view()).error().code, ErrorCode::BadInput);
  EXPECT_EQ(write_npy("/dev/full", tensor.view()).error().code, ErrorCode::BadInput);
}

}  // namespace
}  // namespace lapse::tensor
