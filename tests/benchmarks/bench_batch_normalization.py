"""A normalized batch, forwards and backwards, beside Keras' own layer and PyTorch's.

  ./run benchmarks tests/benchmarks/bench_batch_normalization.py
  ./run python tests/benchmarks/bench_batch_normalization.py --steps=50

In training, in float32; PyTorch has its batches with the channels last in memory too. What is computed must be the
same. Each side has a process of its own. A ratio is one of medians, below 1 where ours is faster.
"""

import argparse

import numpy as np
from measuring import apart, machine, print_row, print_times, timed, version

SHAPES = [(100, 256), (500, 1000), (32, 250, 64), (8, 4000, 64), (64, 28, 28, 32), (8, 56, 56, 64), (4, 7, 7, 2048)]


def batch(shape):
    return np.random.default_rng(0).normal(3.0, 2.0, shape).astype("float32")


def in_keras(is_toolkit, shape, steps):
    """The derivatives' first ones, and seconds."""
    import keras
    import tensorflow as tf

    from toolkit import layers

    layer = (layers.FusedBatchNormalization if is_toolkit else keras.layers.BatchNormalization)(epsilon=1e-5)
    layer.build(shape)
    x = tf.constant(batch(shape))

    @tf.function(autograph=False)
    def step():
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = layer(x, training=True)
        return tape.gradient(outputs, [x, layer.gamma.value, layer.beta.value], output_gradients=tf.sin(x))

    seconds = timed(step, steps)
    return [np.asarray(each).ravel()[:100] for each in step()], seconds


def in_pytorch(shape, steps):
    import torch

    channels_first = torch.from_numpy(batch(shape)).movedim(-1, 1)  # a view: in memory they stay last
    x = channels_first.requires_grad_()
    kind = {2: torch.nn.BatchNorm1d, 3: torch.nn.BatchNorm1d, 4: torch.nn.BatchNorm2d}[len(shape)]
    layer, upstream = kind(shape[-1], eps=1e-5), torch.sin(x.detach())

    def step():
        return torch.autograd.grad(layer(x), [x, layer.weight, layer.bias], upstream)

    seconds = timed(step, steps)
    return [
        each.movedim(1, -1).reshape(-1)[:100].numpy() if each.ndim > 1 else each[:100].numpy() for each in step()
    ], seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=50, help="calls measured")
    asked = parser.parse_args()
    print(machine())
    print_row("forwards and backwards, ms", "toolkit", "the other", "ratio")
    for shape in SHAPES:
        found, ours = apart(in_keras, True, shape, asked.steps)
        others = {"Keras": apart(in_keras, False, shape, asked.steps)}
        if version("torch"):
            others["PyTorch"] = apart(in_pytorch, shape, asked.steps)
        for name, (theirs, seconds) in others.items():
            for one, other in zip(found, theirs, strict=True):
                if not np.allclose(one, other, atol=1e-3 * np.abs(other).max()):
                    raise SystemExit(f"{shape}: {name} computes something else.")
            print_times(f"{' x '.join(map(str, shape))}, {name}", ours, seconds)


if __name__ == "__main__":
    main()
