// What lapse/engine/subject.h promises, and what a library meets that does not keep it.

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <lapse/device/timeline.hpp>
#include <lapse/engine/builtin.hpp>
#include <lapse/engine/catalogue.hpp>
#include <lapse/engine/session.hpp>
#include <lapse/engine/subject_library.hpp>
#include <lapse/tensor/tensor.hpp>

namespace lapse::engine {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string built(const std::string& name) { return LAPSE_BINARY_DIR "/tests/" + name; }
std::string subject(const std::string& name) { return built("subjects.so:" + name); }

// As tests/engine/subjects.cpp writes it.
struct Log {
  int created, destroyed, device;
  const char* arguments;
};
Log& the_log() {
  void* library = dlopen(built("subjects.so").c_str(), RTLD_NOW | RTLD_LOCAL);
  return *static_cast<Log*>(dlsym(library, "subjects_log"));
}

class SubjectEngine : public ::testing::Test {
 protected:
  Result<Session> load(const std::string& model, const Options& options = {{"threads", "1"}}) { return engine_.load(model, options); }

  // Loads what is to fail, and returns how.
  Error refused(const std::string& model, const Options& options = {}) {
    const auto session = load(model, options);
    EXPECT_FALSE(session) << model;
    return session ? Error{} : session.error();
  }

  // The first error of ten times enqueue on the host.
  Error enqueue_fails(const std::string& name, int good_ones) {
    auto session = load(subject(name));
    EXPECT_TRUE(session) << session.error().message;
    auto binding = session->bind({});
    for (int i = 0; i < 10; ++i) {
      if (const lapse_status status = binding->submit(nullptr); status != LAPSE_OK) {
        EXPECT_EQ(i, good_ones);
        return binding->error(status);
      }
    }
    ADD_FAILURE() << "enqueue did not fail";
    return {};
  }

  Engine engine_ = std::move(*Engine::open(subject_engine(), {}));
};

TEST_F(SubjectEngine, RunsOnTheSimulatedDeviceAsynchronously) {
  auto session = load(subject("good"));
  ASSERT_TRUE(session) << session.error().message;
  EXPECT_TRUE(session->inputs().empty());
  EXPECT_TRUE(session->outputs().empty());
  EXPECT_EQ(session->device(), "sim:virtual");
  EXPECT_TRUE(session->asynchronous());
  const auto timeline = std::move(*device::open_timeline(session->device()));
  auto binding = session->bind({});
  ASSERT_TRUE(binding);
  const auto begin = timeline->now();
  ASSERT_EQ(binding->submit(timeline->stream()), LAPSE_OK);
  EXPECT_EQ(timeline->now() - begin, std::chrono::microseconds{10});
  ASSERT_TRUE(timeline->synchronize());
  EXPECT_EQ(timeline->now() - begin, std::chrono::microseconds{210});
  const auto outputs = binding->outputs();
  ASSERT_TRUE(outputs);
  EXPECT_TRUE(outputs->empty());
}

TEST_F(SubjectEngine, SaysOfABlockingOneThatItBlocksAndMayRunInParallel) {
  const auto session = load(subject("blocking"));
  ASSERT_TRUE(session);
  EXPECT_FALSE(session->asynchronous());
  EXPECT_TRUE(session->concurrent());
}

TEST_F(SubjectEngine, MakesOneHandleAtLoadAndOneForEveryFurtherBindingAndDestroysThemAll) {
  const Log before = the_log();
  {
    auto session = load(subject("blocking") + ":n=4096:with:colons");
    ASSERT_TRUE(session);
    EXPECT_EQ(the_log().created - before.created, 1);
    EXPECT_STREQ(the_log().arguments, "n=4096:with:colons");
    const auto first = session->bind({});
    EXPECT_EQ(the_log().created - before.created, 1);
    const auto second = session->bind({});
    EXPECT_EQ(the_log().created - before.created, 2);
    EXPECT_EQ(the_log().destroyed, before.destroyed);
  }
  EXPECT_EQ(the_log().destroyed - before.destroyed, 2);
}

TEST_F(SubjectEngine, TakesASubjectWrittenInCThatKeepsNothing) {
  auto session = load(built("subject_in_c.so:in_c"));
  ASSERT_TRUE(session) << session.error().message;
  auto binding = session->bind({});
  ASSERT_TRUE(binding);
  EXPECT_EQ(binding->submit(nullptr), LAPSE_OK);
}

TEST_F(SubjectEngine, RefusesInputs) {
  auto session = load(subject("blocking"));
  const auto tensor = *tensor::Tensor::make(tensor::DType::Float32, {2, 4});
  const tensor::TensorView view = tensor.view();
  const auto binding = session->bind({&view, 1});
  ASSERT_FALSE(binding);
  EXPECT_EQ(binding.error().code, ErrorCode::BadInput);
}

TEST_F(SubjectEngine, RefusesAnOptionThatItDoesNotHave) {
  const Error error = refused(subject("good"), {{"no_such_option", "1"}});
  EXPECT_EQ(error.code, ErrorCode::BadInput);
  EXPECT_THAT(error.message, HasSubstr("no_such_option"));
}

TEST_F(SubjectEngine, RefusesADeviceThatIsNotTheSubjectsAndSaysWhichIs) {
  EXPECT_TRUE(load(subject("blocking"), {{"device", "cpu"}}));
  for (const std::string device : {"cuda", "cuda:0", "abacus", ""}) {
    const Error error = refused(subject("blocking"), {{"device", device}});
    EXPECT_EQ(error.code, ErrorCode::DeviceUnusable);
    EXPECT_THAT(error.message, EndsWith("subjects.so:blocking has no device '" + device + "'"));
    EXPECT_EQ(error.hint, "it runs on: cpu");
  }
  for (const std::string device : {"cpu", "cuda:", "cuda:x", "cuda:-1", "cuda:1x", "cuda:99999999999"}) {
    const Error error = refused(subject("on_cuda"), {{"device", device}});
    EXPECT_EQ(error.code, ErrorCode::DeviceUnusable);
    EXPECT_THAT(error.hint, HasSubstr("--device cuda:0"));
  }
}

TEST_F(SubjectEngine, AsksForTheDeviceBeforeItCreatesAnything) {
  const int before = the_log().created;
  const Error error = refused(subject("on_abacus"));
  EXPECT_EQ(error.code, ErrorCode::DeviceUnusable);
  EXPECT_THAT(error.message, AllOf(HasSubstr("on_abacus"), HasSubstr("abacus'")));
  EXPECT_EQ(the_log().created, before);
}

TEST_F(SubjectEngine, GivesAGpuByItsNumberOrSaysThatThereIsNone) {
  const auto session = load(subject("on_cuda"), {{"device", "cuda:0"}});
  if (session) {
    EXPECT_EQ(session->device(), "cuda:0");
    EXPECT_EQ(the_log().device, 0);
  } else {
    EXPECT_EQ(session.error().code, ErrorCode::DeviceUnusable) << session.error().message;
  }
}

TEST_F(SubjectEngine, SaysWhatIsWrongWithAFile) {
  const std::string folder = ::testing::TempDir() + "lapse_subject_test_" + std::to_string(getpid()) + "/";
  std::filesystem::create_directories(folder + "folder.so");
  std::ofstream(folder + "empty.so");
  std::ofstream(folder + "text.so") << "int main() {}\n";
  std::filesystem::copy_file(built("subjects.so"), folder + "half.so", std::filesystem::copy_options::overwrite_existing);
  std::filesystem::resize_file(folder + "half.so", std::filesystem::file_size(folder + "half.so") / 2);
  std::filesystem::copy_file(built("subjects.so"), folder + "nearly.so", std::filesystem::copy_options::overwrite_existing);
  std::filesystem::resize_file(folder + "nearly.so", std::filesystem::file_size(folder + "nearly.so") - 1);
  for (const auto& [file, says] : {std::pair{"absent.so", "no such file"},
                                   {"folder.so", "is a folder"},
                                   {"empty.so", "is empty"},
                                   {"text.so", "is not a shared library"},
                                   {"half.so", "its end is missing"},
                                   {"nearly.so", "its end is missing"}}) {
    const Error error = refused(folder + file + ":gemm");
    EXPECT_EQ(error.code, ErrorCode::BadModel) << error.message;
    EXPECT_THAT(error.message, AllOf(StartsWith(folder + file), HasSubstr(says)));
    EXPECT_FALSE(error.hint.empty()) << file;
  }
  std::filesystem::remove_all(folder);
}

TEST_F(SubjectEngine, SaysWhatLibraryAnotherOneLacks) {
  const Error error = refused(built("subject_that_lacks.so:any"));
  EXPECT_EQ(error.code, ErrorCode::EngineUnusable);
  EXPECT_THAT(error.message, AllOf(HasSubstr("can't be loaded"), HasSubstr("no_such_function")));
}

TEST_F(SubjectEngine, NamesTheSubjectsOfALibraryWhereNoneIsAskedForOrNoSuchOne) {
  for (const std::string& model : {built("subjects.so"), built("subjects.so:")}) {
    const Error error = refused(model);
    EXPECT_EQ(error.code, ErrorCode::BadModel);
    EXPECT_THAT(error.message, AllOf(HasSubstr("with the subjects: blocking, create_fails"), HasSubstr("more")));
    EXPECT_THAT(error.message, Not(HasSubstr("a_number")));
    EXPECT_THAT(error.hint, EndsWith("subjects.so:blocking"));
  }
  const Error one = refused(built("subject_in_c.so"));
  EXPECT_THAT(one.message, EndsWith("subject_in_c.so is a library with the subject: in_c"));
  const Error unknown = refused(built("subject_in_c.so:gemm"));
  EXPECT_THAT(unknown.message, EndsWith("subject_in_c.so has no symbol 'gemm'"));
  EXPECT_EQ(unknown.hint, "its subjects are: in_c");
}

TEST_F(SubjectEngine, SaysHowToDefineASubjectWhereThereIsNone) {
  for (const std::string symbol : {"", ":gemm"}) {
    const Error error = refused(built("plugin_without_entry.so" + symbol));
    EXPECT_EQ(error.code, ErrorCode::BadModel);
    EXPECT_THAT(error.hint, HasSubstr("LAPSE_SUBJECT(name)"));
  }
}

TEST_F(SubjectEngine, RefusesASymbolThatIsNoTable) {
  EXPECT_THAT(refused(subject("a_function")).message, EndsWith("a_function is a function, not a subject"));
  EXPECT_THAT(refused(subject("a_number")).message, HasSubstr("it has 4 bytes"));
  // What a library only uses of another one is not its own.
  EXPECT_THAT(refused(subject("pause")).message, EndsWith("has no symbol 'pause'"));
}

TEST_F(SubjectEngine, RefusesATableOfAnotherVersionOrSize) {
  const Error version = refused(subject("of_another_abi"));
  EXPECT_EQ(version.code, ErrorCode::EngineUnusable);
  EXPECT_THAT(version.message, HasSubstr("speaks version 2 of the subject interface; this lapse speaks version 1"));
  for (const auto& [name, says] : {std::pair{"that_is_too_small", " 8 bytes; it has"}, {"that_is_too_large", " 4096 bytes; it has"}}) {
    const Error size = refused(subject(name));
    EXPECT_EQ(size.code, ErrorCode::EngineUnusable);
    EXPECT_THAT(size.message, HasSubstr(says));
  }
}

TEST_F(SubjectEngine, RefusesATableWithAHoleInIt) {
  EXPECT_THAT(refused(subject("without_enqueue")).message, EndsWith("its table has no enqueue"));
  EXPECT_THAT(refused(subject("without_device")).message, EndsWith("its table has no device"));
}

TEST_F(SubjectEngine, RefusesWorkOnTheCpuThatNothingTellsTheEndOf) {
  EXPECT_THAT(refused(subject("pending_on_cpu")).message, HasSubstr("without blocking"));
}

TEST_F(SubjectEngine, PassesOnInOneLineWhyCreateFailed) {
  const Error error = refused(subject("create_fails") + ":n=-1");
  EXPECT_EQ(error.code, ErrorCode::BadModel);
  EXPECT_THAT(error.message, EndsWith("subjects.so:create_fails: create failed: no memory for [1ma matrix"));
  EXPECT_EQ(error.hint, "it was made with the arguments 'n=-1'");
  EXPECT_THAT(refused(subject("create_fails")).hint, HasSubstr("without arguments"));
  const Error silent = refused(subject("create_fails_silently"));
  EXPECT_THAT(silent.message, EndsWith("create failed with 7 and gives no reason"));
  EXPECT_THAT(silent.hint, HasSubstr("error()"));
}

TEST_F(SubjectEngine, PassesOnWhyAnEnqueueInTheMiddleFailed) {
  const Error error = enqueue_fails("fifth_fails", 4);
  EXPECT_EQ(error.code, ErrorCode::Internal);
  EXPECT_THAT(error.message, EndsWith("subjects.so:fifth_fails: enqueue failed: the queue is full"));
}

TEST_F(SubjectEngine, SurvivesExceptionsAndNamesThem) {
  const Error create = refused(subject("create_throws"));
  EXPECT_EQ(create.code, ErrorCode::Internal);
  EXPECT_THAT(create.message, EndsWith("create_throws: create threw std::runtime_error: no such kernel"));
  EXPECT_THAT(enqueue_fails("enqueue_throws", 0).message, EndsWith("enqueue_throws: enqueue threw std::runtime_error: illegal address"));
  EXPECT_THAT(enqueue_fails("enqueue_throws_a_number", 0).message, EndsWith("enqueue threw an exception of type int"));
  EXPECT_THAT(enqueue_fails("error_throws", 4).message, EndsWith("error threw std::logic_error: no idea"));
  const int destroyed = the_log().destroyed;
  { const auto session = load(subject("destroy_throws")); }
  EXPECT_EQ(the_log().destroyed - destroyed, 1);
}

TEST(ParseSubjectName, TakesFileSymbolAndArgumentsApart) {
  const auto parsed = [](std::string_view text) {
    const auto name = parse_subject_name(text);
    return name ? name->file + "|" + name->symbol + "|" + name->arguments : "none";
  };
  EXPECT_EQ(parsed("./a.so:gemm"), "./a.so|gemm|");
  EXPECT_EQ(parsed("a.so:gemm:n=1:x.so:y"), "a.so|gemm|n=1:x.so:y");
  EXPECT_EQ(parsed("a.so:gemm:/data/x.bin"), "a.so|gemm|/data/x.bin");
  EXPECT_EQ(parsed("a.so.1.2.3:gemm"), "a.so.1.2.3|gemm|");
  EXPECT_EQ(parsed("a.so"), "a.so||");
  EXPECT_EQ(parsed("a.so.1"), "a.so.1||");
  EXPECT_EQ(parsed("a.so:"), "a.so||");
  EXPECT_EQ(parsed("dir.so/b.so:gemm"), "dir.so/b.so|gemm|");
  EXPECT_EQ(parsed("odd.so:dir/b.so:gemm"), "odd.so:dir/b.so|gemm|");
  for (const std::string_view other :
       {"", "a.son", "a.so.x", "a.so.", "model.onnx", "model.onnx:so", "sim:device=1ms", "a.so/model.onnx"}) {
    EXPECT_EQ(parsed(other), "none") << other;
  }
}

TEST(Catalogue, KnowsTheSubjectsByTheirFiles) {
  EXPECT_STREQ((*find_engine("subject"))->name, "subject");
  EXPECT_STREQ((*engine_for("./libmine.so"))->name, "subject");
  EXPECT_STREQ((*engine_for("./libmine.so.2"))->name, "subject");
  EXPECT_FALSE(engine_for("model.so:docx"));  // an existing file of such a name is a model
}

}  // namespace
}  // namespace lapse::engine
