"""Speed and memory of local error signals: block by block, in one pass, by back-propagation, and in PyTorch.

  ./run benchmarks tests/benchmarks/bench_local_errors.py [--steps=10] [--depths=2,4,8,16]
  .venv/bin/pip install torch    the other side

A step of Adam on 64 images of 32 x 32, VGG8B a quarter as wide, predsim and back-propagation, from the same weights:
the first losses must be the same. PyTorch's side trains as the published code does, each block within the forward. Then
what a step of equal blocks adds to memory by depth, beside back-propagation and gradient checkpointing. Each
measurement has a process of its own, on the CPU. A ratio below 1 means that the toolkit takes less.
"""

import argparse
import pathlib
import statistics
import tempfile

from measuring import apart, machine, peak_megabytes, print_row, timed, version

WIDTH, UNITS, SIDE, BATCH_SIZE, DECODER_SIZE = 32, 256, 32, 64, 2048
WAYS = {"predsim, block by block": True, "predsim, one pass": False, "back-propagation": None}


def batch():
    """Noise, float32 (64, 32, 32, 3), and one-hot labels."""
    import numpy as np

    random = np.random.default_rng(0)
    labels = np.eye(10, dtype="float32")[random.integers(0, 10, BATCH_SIZE)]
    return random.standard_normal((BATCH_SIZE, SIDE, SIDE, 3)).astype("float32"), labels


def toolkit_training(way, folder, steps):
    import keras
    import numpy as np

    from toolkit.methods import local_errors
    from toolkit.models import local_blocks

    keras.utils.set_random_seed(0)
    loss = "global" if WAYS[way] is None else "predsim"
    how = {"width": WIDTH, "units": UNITS, "decoder_size": DECODER_SIZE, "dropout": 0.0}
    network = local_blocks.local_blocks("vgg8b", (SIDE, SIDE, 3), 10, loss=loss, **how)
    model = local_errors.compiled(network, keras.optimizers.Adam(5e-4, epsilon=1e-8), loss, one_pass=not WAYS[way])
    np.savez(pathlib.Path(folder, "weights.npz"), **{weight.path: np.asarray(weight) for weight in network.weights})
    images, labels = batch()
    targets = dict.fromkeys(network.output, labels)
    first = float(model.train_on_batch(images, targets, return_dict=True)["loss"])
    return first, timed(lambda: model.train_on_batch(images, targets), steps), peak_megabytes()


def pytorch_training(way, folder, steps):
    import local_errors_in_pytorch
    import numpy as np

    from toolkit.models import local_blocks

    sides = (32, 32, 16, 16, 8, 4)
    filters = [size * WIDTH // 128 for size in local_errors_in_pytorch.PLAN if size != "pool"]
    windows = [local_blocks.pooled_by(s, s, f, DECODER_SIZE) for s, f in zip(sides, filters, strict=True)]
    model = local_errors_in_pytorch.Network(WIDTH, UNITS, SIDE, windows, 10, WAYS[way] is not None)
    with np.load(pathlib.Path(folder, "weights.npz")) as file:
        model.take({key: file[key] for key in file.files})
    seconds = []
    first = local_errors_in_pytorch.train(model, *batch(), steps + 3, seconds)
    return first, seconds[3:], peak_megabytes()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=10, help="training steps (10)")
    parser.add_argument("--depths", default="2,4,8,16", help="blocks of which memory is measured (2,4,8,16)")
    asked = parser.parse_args()
    print(machine(), flush=True)
    pytorch = version("torch") is not None
    print_row("", "toolkit", "PyTorch" if pytorch else "(no PyTorch here)", "ratio")
    with tempfile.TemporaryDirectory() as folder:
        for way in WAYS:
            loss, seconds, memory = apart(toolkit_training, way, folder, asked.steps)
            row = [f"training step, {way}", f"{1e3 * statistics.median(seconds):.0f} ms, {memory:.0f} MB"]
            if pytorch and way != "predsim, one pass":
                other, others, peak = apart(pytorch_training, way, folder, asked.steps)
                row += [f"{1e3 * statistics.median(others):.0f} ms, {peak:.0f} MB"]
                row += [f"{statistics.median(seconds) / statistics.median(others):.2f}"]
                if abs(loss - other) > 1e-3 * max(loss, 1.0):
                    raise SystemExit(f"{way}: the first losses differ: {loss} and {other}.")
            print_row(*row)
    depths = [int(depth) for depth in asked.depths.split(",")]
    print_row("", "MB that a step adds, by blocks: " + ", ".join(map(str, depths)))
    from toolkit.methods import training_memory

    for way in training_memory.WAYS:
        how = {"filters": 32, "image_size": 32, "batch_size": 128}
        print_row(way, ", ".join(f"{training_memory.peak_memory(way, depth, **how):.0f}" for depth in depths))


if __name__ == "__main__":
    main()
