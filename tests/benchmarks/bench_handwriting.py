"""Times and memory of the handwriting networks beside the same networks in PyTorch: `./run benchmarks`.

Both sides start from the same weights and read the same numbers. Before a time is printed, it is checked that both have
as many weights, the same loss at the first step and after all steps (so the same gradients and the same Adam), and that
both write the same points. PyTorch's side is handwriting_in_pytorch.py; where PyTorch is missing, only ours is printed.

Each measurement has a process of its own, one after the other, on the CPU, with each framework's own choice of threads.
A time is the median and in brackets the quartiles, a ratio one of medians: below 1 the toolkit is the faster one.
"""

import argparse
import concurrent.futures
import importlib.metadata
import importlib.util
import multiprocessing
import os
import pathlib
import platform
import resource
import statistics
import tempfile
import time

import numpy as np

ALPHABET = " !\"'(),-.0123456789:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
GRADIENT_NORM = 10.0  # the gradient's largest norm in training, on both sides


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default, text in (
        ("units", 400, "LSTM cells in each layer"),
        ("num_layers", 3, "LSTM layers"),
        ("num_mixtures", 20, "Gaussians of the output"),
        ("num_gaussians", 10, "Gaussians of the window"),
        ("batch_size", 32, "lines in a training step"),
        ("points", 300, "points in each of them"),
        ("characters", 30, "characters in each of them"),
        ("steps", 12, "training steps measured, after 3 that are not"),
        ("line_points", 700, "points in a written line"),
        ("lines", 10, "times that lines are written, after 2 that are not measured"),
    ):
        parser.add_argument(f"--{name}", type=int, default=default, help=f"{text} [{default}]")
    return parser.parse_args()


# What both sides read. ------------------------------------------------------------------------------------------------


def training_batch(sizes):
    """Offsets, standardized, and code points; no point is padding."""
    random = np.random.default_rng(0)
    offsets = random.standard_normal((sizes.batch_size, sizes.points, 3)).astype("float32")
    offsets[..., 2] = random.uniform(size=offsets.shape[:2]) < 0.04
    return offsets, texts(sizes.batch_size, sizes.characters)


def texts(num_lines, num_characters):
    """Random code points, a zero at each end."""
    codes = np.random.default_rng(1).choice([ord(character) for character in ALPHABET], (num_lines, num_characters))
    codes[:, -1] = 0
    return codes.astype("int32")


def writing(sizes, num_lines):
    """A text twice as long as an untrained window comes to, bias, and noise: all sides write the same points."""
    random = np.random.default_rng(2)
    noise = random.standard_normal((num_lines, sizes.line_points, 4)).astype("float32")
    noise[..., [0, 3]] = random.uniform(size=(num_lines, sizes.line_points, 2))
    text = texts(num_lines, max(64, sizes.line_points // 11))
    return {"text": text, "bias": np.zeros(num_lines, "float32"), "noise": noise}


# What is measured, each in a process of its own. ----------------------------------------------------------------------


def timed(function, repeats, warm_up=2):
    """Seconds of each call."""
    seconds = []
    for _ in range(warm_up + repeats):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return seconds[warm_up:]


def resident():
    """The process' largest memory until now, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def toolkit_network(kind, sizes, clipped=False):
    import keras

    from toolkit import models

    keras.utils.set_random_seed(0)
    how = {"units": sizes.units, "num_layers": sizes.num_layers, "num_mixtures": sizes.num_mixtures}
    if clipped:  # for a loss that is a mean over the batch
        how |= {"lstm_gradient_clip": 10.0 / sizes.batch_size, "output_gradient_clip": 100.0 / sizes.batch_size}
    if kind == "prediction":
        return models.handwriting.prediction(**how)
    return models.handwriting.synthesis(ALPHABET, num_gaussians=sizes.num_gaussians, **how)


def keep_weights(model, path):
    """Arrays by "layer/name", for `HandwritingNetwork.load`."""
    named = {f"{layer.name}/{weight.name}": weight for layer in model.layers for weight in layer.trainable_weights}
    np.savez(path, **{name: weight.numpy() for name, weight in named.items()})


def toolkit_training(kind, clipped, sizes, folder):
    """Training steps as `fit` runs them, from one of its steps' end to the next one's."""
    import keras
    import tensorflow as tf

    from toolkit import data, losses

    model = toolkit_network(kind, sizes, clipped)
    if not clipped:
        keep_weights(model, folder / f"{kind}.npz")
    density = model.get_layer("density").distribution
    model.compile(
        keras.optimizers.Adam(1e-3, epsilon=1e-8, global_clipnorm=GRADIENT_NORM),
        loss=losses.NegativeLogLikelihood(density, reduction="sum"),
        loss_weights=1.0 / sizes.batch_size,
        jit_compile=False,
    )
    offsets, text = training_batch(sizes)
    inputs = offsets if kind == "prediction" else (offsets, text)
    spec = tf.TensorSpec([None, None, 3])
    signature = (spec if kind == "prediction" else (spec, tf.TensorSpec([None, None], tf.int32)), spec)
    num_steps = 3 + sizes.steps
    batches = data.pipelines.Batches(
        lambda _: (inputs, offsets),
        lambda epoch: [np.arange(sizes.batch_size)] * num_steps,
        signature,
        num_examples=sizes.batch_size,
    )
    before, ends, mean_losses = resident(), [], []

    class Clock(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            mean_losses.append(float(logs["loss"]))
            ends.append(time.perf_counter())

    model.fit(batches.dataset(), steps_per_epoch=num_steps, callbacks=[Clock()], shuffle=False, verbose=0)
    return {
        "seconds": np.diff(ends[2:]).tolist(),
        "losses": (mean_losses[0], mean_losses[-1]),
        "num_weights": sum(int(np.prod(weight.shape)) for weight in model.trainable_weights),
        "megabytes": (before, resident()),
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
    losses, before = [], resident()

    def step():
        optimizer.zero_grad()
        params = network(offsets, text) if kind == "synthesis" else network(offsets)
        loss = negative_log_likelihood(params, offsets).sum() / sizes.batch_size
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learned, GRADIENT_NORM)
        optimizer.step()
        losses.append(loss.item())

    return {
        "seconds": timed(step, sizes.steps, warm_up=3),
        "losses": (losses[0], statistics.mean(losses)),
        "num_weights": sum(parameter.numel() for parameter in learned),
        "megabytes": (before, resident()),
    }


def toolkit_writing(sizes, folder):
    """Keras; and leaves the SavedModel, the TFLite file and the weights for the others."""
    import tensorflow as tf

    from toolkit import export, generation

    model = toolkit_network("synthesis", sizes)
    keep_weights(model, folder / "synthesis.npz")
    writer = generation.strokes.Writer(model)

    def generate(text, bias, noise):
        line = writer.generate(text, bias, num_steps=sizes.line_points, noise=noise)
        return {"strokes": line["strokes"], "length": line["length"]}

    function, results, traced = tf.function(generate, autograph=False), {}, {}
    for num_lines in (1, 32):
        example = writing(sizes, num_lines)
        tensors = {name: tf.constant(value) for name, value in example.items()}
        results[num_lines] = written(lambda inputs=tensors: function(**inputs), sizes)
        shapes = {name: (value.shape, value.dtype.name) for name, value in example.items()}
        traced[f"lines_{num_lines}"] = export.trace(export.signature(generate, **shapes))
    export.save_traced(folder / "saved_model", traced, [model])
    export.convert_to_tflite(folder / "saved_model", folder / "model.tflite", ["lines_1"])
    return results


def saved_model_writing(sizes, folder):
    import tensorflow as tf

    loaded, results = tf.saved_model.load(str(folder / "saved_model")), {}
    for num_lines in (1, 32):
        tensors = {name: tf.constant(value) for name, value in writing(sizes, num_lines).items()}
        function = loaded.signatures[f"lines_{num_lines}"]
        results[num_lines] = written(lambda inputs=tensors, function=function: function(**inputs), sizes)
    return results


def tflite_writing(sizes, folder):
    """One thread, as a phone would; TensorFlow is not in the process."""
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(str(folder / "model.tflite"), num_threads=1).get_signature_runner("lines_1")
    example = writing(sizes, 1)
    return {1: written(lambda: runner(**example), sizes)}


def pytorch_writing(sizes, folder):
    import torch

    network, results = pytorch_network("synthesis", sizes, folder).eval(), {}
    for num_lines in (1, 32):
        inputs = {name: torch.from_numpy(value) for name, value in writing(sizes, num_lines).items()}

        def write(text=inputs["text"], noise=inputs["noise"]):
            strokes, length = network.write(text, noise, bias=0.0)
            return {"strokes": strokes, "length": length}

        results[num_lines] = written(write, sizes)
    return results


def written(function, sizes):
    """Seconds for lines of full length; the first points and the number of points, to compare."""
    result = {}
    seconds = timed(lambda: result.update({k: np.asarray(v) for k, v in function().items()}), sizes.lines)
    done = int(result["length"].max())
    per_line = [each * sizes.line_points / done for each in seconds]
    return {"seconds": per_line, "points": result["strokes"][:, :20], "done": done}


def pipeline(paper_sizes, sizes):
    """Reading alone; and the recipe's training: seconds waited for each batch, and of its step."""
    from recipes import handwriting_synthesis as recipe

    settings = {"data": "embedded:2000", "batch_size": sizes.batch_size}
    if paper_sizes:
        names = ("units", "num_layers", "num_mixtures", "num_gaussians")
        settings |= {name: getattr(sizes, name) for name in names}
    settings = recipe.Settings(**settings)
    model = recipe.network(settings)
    train = recipe.examples(model, recipe.datasets(settings)).train
    reading = timed(lambda: [None for _ in train.dataset(num_epochs=1)], repeats=5)
    batches, waiting, training = iter(train.dataset()), [], []
    for _ in range(3 + 2 * sizes.steps):
        start = time.perf_counter()
        batch = next(batches)
        read = time.perf_counter()
        model.train_on_batch(*batch)
        waiting.append(read - start)
        training.append(time.perf_counter() - read)
    return {
        "reading": [seconds / train.steps_per_epoch for seconds in reading],
        "waiting": waiting[3:],
        "training": training[3:],
    }


# The table. -----------------------------------------------------------------------------------------------------------


def apart(function, *inputs):
    """The function's result from a fresh process: this one stays small and idle, and imports no framework."""
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=spawn) as pool:
        return pool.submit(function, *inputs).result()


def machine():
    packages = ("tensorflow", "keras", "ai-edge-litert", "torch")
    versions = []
    for package in packages:
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"no {package}")
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines() if os.path.exists("/proc/cpuinfo") else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    cpu = names[0] if names else platform.processor()
    return f"{os.cpu_count()} cores, {cpu}; Python {platform.python_version()}, {', '.join(versions)}"


def milliseconds(seconds):
    low, middle, high = (1e3 * each for each in statistics.quantiles(seconds, n=4))
    return f"{middle:.4g} [{low:.4g}-{high:.4g}]"


def print_row(what, ours, theirs="", ratio="", target=""):
    print(f"{what:<52} {ours:>24} {theirs:>24} {ratio:>6}  {target}", flush=True)


def compare(what, ours, theirs, target=""):
    """A row of times; without PyTorch ours alone."""
    if theirs is None:
        return print_row(what, milliseconds(ours))
    ratio = statistics.median(ours) / statistics.median(theirs)
    print_row(what, milliseconds(ours), milliseconds(theirs), f"{ratio:.2f}", target)


def compare_training(kind, sizes, folder, has_pytorch):
    ours = apart(toolkit_training, kind, False, sizes, folder)
    clipped = apart(toolkit_training, kind, True, sizes, folder)
    theirs = apart(pytorch_training, kind, sizes, folder) if has_pytorch else None
    their_seconds = theirs["seconds"] if theirs else None
    compare(f"{kind}: training step, ms", ours["seconds"], their_seconds, "<= 1")
    compare("  derivatives clipped inside the LSTMs (PyTorch: not)", clipped["seconds"], their_seconds)
    peaks = [ours["megabytes"], *([theirs["megabytes"]] if theirs else [])]
    ratio = f"{peaks[0][1] / peaks[1][1]:.2f}" if theirs else ""
    print_row("  peak memory, MB (before the first step)", *(f"{peak:.0f} ({first:.0f})" for first, peak in peaks), ratio)
    if theirs:
        if ours["num_weights"] != theirs["num_weights"]:
            raise ValueError(f"{kind}: {ours['num_weights']} weights here, {theirs['num_weights']} in PyTorch")
        for mine, other in zip(ours["losses"], theirs["losses"], strict=True):
            if not abs(mine - other) <= 1e-3 * abs(other):
                raise ValueError(f"{kind}: loss {mine} here, {other} in PyTorch: these are not the same network")
        firsts, means = (" and ".join(f"{each:.4f}" for each in pair) for pair in zip(ours["losses"], theirs["losses"]))
        print(f"  checked: {ours['num_weights']:,} weights both; first loss {firsts}, mean over the steps {means} nats")


def compare_writing(sizes, folder, has_pytorch):
    ours = {"Keras": apart(toolkit_writing, sizes, folder)}
    ours["SavedModel"] = apart(saved_model_writing, sizes, folder)
    ours["TFLite, one thread"] = apart(tflite_writing, sizes, folder)
    theirs = apart(pytorch_writing, sizes, folder) if has_pytorch else ours["Keras"]
    for num_lines in (1, 32):
        for name, result in ours.items():
            if num_lines not in result:
                continue
            if result[num_lines]["done"] != theirs[num_lines]["done"] or not np.allclose(
                result[num_lines]["points"], theirs[num_lines]["points"], atol=1e-3
            ):
                raise ValueError(f"{name} writes other points than {'PyTorch' if has_pytorch else 'Keras'}")
            compare(
                f"writing {num_lines} x {sizes.line_points} points, {name}, ms",
                result[num_lines]["seconds"],
                theirs[num_lines]["seconds"] if has_pytorch else None,
                "<= 0.2" if name.startswith("TFLite") else "",
            )
    print(f"  checked: all write the same first points, and {theirs[1]['done']} points in all")


def main():
    sizes = arguments()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    has_pytorch = importlib.util.find_spec("torch") is not None
    print(machine())
    if not has_pytorch:
        print("PyTorch is not installed (the extra named benchmarks): the toolkit's figures alone.")
    print_row("", "this toolkit", "PyTorch" if has_pytorch else "", "ratio" if has_pytorch else "", "target")
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("prediction", "synthesis"):
            compare_training(kind, sizes, pathlib.Path(folder), has_pytorch)
        compare_writing(sizes, pathlib.Path(folder), has_pytorch)
    for paper_sizes in (False, True):
        result = apart(pipeline, paper_sizes, sizes)
        share = sum(result["waiting"]) / (sum(result["waiting"]) + sum(result["training"]))
        print_row(f"data: the {'paper' if paper_sizes else 'demo'}'s network, training step, ms", milliseconds(result["training"]))
        print_row("  reading a batch, nothing else running, ms", milliseconds(result["reading"]))
        print_row("  a step waits for its batch, ms", milliseconds(result["waiting"]))
        print_row("  share of the time waited, %", f"{100 * share:.2f}", target="<= 5")


if __name__ == "__main__":
    main()
