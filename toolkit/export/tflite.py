"""A SavedModel's signatures as one TFLite file of builtin ops, in full precision or with smaller weights."""

import os
import pathlib
import re
from collections.abc import Iterable

from toolkit.export.inspection import inspect_tflite
from toolkit.lazy import tensorflow as tf
from toolkit.silence import silenced

SMALLER_WEIGHTS = ("dynamic", "float16")
_OTHER_FLOATS = {"f16": "float16", "bf16": "bfloat16", "f64": "float64"}


class ConversionError(RuntimeError):
    """A signature cannot be converted to TFLite's builtin ops."""


def convert_to_tflite(
    saved_model: str | os.PathLike, path: str | os.PathLike, signatures: Iterable[str], quantize: str = "none"
) -> None:
    """Converts signatures of a SavedModel; weights that several of them share are held once.

    Args:
        saved_model: Folder of the SavedModel.
        path: The file to write.
        signatures: Names of the signatures to convert.
        quantize: "none"; "dynamic": weights as int8; "float16": weights as float16. (`quantize_to_int8` makes the file
            that computes in int8 too.)

    Raises:
        ConversionError: Where an op has no builtin counterpart (the ops are named), the file would keep variables, or
            would draw the same noise at every start.
        ValueError: Where `quantize` is unknown.

    Example:

    >>> convert_to_tflite("saved_model", "model.tflite", ["step"], "int4")
    Traceback (most recent call last):
    ValueError: quantize='int4': expected one of none, dynamic, float16.
    """
    if quantize not in ("none", *SMALLER_WEIGHTS):
        raise ValueError(f"quantize={quantize!r}: expected one of none, {', '.join(SMALLER_WEIGHTS)}.")
    pathlib.Path(path).write_bytes(_convert(saved_model, list(signatures), quantize))
    _check_file(path)


def _convert(saved_model, signatures, quantize):
    converter = tf.lite.TFLiteConverter.from_saved_model(os.fspath(saved_model), signature_keys=signatures)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if quantize != "none":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if quantize == "float16":
        converter.target_spec.supported_types = [tf.float16]
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
