#include <cxxabi.h>
#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <lapse/device/timeline.hpp>
#include <lapse/engine/builtin.hpp>
#include <lapse/engine/plugin/ports.hpp>
#include <lapse/engine/plugin/table.hpp>
#include <lapse/engine/subject_library.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <typeinfo>

namespace lapse::engine {
namespace {

using plugin::Failure;

// Where a subject runs: "cuda:1" and 1, or a device that has no number.
struct Place {
  std::string device;
  int number = 0;
};

std::optional<int> cuda_number(std::string_view device) {
  constexpr std::string_view kPrefix = "cuda:";
  int number = 0;
  if (!device.starts_with(kPrefix)) return std::nullopt;
  const auto [end, error] = std::from_chars(device.data() + kPrefix.size(), device.data() + device.size(), number);
  if (error != std::errc{} || end != device.data() + device.size() || number < 0) return std::nullopt;
  return number;
}

Place choose_place(std::string_view own, const std::optional<std::string>& asked, const std::string& label) {
  if (own == "cuda") {
    if (!asked || *asked == "cuda") return {"cuda:0", 0};
    if (const auto number = cuda_number(*asked)) return {*asked, *number};
  } else if (!asked || *asked == own) {
    return {std::string(own), cuda_number(own).value_or(0)};
  }
  throw Failure(LAPSE_DEVICE_UNUSABLE, fmt::format("{} has no device '{}'", label, *asked),
                own == "cuda" ? "it runs on a GPU: --device cuda:0, cuda:1, …" : fmt::format("it runs on: {}", own));
}

// Before `create` is called: what a library says of a driver that isn't there is less clear.
void require_device(const std::string& device, const std::string& label) {
  const auto timeline = device::open_timeline(device);
  if (!timeline) throw Failure(LAPSE_DEVICE_UNUSABLE, fmt::format("{}: {}", label, timeline.error().message), timeline.error().hint);
}

// Inside a catch block: what was thrown, in words.
std::string describe_thrown() {
  const std::type_info* type = abi::__cxa_current_exception_type();
  if (type == nullptr) return "threw something that is no C++ exception";
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> demangled{abi::__cxa_demangle(type->name(), nullptr, nullptr, &status), std::free};
  const char* name = demangled != nullptr ? demangled.get() : type->name();
  try {
    throw;
  } catch (const std::exception& exception) {
    return fmt::format("threw {}: {}", name, exception.what());
  } catch (...) {
    return fmt::format("threw an exception of type {}", name);
  }
}

struct Subject {
  const lapse_subject* table;
  std::string label;      // "./libmine.so:gemm"
  std::string arguments;  // for create
  Place place;

  [[noreturn]] void fail_thrown(lapse_status status, const char* function) const {
    throw Failure(status, fmt::format("{}: {} {}", label, function, describe_thrown()), "no exception may leave a subject: it is C");
  }

  [[noreturn]] void fail_returned(lapse_status status, const char* function, int returned, void* handle) const {
    const char* reason = nullptr;
    try {
      reason = table->error(handle);
    } catch (...) {
      fail_thrown(status, "error");
    }
    if (reason == nullptr || *reason == '\0') {
      throw Failure(status, fmt::format("{}: {} failed with {} and gives no reason", label, function, returned),
                    "let the subject's error() say why");
    }
    throw Failure(status, fmt::format("{}: {} failed: {}", label, function, reason), handle == nullptr ? hint_of_create() : "");
  }

 private:
  std::string hint_of_create() const {
    return arguments.empty() ? "it was made without arguments; they stand behind a second colon: FILE.so:SYMBOL:ARGUMENTS"
                             : fmt::format("it was made with the arguments '{}'", arguments);
  }
};

// One handle of a subject, for one inference at a time.
class Binding {
 public:
  explicit Binding(const Subject& subject) : subject_(subject) {
    int returned = 0;
    try {
      returned = subject.table->create(subject.arguments.c_str(), subject.place.number, &handle_);
    } catch (...) {
      subject.fail_thrown(LAPSE_INTERNAL, "create");
    }
    if (returned != 0) subject.fail_returned(LAPSE_BAD_MODEL, "create", returned, nullptr);
  }

  ~Binding() {
    try {
      if (handle_ != nullptr) subject_.table->destroy(handle_);
    } catch (...) {  // what was measured is not worth less for it
    }
  }
  Binding(const Binding&) = delete;
  Binding& operator=(const Binding&) = delete;

  void submit(void* stream) {
    int returned = 0;
    try {
      returned = subject_.table->enqueue(handle_, stream);
    } catch (...) {
      subject_.fail_thrown(LAPSE_INTERNAL, "enqueue");
    }
    if (returned != 0) subject_.fail_returned(LAPSE_INTERNAL, "enqueue", returned, handle_);
  }
  std::span<const lapse_tensor> outputs() const noexcept { return {}; }

 private:
  const Subject& subject_;
  void* handle_ = nullptr;
};

class Session {
 public:
  // The first handle is made at once, so that what is wrong with it is known when the model was loaded, and its cost is the load's.
  explicit Session(Subject subject) : subject_(std::move(subject)), first_(std::make_unique<Binding>(subject_)) {}

  lapse_session_info info() const noexcept {
    const bool blocking = subject_.table->blocking != 0;
    return plugin::session_info(none_, none_, subject_.place.device.c_str(), !blocking, blocking, 0);
  }
  std::unique_ptr<Binding> bind(std::span<const lapse_tensor> inputs) {
    none_.check(inputs);
    return first_ != nullptr ? std::move(first_) : std::make_unique<Binding>(subject_);
  }

 private:
  const Subject subject_;
  const plugin::Ports none_;
  std::unique_ptr<Binding> first_;
};

class Engine {
 public:
  static std::unique_ptr<Engine> open(plugin::Options& options) {
    options.refuse_unknown();
    return std::make_unique<Engine>();
  }
  lapse_engine_info info() const noexcept { return {"1", "", "cpu,cuda,sim"}; }
  std::unique_ptr<Session> load(const std::string& model, plugin::Options& options) {
    const auto device = options.text("device");
    options.count("threads");  // a subject's threads are its own affair
    options.text("streams");    // it is told its stream with each call …
    options.text("transfers");  // … and copies what it likes, when it likes
    options.refuse_unknown();
    const auto name = parse_subject_name(model);
    if (!name) throw Failure(LAPSE_BAD_MODEL, model + " names no subject", "write FILE.so:SYMBOL, or FILE.so:SYMBOL:ARGUMENTS");
    const lapse_subject& table = open_subject(*name);
    Place place = choose_place(table.device, device, name->label());
    require_device(place.device, name->label());
    return std::make_unique<Session>(Subject{&table, name->label(), name->arguments, std::move(place)});
  }
};

constexpr lapse_engine_api kSubject = plugin::Table<Engine, Session, Binding>::make("subject", ".so", "");

}  // namespace

const lapse_engine_api& subject_engine() noexcept { return kSubject; }
bool names_subject(std::string_view model) { return parse_subject_name(model).has_value(); }

}  // namespace lapse::engine
