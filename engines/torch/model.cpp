#include "model.hpp"

#include <caffe2/serialize/inline_container.h>

#include <string_view>

#include <lapse/engine/plugin/model_file.hpp>
#include "translate.hpp"

namespace lapse::plugin::libtorch {
namespace {

constexpr std::string_view kHowToSave = "save it with torch.jit.script(model).save(path) or torch.jit.trace(model, example).save(path)";

[[noreturn]] void refuse(const std::string& message) { throw Failure(LAPSE_BAD_MODEL, message, std::string(kHowToSave)); }

struct Contents {
  bool code = false;
  bool pickle = false;
};

Contents contents_of(const std::string& path) {
  try {
    caffe2::serialize::PyTorchStreamReader reader(path);
    return {reader.hasRecord("constants.pkl"), reader.hasRecord("data.pkl")};
  } catch (const c10::Error& error) {
    const std::string_view text = error.what_without_backtrace();
    if (text.find("central directory") != std::string_view::npos) throw Failure(LAPSE_BAD_MODEL, path + " is damaged: its end is missing");
    if (text.find("maximum supported version") != std::string_view::npos) throw translated(Stage::Load, path);
    return {};
  }
}

// torch.save and torch.jit.save both write zip files with a data.pkl; only TorchScript carries code and its constants.
void require_torchscript(const std::string& path) {
  const std::string head = open_model_file(path);
  const std::string pickled = path + " is a pickle of weights or of a Python module, not TorchScript";
  if (head.starts_with('\x80')) refuse(pickled);
  if (!head.starts_with("PK")) refuse(path + " is not a TorchScript file");
  const Contents contents = contents_of(path);
  if (!contents.code) refuse(contents.pickle ? pickled : path + " is a zip file, but not TorchScript");
}

}  // namespace

torch::jit::Module load_model(const std::string& path, const LoadOptions& options) {
  require_torchscript(path);
  return translate(Stage::Load, path, [&] {
    torch::jit::Module module = torch::jit::load(path, options.device);
    module.eval();
    if (!module.find_method("forward")) throw Failure(LAPSE_BAD_MODEL, path + " has no method forward");
    if (options.optimize) return torch::jit::optimize_for_inference(module);
    return options.freeze ? torch::jit::freeze(module) : module;
  });
}

}  // namespace lapse::plugin::libtorch
