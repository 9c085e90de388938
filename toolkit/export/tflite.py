"""A SavedModel's signatures as one TFLite file of builtin ops, in full precision or quantized."""

import json
import os
import pathlib
import re
import sys
import tempfile
from collections.abc import Iterable, Mapping

import numpy as np

from toolkit.export._apart import read_feeds, run_apart, write_feeds
from toolkit.export.inspection import inspect_tflite
from toolkit.lazy import tensorflow as tf
from toolkit.silence import silenced

QUANTIZATIONS = ("none", "dynamic", "float16", "int8")
_OTHER_FLOATS = {"f16": "float16", "bf16": "bfloat16", "f64": "float64"}


class ConversionError(RuntimeError):
    """A signature cannot be said in TFLite's builtin ops."""


def check_quantization(quantize: str, calibrate: Iterable | None) -> None:
    """Checks that the settings for a quantized file fit together.

    Args:
        quantize: "none", "dynamic", "float16" or "int8".
        calibrate: Typical inputs, or None.

    Raises:
        ValueError: Where `quantize` is unknown, or `calibrate` is missing or given without need.

    Example:

    >>> check_quantization("int7", None)
    Traceback (most recent call last):
    ValueError: quantize='int7': expected one of none, dynamic, float16, int8.
    """
    if quantize not in QUANTIZATIONS:
        raise ValueError(f"quantize={quantize!r}: expected one of {', '.join(QUANTIZATIONS)}.")
    if (quantize == "int8") != (calibrate is not None):
        raise ValueError(f"quantize={quantize!r}: typical inputs (calibrate) are for 'int8', which needs them.")


def convert_to_tflite(
    saved_model: str | os.PathLike,
    path: str | os.PathLike,
    signatures: Iterable[str],
    quantize: str = "none",
    calibrate: Iterable[Mapping[str, Mapping[str, np.ndarray]]] | None = None,
) -> None:
    """Converts signatures of a SavedModel; weights that several of them share are held once.

    Args:
        saved_model: Folder of the SavedModel.
        path: The file to write.
        signatures: Names of the signatures to convert.
        quantize: "none"; "dynamic": weights as int8; "float16": weights as float16; "int8": weights and activations,
            inputs and outputs stay as they are.
        calibrate: For "int8": typical inputs, each item signature name to inputs by name.

    Raises:
        ConversionError: Where an op has no builtin counterpart (the ops are named), the file would keep variables, or
            would draw the same noise at every start.
        ValueError: Where `quantize` is unknown, or `calibrate` is missing or given without need.
    """
    check_quantization(quantize, calibrate)
    if quantize == "int8":
        content = _convert_apart(saved_model, list(signatures), [pair for item in calibrate for pair in item.items()])
    else:
        content = _convert(saved_model, list(signatures), quantize)
    pathlib.Path(path).write_bytes(content)
    _check_file(path)


def _convert(saved_model, signatures, quantize, calibrate=()):
    converter = tf.lite.TFLiteConverter.from_saved_model(os.fspath(saved_model), signature_keys=signatures)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if quantize != "none":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if quantize == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if quantize == "int8":
        converter.representative_dataset = lambda: iter(calibrate)
    try:
        with silenced():
            return converter.convert()
    except Exception as error:  # The converter raises its own, unpublished class, and others from below it.
        names = _named_ops(str(error))
        reason = f"no builtin op for {', '.join(names)}" if names else str(error).strip().split("\n")[0]
        dtypes = sorted({_OTHER_FLOATS[dtype] for dtype in re.findall(r"x(f16|bf16|f64)>", str(error))})
        if dtypes:
            reason += f" in {', '.join(dtypes)}; TFLite computes in float32: build the model under that dtype policy"
        raise ConversionError(f"TFLite, signatures {sorted(signatures)}, quantize={quantize!r}: {reason}.") from error


def _convert_apart(saved_model, signatures, calibrate):
    """Converts to int8 in a process of its own: TensorFlow's calibrator ends the process on some while loops."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        feeds = {f"{index}/{key}": inputs for index, (key, inputs) in enumerate(calibrate)}
        request = {"saved_model": os.fspath(saved_model), "signatures": signatures, "feeds": list(feeds)}
        (folder / "request.json").write_text(json.dumps(request))
        write_feeds(folder / "calibrate.npz", feeds)
        try:
            run_apart("toolkit.export.tflite", folder)
        except RuntimeError as error:
            raise ConversionError(
                f"TFLite, signatures {sorted(signatures)}, quantize='int8': the calibration failed ({error}); it does "
                "on many recurrent layers and sampling loops, which quantize='dynamic' can convert."
            ) from error
        return (folder / "model.tflite").read_bytes()


def _main(folder):
    request = json.loads((folder / "request.json").read_text())
    feeds = read_feeds(folder / "calibrate.npz", request["feeds"])
    calibrate = [(key.split("/")[1], inputs) for key, inputs in feeds.items()]
    (folder / "model.tflite").write_bytes(_convert(request["saved_model"], request["signatures"], "int8", calibrate))


def _named_ops(text):
    """Reads the op names from the converter's message."""
    lists = re.findall(r"^(?:Custom|Flex|TF Select|Select) ops: (.+)$", text, re.MULTILINE)
    names = {name.strip() for line in lists for name in line.split(",")}
    return sorted(names or re.findall(r"'(tf\.\w+)' op is neither a custom op nor a flex op", text))


def _check_file(path):
    found = inspect_tflite(path)
    if found["custom_ops"]:
        raise ConversionError(f"TFLite: no builtin op for {', '.join(found['custom_ops'])}.")
    kept = {"VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE"} & set(found["ops"])
    if kept:
        raise ConversionError(
            f"TFLite: the file would keep variables between calls ({', '.join(sorted(kept))}), without their values; "
            "hand state in and out as tensors."
        )
    if found["seeded_random_ops"]:
        raise ConversionError(
            f"TFLite: {', '.join(found['seeded_random_ops'])} would draw the same noise at every start: a tf.function "
            "inside the signature was traced with a seed before. Call its Python function (`.python_function`)."
        )


if __name__ == "__main__":
    _main(pathlib.Path(sys.argv[1]))
