"""Speed and memory of WaveNet beside the same in PyTorch.

  ./run benchmarks tests/benchmarks/bench_wavenet.py

Training: a step of Adam on 2 x 4096 samples, from the same weights on the same batch; the first loss must be the same.
Writing: samples a second of one sound, at two receptive fields: Keras, SavedModel, the .tflite files on one thread, the
network on all that it sees for every sample anew (naive), and PyTorch's loop with a ring a layer on one thread; the
sound must be the same.

Each measurement has a process of its own, on the CPU. A ratio below 1 means that the toolkit takes less.
"""

import argparse
import pathlib
import statistics
import tempfile
import time

from measuring import apart, machine, peak_megabytes, print_row, version

TRAINED = {"10 blocks of 64": (10, 1, 64, 64), "30 blocks of 32, skip 512": (10, 3, 32, 512)}
WRITTEN = {1024: (10, 1, 32, 128), 4096: (12, 1, 32, 128)}


def dilations(top, stacks):
    return [2**number for number in range(top)] * stacks


def batch():
    import numpy as np

    levels = np.random.default_rng(0).integers(0, 256, (2, 4097)).astype("int32")
    return levels[:, :-1], levels[:, 1:]


def made(top, stacks, filters, skip_filters, scale=1.0):
    import keras
    import numpy as np

    from toolkit import models

    keras.utils.set_random_seed(0)
    model = models.wavenet.wavenet(dilations(top, stacks), filters, skip_filters)
    model.set_weights([scale * np.asarray(weight) for weight in model.get_weights()])
    return model


def in_order(model):
    """Lookup, each block's convolution and outward, hidden, output."""
    from toolkit import models

    layers = [part for block in models.wavenet.blocks(model) for part in (block.convolution, block.outward)]
    layers = [model.get_layer("lookup"), *layers, model.get_layer("hidden"), model.get_layer("categorical")]
    return [weight for layer in layers for weight in layer.get_weights()]


def toolkit_training(size, folder, steps):
    import keras
    import numpy as np

    from toolkit import training

    training.phases.keep_freed_memory()
    model = made(*size)
    np.savez(pathlib.Path(folder, "train.npz"), *in_order(model))
    levels, targets = batch()
    audio = np.asarray(model.get_layer("levels").inverse(levels))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3), loss, jit_compile=False)
    losses, seconds = [], []
    for _ in range(steps + 2):
        start = time.perf_counter()
        losses.append(float(model.train_on_batch({"audio": audio}, targets)))
        seconds.append(time.perf_counter() - start)
    return losses[0], seconds[2:], peak_megabytes()


def pytorch_training(size, folder, steps):
    import numpy as np
    import wavenet_in_pytorch

    top, stacks, *filters = size
    model = wavenet_in_pytorch.WaveNet(dilations(top, stacks), *filters)
    with np.load(pathlib.Path(folder, "train.npz")) as file:
        model.take([file[key] for key in file.files])
    seconds = []
    losses = wavenet_in_pytorch.train(model, *batch(), steps + 2, seconds)
    return losses[0], seconds[2:], peak_megabytes()


def noise(length):
    import numpy as np

    return np.random.default_rng(1).uniform(size=length).astype("float32")


def fastest(function, repeats=3):
    """The least seconds of a few calls, and the last result."""
    seconds = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        result = function()
        seconds.append(time.perf_counter() - start)
    return min(seconds[1:]), result


def toolkit_writing(size, folder, length):
    """Name to seconds a sample, and the levels."""
    import numpy as np
    import tensorflow as tf

    from toolkit import export, generation

    model = made(*size, scale=1.5)
    np.savez(pathlib.Path(folder, "write.npz"), *in_order(model))
    generator, given = generation.audio.SoundGenerator(model), noise(length)[None]
    signature = export.signature(
        lambda noise: {"audio": generator.generate(num_steps=length, noise=noise)["audio"]},
        noise=((1, length), "float32"),
    )
    examples = {"write": {"noise": given}}
    how = {"examples": examples, "quantize": "int8", "calibrate": [examples], "tolerance": 3.0}
    export.write(pathlib.Path(folder, "export"), {"write": signature}, trackables=[model], **how)
    took, audio = fastest(lambda: generator.write(length, noise=given))
    found = {"Keras": took / length}
    saved = tf.saved_model.load(str(pathlib.Path(folder, "export", "saved_model"))).signatures["write"]
    found["SavedModel"] = fastest(lambda: saved(noise=tf.constant(given))["audio"].numpy())[0] / length
    for name in ("model", "model_int8"):
        call = export.interpreter.tflite_caller(pathlib.Path(folder, "export", f"{name}.tflite"), 1)
        took, written = fastest(lambda call=call: call("write", noise=given)["audio"])
        found[f"{name}.tflite"] = took / length
        if name == "model":
            audio = written
    seen = tf.zeros((1, generator.num_rows + 1))
    naive = tf.function(lambda audio: model({"audio": audio})[:, -1], autograph=False)
    found["naive"] = fastest(lambda: naive(seen).numpy(), 10)[0]
    return found, np.asarray(generator.levels(audio))[0].tolist(), peak_megabytes()


def pytorch_writing(size, folder, length):
    import numpy as np
    import torch
    import wavenet_in_pytorch

    torch.set_num_threads(1)
    top, stacks, *filters = size
    model = wavenet_in_pytorch.WaveNet(dilations(top, stacks), *filters)
    with np.load(pathlib.Path(folder, "write.npz")) as file:
        model.take([file[key] for key in file.files])
    took, levels = fastest(lambda: wavenet_in_pytorch.write(model, noise(length)), 2)
    return took / length, levels, peak_megabytes()


def compare_training(folder, steps, pytorch):
    for name, size in TRAINED.items():
        loss, seconds, memory = apart(toolkit_training, size, folder, steps)
        row = [f"training step, {name}", f"{1e3 * statistics.median(seconds):.0f} ms, {memory:.0f} MB"]
        if pytorch:
            other, others, peak = apart(pytorch_training, size, folder, steps)
            row += [f"{1e3 * statistics.median(others):.0f} ms, {peak:.0f} MB"]
            row += [f"{statistics.median(seconds) / statistics.median(others):.2f}", "<= 0.6"]
            if abs(loss - other) > 1e-3:
                raise SystemExit(f"{name}: the first losses differ: {loss} and {other}.")
        print_row(*row)


def compare_writing(folder, length, pytorch):
    for field, size in WRITTEN.items():
        found, levels, _ = apart(toolkit_writing, size, folder, length)
        took = None
        if pytorch:
            took, others, _ = apart(pytorch_writing, size, folder, length)
            same = sum(a == b for a, b in zip(levels, others, strict=True)) / length
            print_row(f"receptive field {field}: levels that are the same", f"{same:.1%}")
        for name, seconds in found.items():
            row = [f"receptive field {field}, {size[0]} blocks, {name}", f"{1 / seconds:,.0f} samples/s"]
            if took:
                row += [f"{1 / took:,.0f} samples/s", f"{seconds / took:.2f}", "<= 0.2" if "." in name else ""]
            print_row(*row)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=15, help="training steps (15)")
    parser.add_argument("--length", type=int, default=4000, help="samples written (4000)")
    parser.add_argument("--only", choices=("training", "writing"), help="the one kind of row")
    asked = parser.parse_args()
    print(machine(), flush=True)
    pytorch = version("torch") is not None
    print_row("", "toolkit", "PyTorch" if pytorch else "(no PyTorch here)", "ratio", "target")
    with tempfile.TemporaryDirectory() as folder:
        if asked.only != "writing":
            compare_training(folder, asked.steps, pytorch)
        if asked.only != "training":
            compare_writing(folder, asked.length, pytorch)


if __name__ == "__main__":
    main()
