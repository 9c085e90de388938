"""A training step of the prediction network in each precision, with and without XLA: what pays on this machine?

  ./run python tests/benchmarks/bench_precision.py [--units=400] [--steps=10]

A ratio is one of medians to float32 without XLA, below 1 where it pays. Each has a process of its own.
"""

import argparse
import statistics

import numpy as np
from measuring import apart, machine, milliseconds, print_row, timed


def step_seconds(precision, jit_compile, units, num_layers, points, steps):
    import keras

    from toolkit import losses, models

    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(precision)
    model = models.handwriting.prediction(units=units, num_layers=num_layers, num_mixtures=20)
    density = model.get_layer("density").distribution
    model.compile("adam", losses.NegativeLogLikelihood(density), jit_compile=jit_compile)
    random = np.random.default_rng(0)
    offsets = random.standard_normal((32, points, 3)).astype("float32")
    offsets[..., 2] = random.uniform(size=offsets.shape[:2]) < 0.04
    return timed(lambda: model.train_on_batch(offsets, offsets), steps, warm_up=3)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("units", 400), ("num_layers", 3), ("points", 300), ("steps", 10)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    print(machine())
    first, sizes = None, (asked.units, asked.num_layers, asked.points, asked.steps)
    for precision in ("float32", "mixed_bfloat16", "mixed_float16"):
        for jit_compile in (False, True):
            seconds = apart(step_seconds, precision, jit_compile, *sizes)
            first = first or seconds
            ratio = statistics.median(seconds) / statistics.median(first)
            print_row(
                f"training step, {precision}{', XLA' * jit_compile}, ms", milliseconds(seconds), ratio=f"{ratio:.2f}"
            )


if __name__ == "__main__":
    main()
