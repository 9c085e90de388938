"""Lines a second that the shipped handwriting model writes, beside the same loop in PyTorch.

  ./run benchmarks tests/benchmarks/bench_writing.py

All sides have the shipped weights, the same text, bias and noise, and it is checked that they write as many points; the
file with int8 weights writes its own line. Each measurement has a process of its own, on the CPU; a time
is the median and in brackets the quartiles, a ratio one of medians, below 1 where the toolkit is faster.
"""

import os
import pathlib
import statistics
import tempfile

import numpy as np
from measuring import apart, machine, print_row, print_times, timed, version

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "saved_models" / "handwriting_synthesis"
TEXT, NUM_STEPS, NUM_CHARACTERS, REPEATS = "The quick brown fox jumps", 700, 64, 15


def inputs(num_lines):
    random = np.random.default_rng(0)
    noise = random.standard_normal((num_lines, NUM_STEPS, 4)).astype("float32")
    noise[..., [0, 3]] = random.uniform(size=(num_lines, NUM_STEPS, 2))
    text = np.zeros((num_lines, NUM_CHARACTERS), "int32")
    text[:, : len(TEXT)] = list(map(ord, TEXT))
    return {"text": text, "bias": np.ones(num_lines, "float32"), "noise": noise}


def written(write, num_lines):
    result = {}
    seconds = timed(lambda: result.update({name: np.asarray(array) for name, array in write().items()}), REPEATS)
    return {"seconds": [each / num_lines for each in seconds], "lengths": np.ravel(result["length"])}


def keras_writing(folder):
    """Leaves a SavedModel and a .tflite of both batch sizes, and the weights for PyTorch."""
    import keras
    import tensorflow as tf

    from toolkit import export, generation
    from toolkit.models import handwriting  # noqa: F401  (registers the layers)

    model = keras.saving.load_model(FOLDER / "model.keras")
    layers = {layer.name: layer.trainable_weights for layer in model.layers}
    np.savez(
        folder / "weights.npz",
        **{f"{name}/{each.name}": each.numpy() for name, weights in layers.items() for each in weights},
        sizes=[model.get_layer("window").cell.units, model.get_layer("window").cell.num_gaussians],
        alphabet=model.get_layer("characters").alphabet,
        num_mixtures=model.get_layer("density").distribution.num_mixtures,
    )
    writer = generation.strokes.Writer(model)

    def generate(text, bias, noise):
        line = writer.generate(text, bias, num_steps=NUM_STEPS, noise=noise)
        return {"strokes": line["strokes"], "length": line["length"]}

    function, results, traced = tf.function(generate, autograph=False), {}, {}
    for num_lines in (1, 64):
        given = inputs(num_lines)
        shapes = {name: (array.shape, array.dtype.name) for name, array in given.items()}
        traced[f"lines_{num_lines}"] = export.trace(export.signature(generate, **shapes))
        given = {name: tf.constant(array) for name, array in given.items()}
        results[num_lines] = written(lambda given=given: function(**given), num_lines)
    export.save_traced(folder / "saved_model", traced, [model])
    export.convert_to_tflite(folder / "saved_model", folder / "model.tflite", list(traced))
    return results


def saved_model_writing(folder):
    import tensorflow as tf

    loaded, results = tf.saved_model.load(str(folder / "saved_model")), {}
    for num_lines in (1, 64):
        given = {name: tf.constant(array) for name, array in inputs(num_lines).items()}
        function = loaded.signatures[f"lines_{num_lines}"]
        results[num_lines] = written(lambda given=given, function=function: function(**given), num_lines)
    return results


def tflite_writing(path, names, num_threads=1):
    """Without TensorFlow in the process."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter, results = Interpreter(str(path), num_threads=num_threads), {}
    for num_lines, name in names.items():
        runner, given = interpreter.get_signature_runner(name), inputs(num_lines)
        results[num_lines] = written(lambda runner=runner, given=given: runner(**given), num_lines)
    return results


def pytorch_writing(folder):
    import torch
    from handwriting_in_pytorch import HandwritingNetwork

    with np.load(folder / "weights.npz") as file:
        weights = {name: file[name] for name in file}
    units, num_gaussians = weights.pop("sizes")
    alphabet, num_mixtures = str(weights.pop("alphabet")), int(weights.pop("num_mixtures"))
    num_layers = 1 + sum(name.startswith("lstm_") and name.endswith("/kernel") for name in weights)
    network = HandwritingNetwork(alphabet, int(units), num_layers, num_mixtures, int(num_gaussians))
    network.load({name: torch.from_numpy(array) for name, array in weights.items()})
    network, results = network.eval(), {}
    for num_lines in (1, 64):
        given = {name: torch.from_numpy(array) for name, array in inputs(num_lines).items()}
        results[num_lines] = written(lambda given=given: network.write(**given), num_lines)
    return results


def main():
    os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")
    has_pytorch = version("torch") is not None
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        ours = {"Keras": apart(keras_writing, folder), "SavedModel": apart(saved_model_writing, folder)}
        lines = {1: "lines_1", 64: "lines_64"}
        ours["TFLite float32, 1 thread"] = apart(tflite_writing, folder / "model.tflite", lines)
        shipped = FOLDER / "model_dynamic.tflite"
        ours["TFLite int8 weights, 1 thread"] = apart(tflite_writing, shipped, {1: "generate_from_noise"})
        theirs = apart(pytorch_writing, folder) if has_pytorch else {}
    print_row("ms a line", "this toolkit", "PyTorch" if has_pytorch else "", "ratio" if has_pytorch else "")
    for num_lines in (1, 64):
        for name, results in ours.items():
            if num_lines in results:
                mine, other = results[num_lines], theirs.get(num_lines)
                what = f"{num_lines} at once, {name}: {1 / statistics.median(mine['seconds']):.0f} lines/s"
                print_times(what, mine["seconds"], other and other["seconds"])
                if "int8" not in name and other:
                    np.testing.assert_array_equal(mine["lengths"], other["lengths"], f"{name} wrote other lines")
        if num_lines in theirs:
            print(f"  checked: lines of {theirs[num_lines]['lengths'].mean():.0f} points on all sides")


if __name__ == "__main__":
    main()
