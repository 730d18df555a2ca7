#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <lapse/serve/oip/words.hpp>
#include <lapse/serve/worker/model.hpp>

namespace lapse::serve {
namespace {

oip::Port port_of(const engine::Port& port) {
  oip::Port result{port.name, port.dtype, std::nullopt};
  if (!port.dims) return result;
  result.shape.emplace();
  for (const engine::Dimension& dimension : *port.dims) result.shape->push_back(dimension.size);
  return result;
}

void complete(oip::Port& port, const oip::Port& declared) {
  if (port.dtype == tensor::DType::Unknown) port.dtype = declared.dtype;
  if (!port.shape) port.shape = declared.shape;
}

// What the model tells, and where it doesn't, what was declared for it: inputs by name, outputs in their order.
Result<oip::Signature> signature_of(const engine::Session& session, const oip::Signature& declared) {
  oip::Signature signature;
  for (const engine::Port& port : session.inputs()) signature.inputs.push_back(port_of(port));
  for (const engine::Port& port : session.outputs()) signature.outputs.push_back(port_of(port));
  for (const oip::Port& port : declared.inputs) {
    const auto found = std::ranges::find(signature.inputs, port.name, &oip::Port::name);
    if (found == signature.inputs.end()) {
      return fail(ErrorCode::BadModel,
                  fmt::format("an input {} is declared, and the model has none of that name", oip::in_quotes(port.name)),
                  "correct the inputs in the model's settings");
    }
    complete(*found, port);
  }
  if (signature.outputs.empty()) signature.outputs = declared.outputs;
  if (!declared.outputs.empty() && declared.outputs.size() != signature.outputs.size()) {
    return fail(ErrorCode::BadModel,
                fmt::format("{} outputs are declared, and the model has {}", declared.outputs.size(), signature.outputs.size()),
                "correct the outputs in the model's settings");
  }
  for (std::size_t i = 0; i < declared.outputs.size(); ++i) {
    if (session.outputs().empty() || session.outputs()[i].dtype == tensor::DType::Unknown)
      signature.outputs[i].name = declared.outputs[i].name;
    complete(signature.outputs[i], declared.outputs[i]);
  }
  return signature;
}

// Nothing told is taken for yes: the first joined pass shows it.
bool leaves_first_open(const oip::Port& port) { return !port.shape || (!port.shape->empty() && port.shape->front() < 0); }

}  // namespace

Result<Model> Model::load(const wire::Load& load) {
  measuring::ModelRequest request;
  request.model = load.model;
  request.engine = load.engine;
  request.device = load.device;
  request.engine_options = load.options;
  if (load.threads > 0) request.threads = load.threads;
  LAPSE_TRY(auto model, measuring::load_model(request));
  wire::Loaded loaded;
  LAPSE_TRY(loaded.signature, signature_of(*model.session, load.declared));
  loaded.platform = model.engine->name();
  loaded.engine_version = model.engine->version();
  loaded.device = model.session->device();
  loaded.threads = model.session->threads();
  loaded.batches =
      load.max_batch > 1 && !loaded.signature.inputs.empty() && std::ranges::all_of(loaded.signature.inputs, leaves_first_open);
  loaded.load = model.load;
  Model result{std::move(model), std::move(loaded)};
  for (int i = 0; i < (result.model_.session->staged() ? 4 : 2); ++i) {
    LAPSE_TRY(const device::Mark mark, result.model_.timeline->make_mark());
    result.marks_.push_back(mark);
  }
  return result;
}

Result<void> Model::submit(engine::Binding& binding) {
  device::Timeline& timeline = *model_.timeline;
  LAPSE_CHECK(timeline.record(marks_.front()));
  for (std::size_t i = 1; i < marks_.size(); ++i) {
    const bool staged = model_.session->staged();
    const lapse_status status =
        staged ? binding.stage(static_cast<lapse_stage>(i - 1), timeline.stream()) : binding.submit(timeline.stream());
    if (status != LAPSE_OK) return tl::unexpected(binding.error(status));
    LAPSE_CHECK(timeline.record(marks_[i]));
  }
  return timeline.synchronize();
}

Result<Model::Pass> Model::infer(std::span<const tensor::TensorView> inputs) {
  // Bound anew each time: an engine may take a copy of what is bound (null does, and page-locked memory is one).
  LAPSE_TRY(engine::Binding binding, model_.session->bind(inputs));
  LAPSE_CHECK(submit(binding));
  LAPSE_TRY(const auto views, binding.outputs());
  Pass pass;
  for (const tensor::TensorView& view : views) {
    LAPSE_TRY(auto output, tensor::Tensor::make(view.dtype, {view.shape.begin(), view.shape.end()}));
    if (view.bytes > 0) std::memcpy(output.data(), view.data, view.bytes);
    pass.outputs.push_back(std::move(output));
  }
  const auto between = [&](std::size_t from) { return model_.timeline->elapsed(marks_[from], marks_[from + 1]); };
  if (model_.session->staged()) {
    LAPSE_TRY(pass.h2d, between(0));
    LAPSE_TRY(pass.forward, between(1));
    LAPSE_TRY(pass.d2h, between(2));
  } else {
    LAPSE_TRY(pass.forward, between(0));
  }
  return pass;
}

}  // namespace lapse::serve
