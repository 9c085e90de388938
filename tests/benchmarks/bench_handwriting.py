"""Times and memory of the handwriting networks beside the same networks in PyTorch.

  ./run benchmarks                                                  everything, in the paper's sizes, on an idle machine
  ./run python tests/benchmarks/bench_handwriting.py --help         sizes, and parts alone

Both sides start from the same weights and read the same numbers. It is checked that both have as many weights, the same
loss at the first step and as the mean over all (so the same gradients and the same Adam), and write the same points.
PyTorch's side is handwriting_in_pytorch.py; where PyTorch is missing, the toolkit's figures are printed alone.

Each measurement has a process of its own, one after the other, on the CPU, with each framework's own choice of threads.
A time is the median and in brackets the quartiles; a ratio is one of medians, below 1 where the toolkit is faster.
"""

import argparse
import os
import pathlib
import statistics
import tempfile
import time

import numpy as np
from measuring import apart, machine, peak_megabytes, print_memory, print_row, print_times, timed, version

ALPHABET = " !\"'(),-.0123456789:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
GRADIENT_NORM = 10.0  # the whole gradient's largest norm in training, on both sides
WARM_UP = 3  # training steps that are not measured: the first traces the graph
SIZES = {
    "units": (400, "LSTM cells in each layer"),
    "num_layers": (3, "LSTM layers"),
    "num_mixtures": (20, "Gaussians of the output"),
    "num_gaussians": (10, "Gaussians of the window"),
    "batch_size": (32, "lines in a training step"),
    "points": (300, "pen points in each of them"),
    "characters": (30, "characters in each of them"),
    "steps": (15, "training steps measured"),
    "line_points": (700, "pen points in a line that is written"),
    "repeats": (15, "how often lines are written"),
}

# What both sides read. ------------------------------------------------------------------------------------------------


def training_batch(sizes):
    """Offsets, standardized, and code points; no point is padding."""
    random = np.random.default_rng(0)
    offsets = random.standard_normal((sizes.batch_size, sizes.points, 3)).astype("float32")
    offsets[..., 2] = random.uniform(size=offsets.shape[:2]) < 0.04
    return offsets, texts(sizes.batch_size, sizes.characters)


def texts(num_lines, num_characters):
    """Random code points, with a zero at each end."""
    codes = np.random.default_rng(1).choice([ord(character) for character in ALPHABET], (num_lines, num_characters))
    codes[:, -1] = 0
    return codes.astype("int32")


def writing_inputs(sizes, num_lines):
    """A text that an untrained window does not reach the end of, and noise, so that all sides write the same points."""
    random = np.random.default_rng(2)
    noise = random.standard_normal((num_lines, sizes.line_points, 4)).astype("float32")
    noise[..., [0, 3]] = random.uniform(size=(num_lines, sizes.line_points, 2))
    text = texts(num_lines, max(64, sizes.line_points // 10))
    return {"text": text, "bias": np.zeros(num_lines, "float32"), "noise": noise}


# What is measured, each function in a process of its own. -------------------------------------------------------------


def toolkit_network(kind, sizes, folder, clipped=False):
    """The network, compiled; the first of its kind leaves its weights for PyTorch."""
    import keras

    from toolkit import losses, models

    keras.utils.set_random_seed(0)
    how = {"units": sizes.units, "num_layers": sizes.num_layers, "num_mixtures": sizes.num_mixtures}
    if clipped:  # the paper's limits, for a loss that is a mean over the batch
        how |= {"lstm_gradient_clip": 10.0 / sizes.batch_size, "output_gradient_clip": 100.0 / sizes.batch_size}
    if kind == "prediction":
        model = models.handwriting.prediction(**how)
    else:
        model = models.handwriting.synthesis(ALPHABET, num_gaussians=sizes.num_gaussians, **how)
    path = folder / f"{kind}.npz"
    if not path.exists():
        layers = {layer.name: layer.trainable_weights for layer in model.layers}
        np.savez(path, **{f"{name}/{each.name}": each.numpy() for name, weights in layers.items() for each in weights})
    density = model.get_layer("density").distribution
    model.compile(
        keras.optimizers.Adam(1e-3, epsilon=1e-8, global_clipnorm=GRADIENT_NORM),
        loss=losses.NegativeLogLikelihood(density, reduction="sum"),
        loss_weights=1.0 / sizes.batch_size,
        jit_compile=False,
    )
    return model


def toolkit_training(kind, clipped, sizes, folder):
    """Training steps as a recipe runs them: the time from one step's end to the next one's."""
    from toolkit.training.phases import keep_freed_memory

    keep_freed_memory()
    import keras
    import tensorflow as tf

    from toolkit import data

    model = toolkit_network(kind, sizes, folder, clipped)
    offsets, text = training_batch(sizes)
    strokes, characters = tf.TensorSpec([None, None, 3]), tf.TensorSpec([None, None], tf.int32)
    synthesis, num_steps = kind == "synthesis", WARM_UP + sizes.steps
    batches = data.pipelines.Batches(
        lambda indices: ((offsets, text) if synthesis else offsets, offsets),
        lambda epoch: [np.arange(sizes.batch_size)] * num_steps,
        ((strokes, characters) if synthesis else strokes, strokes),
        num_examples=sizes.batch_size,
    )
    before, ends, means = peak_megabytes(), [], []

    class Clock(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            means.append(float(logs["loss"]))  # Keras' mean over the steps until here
            ends.append(time.perf_counter())

    model.fit(batches.dataset(), steps_per_epoch=num_steps, callbacks=[Clock()], shuffle=False, verbose=0)
    return {
        "seconds": np.diff(ends[WARM_UP - 1 :]),
        "losses": (means[0], means[-1]),
        "num_weights": sum(int(np.prod(weight.shape)) for weight in model.trainable_weights),
        "megabytes": (peak_megabytes(), before),
    }


def pytorch_network(kind, sizes, folder):
    import torch
    from handwriting_in_pytorch import HandwritingNetwork

    alphabet = ALPHABET if kind == "synthesis" else ""
    network = HandwritingNetwork(alphabet, sizes.units, sizes.num_layers, sizes.num_mixtures, sizes.num_gaussians)
    with np.load(folder / f"{kind}.npz") as weights:
        network.load({name: torch.from_numpy(weights[name]) for name in weights})
    return network


def pytorch_training(kind, sizes, folder):
    import torch
    from handwriting_in_pytorch import negative_log_likelihood

    network = pytorch_network(kind, sizes, folder)
    learned = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(learned, lr=1e-3, eps=1e-8)
    offsets, text = map(torch.from_numpy, training_batch(sizes))
    before, losses = peak_megabytes(), []

    def step():
        optimizer.zero_grad()
        params = network(offsets, text if kind == "synthesis" else None)
        loss = negative_log_likelihood(params, offsets).sum() / sizes.batch_size
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learned, GRADIENT_NORM)
        optimizer.step()
        losses.append(loss.item())

    return {
        "seconds": timed(step, sizes.steps, WARM_UP),
        "losses": (losses[0], statistics.mean(losses)),
        "num_weights": sum(parameter.numel() for parameter in learned),
        "megabytes": (peak_megabytes(), before),
    }


def written(write, sizes):
    """Seconds for a line of full length; its first points, to compare; and how many points were written."""
    result = {}
    seconds = timed(lambda: result.update({name: np.asarray(array) for name, array in write().items()}), sizes.repeats)
    num_points = int(result["length"].max())
    return {
        "seconds": [each * sizes.line_points / num_points for each in seconds],
        "first_points": result["strokes"][:, :20],
        "num_points": num_points,
    }


def keras_writing(sizes, folder):
    """`Writer.generate` in a tf.function; leaves the SavedModel, the TFLite file and the weights for the others."""
    import tensorflow as tf

    from toolkit import export, generation

    model = toolkit_network("synthesis", sizes, folder)
    writer = generation.strokes.Writer(model)

    def generate(text, bias, noise):
        line = writer.generate(text, bias, num_steps=sizes.line_points, noise=noise)
        return {"strokes": line["strokes"], "length": line["length"]}

    function, results, traced = tf.function(generate, autograph=False), {}, {}
    for num_lines in (1, 32):
        inputs = writing_inputs(sizes, num_lines)
        shapes = {name: (array.shape, array.dtype.name) for name, array in inputs.items()}
        traced[f"lines_{num_lines}"] = export.trace(export.signature(generate, **shapes))
        inputs = {name: tf.constant(array) for name, array in inputs.items()}
        results[num_lines] = written(lambda inputs=inputs: function(**inputs), sizes)
    export.save_traced(folder / "saved_model", traced, [model])
    export.convert_to_tflite(folder / "saved_model", folder / "model.tflite", ["lines_1"])
    return results


def saved_model_writing(sizes, folder):
    import tensorflow as tf

    loaded, results = tf.saved_model.load(str(folder / "saved_model")), {}
    for num_lines in (1, 32):
        inputs = {name: tf.constant(array) for name, array in writing_inputs(sizes, num_lines).items()}
        function = loaded.signatures[f"lines_{num_lines}"]
        results[num_lines] = written(lambda inputs=inputs, function=function: function(**inputs), sizes)
    return results


def tflite_writing(sizes, folder):
    """On one thread, without TensorFlow in the process."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(folder / "model.tflite"), num_threads=1)
    runner, inputs = interpreter.get_signature_runner("lines_1"), writing_inputs(sizes, 1)
    return {1: written(lambda: runner(**inputs), sizes)}


def pytorch_writing(sizes, folder):
    import torch

    network, results = pytorch_network("synthesis", sizes, folder).eval(), {}
    for num_lines in (1, 32):
        inputs = {name: torch.from_numpy(array) for name, array in writing_inputs(sizes, num_lines).items()}
        results[num_lines] = written(lambda inputs=inputs: network.write(**inputs), sizes)
    return results


def data_training(paper_sizes, sizes, folder):
    """Reading alone; and in a training on embedded handwriting the seconds waited for each batch, and of its step."""
    from recipes.handwriting_synthesis import Settings
    from toolkit import data

    recipe = Settings()
    if not paper_sizes:
        names = ("units", "num_layers", "num_mixtures", "num_gaussians")
        sizes = argparse.Namespace(**{**vars(sizes), **{name: getattr(recipe, name) for name in names}})
    limits = {"max_points": recipe.max_points, "max_characters": recipe.max_characters}
    lines = data.strokes.load("embedded:2000", batch_size=sizes.batch_size, seed=0, text=True, **limits).train
    mean, scale, _ = data.strokes.statistics(lines)
    model = toolkit_network("synthesis", sizes, folder, clipped=True)
    model.get_layer("standardize").adapt(mean, scale)
    examples = lines.map(lambda e: ((e["offsets"], e["text"]), (e["offsets"] - mean) / scale, e["mask"]))
    reading = timed(lambda: [None for _ in examples.dataset(num_epochs=1)], repeats=5)
    batches, waiting, training = iter(examples.dataset()), [], []
    for _ in range(WARM_UP + 2 * sizes.steps):
        start = time.perf_counter()
        batch = next(batches)
        read = time.perf_counter()
        model.train_on_batch(*batch)
        waiting.append(read - start)
        training.append(time.perf_counter() - read)
    reading = [seconds / examples.steps_per_epoch for seconds in reading]
    return {"reading": reading, "waiting": waiting[WARM_UP:], "training": training[WARM_UP:]}


# The table. -----------------------------------------------------------------------------------------------------------


def compare_training(sizes, folder, has_pytorch):
    for kind in ("prediction", "synthesis"):
        ours, clipped = (apart(toolkit_training, kind, clip, sizes, folder) for clip in (False, True))
        theirs = apart(pytorch_training, kind, sizes, folder) if has_pytorch else None
        their_seconds = theirs and theirs["seconds"]
        print_times(f"training step, {kind}, ms", ours["seconds"], their_seconds, "<= 1")
        print_times("  with the paper's clipping, which PyTorch has not", clipped["seconds"], their_seconds, "<= 1")
        print_memory(ours["megabytes"], theirs and theirs["megabytes"])
        if theirs:
            same = ours["num_weights"] == theirs["num_weights"]
            if not same or not np.allclose(ours["losses"], theirs["losses"], rtol=1e-3):
                raise ValueError(f"{kind}: not the same network and training: {ours}, PyTorch: {theirs}")
            (first, mean), (their_first, their_mean) = ours["losses"], theirs["losses"]
            print(f"  checked: {ours['num_weights']:,} weights; nats a line at the first step {first:.3f}, in PyTorch")
            print(f"  {their_first:.3f}; mean over the steps {mean:.3f}, in PyTorch {their_mean:.3f}")


def compare_writing(sizes, folder, has_pytorch):
    ours = {"Keras": apart(keras_writing, sizes, folder)}
    ours["SavedModel"] = apart(saved_model_writing, sizes, folder)
    ours["TFLite, 1 thread"] = apart(tflite_writing, sizes, folder)
    theirs = apart(pytorch_writing, sizes, folder) if has_pytorch else {}
    for num_lines, name in [(num_lines, name) for num_lines in (1, 32) for name in ours if num_lines in ours[name]]:
        mine, other = ours[name][num_lines], theirs.get(num_lines, ours["Keras"][num_lines])
        same = mine["num_points"] == other["num_points"]
        if not same or not np.allclose(mine["first_points"], other["first_points"], atol=1e-3):
            raise ValueError(f"{name} wrote other points: {mine}, expected {other}")
        what = f"writing {num_lines} x {sizes.line_points} points, {name}, ms"
        target = "<= 0.2" if name.startswith("TFLite") else ""
        print_times(what, mine["seconds"], other["seconds"] if has_pytorch else None, target)
    print(f"  checked: all write the same first 20 points, and {mine['num_points']} points in all")


def compare_data(sizes, folder, has_pytorch):
    for paper_sizes in (False, True):
        result = apart(data_training, paper_sizes, sizes, folder)
        whole = sum(result["waiting"]) + sum(result["training"])
        print_times(f"data: training step, the {'paper' if paper_sizes else 'recipe'}'s sizes, ms", result["training"])
        print_times("  reading a batch while nothing is trained, ms", result["reading"])
        print_times("  waiting for a batch in training, ms", result["waiting"])
        share = 100 * sum(result["waiting"]) / whole
        print_row("  share of the training spent waiting, %", f"{share:.2f}", target="<= 5")


def main():
    parts = {"training": compare_training, "writing": compare_writing, "data": compare_data}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, (default, text) in SIZES.items():
        parser.add_argument(f"--{name}", type=int, default=default, help=f"{text} [{default}]")
    parser.add_argument("--parts", nargs="*", choices=parts, default=list(parts), help="what to measure [everything]")
    sizes = parser.parse_args()
    os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")
    has_pytorch = version("torch") is not None
    print(machine())
    if not has_pytorch:
        print("PyTorch is not installed (the extra named benchmarks): the toolkit's figures alone.")
    print_row("", "this toolkit", "PyTorch" if has_pytorch else "", "ratio" if has_pytorch else "", "target")
    for part in sizes.parts:
        with tempfile.TemporaryDirectory() as folder:
            parts[part](sizes, pathlib.Path(folder), has_pytorch)


if __name__ == "__main__":
    main()
