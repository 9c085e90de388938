"""A `.tflite` file whose products are computed in int8, with ranges measured on typical inputs.

TensorFlow 2.21's own calibrator crashes on while loops, and so on recurrent layers and generators. Google's
ai-edge-quantizer works on the finished file, and its profiler sees inside the loops.
"""

import contextlib
import io
import os
import pathlib
import warnings
from collections.abc import Iterable, Mapping

import numpy as np

from toolkit.export.inspection import inspect_tflite
from toolkit.export.tflite import ConversionError
from toolkit.silence import silenced

# The ops with weights, which do most of the arithmetic. Those between stay float32: on the handwriting recipes an
# LSTM's gates in int8 too cost six times the log-loss and saved no time; activations of 16 bits gained little and took
# three times the time.
PRODUCTS = ("FULLY_CONNECTED", "BATCH_MATMUL", "CONV_2D", "CONV_2D_TRANSPOSE", "DEPTHWISE_CONV_2D")

# What lies between convolutions and keeps the values' range: in int8 too, in files without a loop. Otherwise each
# convolution would be led to float32 and back: of a ResNet-20, that took 1.5 times the time.
BETWEEN = ("ADD", "AVERAGE_POOL_2D", "CONCATENATION", "MAX_POOL_2D", "MEAN", "PAD", "RELU", "RESHAPE", "STRIDED_SLICE")


def quantize_to_int8(
    source: str | os.PathLike,
    path: str | os.PathLike,
    calibrate: Iterable[Mapping[str, Mapping[str, np.ndarray]]],
) -> dict[str, int]:
    """Quantizes weights and activations of a TFLite file's products and convolutions, and, where it has no loop, what
    lies between convolutions; inputs and outputs stay.

    Weights get a scale for each output channel, activations one for each tensor, from the least and largest value that
    they had on the typical inputs.

    Args:
        source: The float32 file.
        path: The file to write.
        calibrate: Typical inputs, each item signature name to inputs by name; every signature at least once.

    Returns:
        Signature name to the number of inputs it was calibrated with.

    Raises:
        ConversionError: Where the file cannot be quantized.
        ValueError: Where a signature has no typical inputs, or some are for a signature that the file does not have.
    """
    from ai_edge_quantizer import calibrator, qtyping, quantizer, recipe_manager

    found = inspect_tflite(source)
    feeds = {key: [] for key in found["signatures"]}
    for item in calibrate:
        unknown = sorted(set(item) - set(feeds))
        if unknown:
            raise ValueError(f"calibrate: there is no signature {unknown}; they are {sorted(feeds)}.")
        for key, inputs in item.items():
            feeds[key].append(dict(inputs))
    missing = [key for key, inputs in feeds.items() if not inputs]
    if missing:
        raise ValueError(f"calibrate: no typical inputs for {', '.join(missing)}; give every signature some.")

    recipe = recipe_manager.RecipeManager()
    images = "CONV_2D" in found["ops"] and "WHILE" not in found["ops"]
    # Between convolutions a product of two tensors resizes an image, by a matrix of interpolation. LiteRT 2.3 computes
    # it wrong in int8: of a trained DeepLab every pixel became one class.
    products = [name for name in PRODUCTS if not (images and name == "BATCH_MATMUL")]
    for name in (*products, *(BETWEEN if images else ())):
        recipe.add_static_config(".*", qtyping.TFLOperationName(name), activation_num_bits=8, weight_num_bits=8)
    content = _as_the_quantizer_needs(pathlib.Path(source).read_bytes())
    try:
        with silenced(), contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            profiled = calibrator.Calibrator(
                content,
                num_threads=1,
                mode=calibrator.CalibrationMode.CALIBRATION_PROFILER_BASED,
                qsv_update_func=_widen,
            )
            profiled.calibrate(feeds, recipe)
            made = quantizer.Quantizer(content, recipe.get_quantization_recipe()).quantize(profiled.get_model_qsvs())
            quantized = _with_outputs_of(content, made.quantized_model)
    except Exception as error:  # Whatever the quantizer or the kernels below it raise.
        reason = str(error).strip().split("\n")[0]
        raise ConversionError(f"TFLite, int8: {reason}") from error
    pathlib.Path(path).write_bytes(quantized)
    return {key: len(inputs) for key, inputs in feeds.items()}


def _as_the_quantizer_needs(content):
    """The quantizer knows tensors by their names, of which TensorFlow 2.16's converter gives some twice; and where a
    loop has taken a constant over, the copy that no op reads any more would stay float32 on bytes that are now int8.
    """
    from ai_edge_litert.tools import flatbuffer_utils

    model, taken = flatbuffer_utils.read_model_from_bytearray(bytearray(content)), set()
    for number, subgraph in enumerate(model.subgraphs):
        read = {*subgraph.inputs, *subgraph.outputs}.union(*(op.inputs for op in subgraph.operators))
        for index, tensor in enumerate(subgraph.tensors):
            if tensor.name in taken:
                tensor.name += f";{number}.{index}".encode()
            taken.add(tensor.name)
            if index not in read:
                tensor.buffer = 0  # the empty one
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _with_outputs_of(content, quantized):
    """Gives the outputs of each subgraph the types that they have in the source.

    ai-edge-quantizer 0.10 puts the int8 copy of a tensor in its place among a subgraph's outputs where a product reads
    it too: a loop then takes the bytes of int8 for its next step's float32 state.
    """
    from ai_edge_litert.tools import flatbuffer_utils

    source, made = (flatbuffer_utils.read_model_from_bytearray(bytearray(part)) for part in (content, quantized))
    for before, after in zip(source.subgraphs, made.subgraphs, strict=True):
        after.outputs = [
            new if after.tensors[new].type == before.tensors[old].type else old
            for old, new in zip(before.outputs, after.outputs, strict=True)
        ]
        if any(after.tensors[i].type != before.tensors[i].type for i in before.inputs):
            raise ValueError("the inputs of a subgraph changed their type")
    return bytes(flatbuffer_utils.convert_object_to_bytearray(made))


def _widen(known, new):
    return {"min": np.minimum(known["min"], new["min"]), "max": np.maximum(known["max"], new["max"])}
