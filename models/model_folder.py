"""One model as a folder in the layout of the ONNX test data, with TorchScript and .npy files beside:

    NAME/model.onnx, NAME/model.pt
    NAME/test_data_set_N/input_K.pb, output_K.pb     and the same tensors as .npy

The files hold nothing of the machine that wrote them: no paths, no times, no names of programs.
"""

import io
import pathlib
import warnings

import numpy as np
import onnx
import onnx.numpy_helper
import torch

OPSET = 17  # the newest that PyTorch 1.13 exports

Axes = dict[str, dict[int, str]]  # name of an input or output -> axis -> name of the dynamic dimension


def write_onnx(
    path: pathlib.Path, net: torch.nn.Module, example: tuple[torch.Tensor, ...], inputs: list[str], outputs: list[str], dynamic: Axes
) -> None:
    exported = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer warns of every size it reads
        torch.onnx.export(
            net, example, exported, opset_version=OPSET, input_names=inputs, output_names=outputs, dynamic_axes=dynamic
        )
    model = onnx.load_from_string(exported.getvalue())
    model.producer_name, model.producer_version, model.doc_string = "lapse", "", ""
    model.graph.name, model.graph.doc_string = "net", ""
    for node in model.graph.node:
        node.doc_string = ""
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def write_torchscript(path: pathlib.Path, net: torch.nn.Module, example: tuple[torch.Tensor, ...]) -> None:
    """Traced; every net here computes its sizes from its inputs, so the trace holds for other sizes too."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(net, example, check_trace=False)
    saved = io.BytesIO()
    torch.jit.save(traced, saved)
    # Written once more without the debug records: they hold the paths of the Python sources.
    saved.seek(0)
    reader = torch._C.PyTorchFileReader(saved)
    writer = torch._C.PyTorchFileWriter(str(path))
    for name in reader.get_all_records():
        if name != "version" and not name.endswith(".debug_pkl"):  # the writer adds the version itself
            record = reader.get_record(name)
            writer.write_record(name, record, len(record))
    writer.write_end_of_file()


def write_data_set(folder: pathlib.Path, number: int, tensors: dict[str, dict[str, np.ndarray]]) -> None:
    """`tensors`: "input" and "output" -> name -> array, in the model's order."""
    data_set = folder / f"test_data_set_{number}"
    data_set.mkdir(parents=True, exist_ok=True)
    for role, arrays in tensors.items():
        for k, (name, array) in enumerate(arrays.items()):
            proto = onnx.numpy_helper.from_array(array, name)
            (data_set / f"{role}_{k}.pb").write_bytes(proto.SerializeToString())
            np.save(data_set / f"{role}_{k}.npy", array)
