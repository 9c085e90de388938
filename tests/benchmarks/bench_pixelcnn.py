"""Speed and memory of a gated PixelCNN beside the same in PyTorch, and of drawing maps beside naive drawing.

  ./run benchmarks tests/benchmarks/bench_pixelcnn.py

Training: a step of Adam on a batch of maps, from the same weights; logits and the first loss must be the same.
Drawing: seconds a map, of one map at three sizes: Keras and the .tflite file on one thread, beside naive drawing, which
runs the network over the whole map for each code (one pass is timed, and counted as often as there are codes). Naive
drawing must draw the same codes: all of them are drawn once at the least size, from the same noise.

Each measurement has a process of its own, on the CPU. A ratio below 1 means that the toolkit takes less.
"""

import argparse
import pathlib
import statistics
import tempfile
import time

from measuring import apart, machine, peak_megabytes, print_row, timed, version

# Side, batch, and the network: codes, filters, blocks, kernel, filters of the head.
TRAINED = {
    "64 maps of 8 x 8, 10 blocks of 64": (8, 64, (512, 64, 10, 3, 128)),
    "8 maps of 32 x 32, 5 blocks of 96": (32, 8, (512, 96, 5, 5, 256)),
}
SIDES = (8, 16, 32)
DRAWN = (512, 64, 10, 3, 128)


def batch(side, size):
    import numpy as np

    return np.random.default_rng(0).integers(0, 512, (size, side, side)).astype("int32")


def made(side, network):
    import keras

    from toolkit import models

    keras.utils.set_random_seed(0)
    num_codes, filters, num_blocks, kernel_size, head_filters = network
    return models.pixelcnn.pixelcnn(side, side, num_codes, filters, num_blocks, kernel_size, head_filters=head_filters)


def in_order(model):
    """Lookup, of each block what it applies, hidden, logits."""
    from toolkit import models

    layers = [model.get_layer("lookup")]
    for block in models.pixelcnn.blocks(model):
        layers += [block.vertical_convolution, block.horizontal_convolution]
        layers += [block.vertical_to_horizontal, block.outward]
    layers += [model.get_layer("hidden"), model.get_layer("logits")]
    return [weight for layer in layers for weight in layer.get_weights()]


def toolkit_training(side, size, network, folder, steps):
    import keras
    import numpy as np

    from toolkit import training

    training.phases.keep_freed_memory()
    model, codes = made(side, network), batch(side, size)
    np.savez(pathlib.Path(folder, "train.npz"), *in_order(model), np.asarray(model({"codes": codes[:2]})))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(3e-4), loss, jit_compile=False)
    losses, seconds = [], []
    for _ in range(steps + 2):
        start = time.perf_counter()
        losses.append(float(model.train_on_batch({"codes": codes}, codes)))
        seconds.append(time.perf_counter() - start)
    return losses[0], seconds[2:], peak_megabytes()


def pytorch_training(side, size, network, folder, steps):
    import numpy as np
    import pixelcnn_in_pytorch

    model, codes = pixelcnn_in_pytorch.PixelCNN(*network), batch(side, size)
    with np.load(pathlib.Path(folder, "train.npz")) as file:
        *weights, logits = (file[key] for key in file.files)
    pixelcnn_in_pytorch.take(model, weights)
    np.testing.assert_allclose(pixelcnn_in_pytorch.emit(model, codes[:2]), logits, atol=1e-4)
    seconds = []
    losses = pixelcnn_in_pytorch.train(model, codes, steps + 2, seconds)
    return losses[0], seconds[2:], peak_megabytes()


def drawing(side, network, folder, repeats, naively):
    """Name to seconds a map; and the share of codes that naive drawing draws alike, where it draws them."""
    import numpy as np
    import tensorflow as tf

    from toolkit import export, generation

    model = made(side, network)
    model.set_weights([1.5 * np.asarray(weight) for weight in model.get_weights()])
    generator = generation.code_maps.CodeMapGenerator(model)
    noise = np.random.default_rng(1).uniform(size=(1, side, side)).astype("float32")
    signature = export.signature(
        lambda noise: {"codes": generator.generate(noise=noise)}, noise=(noise.shape, "float32")
    )
    export.write(
        pathlib.Path(folder, f"export_{side}"),
        {"write": signature},
        trackables=[model],
        examples={"write": {"noise": noise}},
    )
    call = export.interpreter.tflite_caller(pathlib.Path(folder, f"export_{side}", "model.tflite"), 1)
    codes = generator.write(1, noise=noise)
    found = {
        "Keras": statistics.median(timed(lambda: generator.write(1, noise=noise), repeats)),
        "model.tflite": statistics.median(timed(lambda: call("write", noise=noise), repeats)),
    }
    emit = tf.function(lambda codes: model({"codes": codes}), autograph=False)
    one = tf.constant(codes)
    found["naive"] = side**2 * statistics.median(timed(lambda: emit(one).numpy(), 3 * repeats))
    if not naively:
        return found, None
    drawn = np.zeros_like(codes)
    for row in range(side):
        for column in range(side):
            logits = emit(tf.constant(drawn))[:, row, column]
            drawn[:, row, column] = generation.drawing.draw_token(logits, noise[:, row, column])
    return found, float((drawn == codes).mean())


def compare_training(folder, steps, pytorch):
    for name, (side, size, network) in TRAINED.items():
        loss, seconds, memory = apart(toolkit_training, side, size, network, folder, steps)
        row = [f"training step, {name}", f"{1e3 * statistics.median(seconds):.0f} ms, {memory:.0f} MB"]
        if pytorch:
            other, others, peak = apart(pytorch_training, side, size, network, folder, steps)
            row += [f"{1e3 * statistics.median(others):.0f} ms, {peak:.0f} MB"]
            row += [f"{statistics.median(seconds) / statistics.median(others):.2f}"]
            if abs(loss - other) > 1e-3:
                raise SystemExit(f"{name}: the first losses differ: {loss} and {other}.")
        print_row(*row)


def compare_drawing(folder, repeats):
    for side in SIDES:
        found, same = apart(drawing, side, DRAWN, folder, repeats, side == SIDES[0])
        if same is not None:
            print_row(f"{side} x {side}: codes that naive drawing draws alike", f"{same:.1%}")
        naive = found.pop("naive")
        for name, seconds in found.items():
            row = [f"drawing {side} x {side}, 10 blocks of 64, {name}", f"{1e3 * seconds:.0f} ms"]
            print_row(*row, f"naive {1e3 * naive:.0f} ms", f"{seconds / naive:.3f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=15, help="training steps (15)")
    parser.add_argument("--repeats", type=int, default=5, help="maps drawn (5)")
    parser.add_argument("--only", choices=("training", "drawing"), help="the one kind of row")
    asked = parser.parse_args()
    print(machine(), flush=True)
    pytorch = version("torch") is not None
    print_row("", "toolkit", "PyTorch" if pytorch else "(no PyTorch here)", "ratio")
    with tempfile.TemporaryDirectory() as folder:
        if asked.only != "drawing":
            compare_training(folder, asked.steps, pytorch)
        if asked.only != "training":
            compare_drawing(folder, asked.repeats)


if __name__ == "__main__":
    main()
