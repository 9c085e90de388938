"""Vector quantization beside vector-quantize-pytorch and faiss: time and memory.

  ./run benchmarks tests/benchmarks/bench_vector_quantizer.py [--repeats=5] [--turns=3]
  .venv/bin/pip install vector-quantize-pytorch faiss-cpu    the other sides

A training step of the layer alone, with an averaged codebook: forward (search, averages, losses), and forward and
backward to the inputs. faiss finds the codes only, by exact search. Each side has a process of its own, and they take
turns; a figure is the median of all. Memory is what the steps add to a process that has done a small one. Ratios below
1: the toolkit takes less.
"""

import argparse
import os
import statistics

import numpy as np
from measuring import apart, machine, peak_megabytes, print_row, timed, version

SIZES = ((32_768, 64, 512), (8_192, 64, 8_192))


def data(num_vectors, features):
    return np.random.default_rng(0).standard_normal((num_vectors, features)).astype("float32")


def measured(step, vectors, repeats):
    """Seconds of each call, and by how many megabytes the vectors made the process grow."""
    step(vectors[:256])
    before = peak_megabytes()
    return timed(lambda: step(vectors), repeats), peak_megabytes() - before


def toolkit_side(what, num_vectors, features, num_codes, repeats):
    import tensorflow as tf

    from toolkit.layers import VectorQuantizer

    layer = VectorQuantizer(num_codes, seed=0)
    layer.build((None, features))
    signature = [tf.TensorSpec((None, features))]

    def forward(vectors):
        return layer(vectors, training=True) + 0.0, layer.losses[0]

    def both(vectors):
        with tf.GradientTape() as tape:
            tape.watch(vectors)
            output, loss = forward(vectors)
            loss = loss + tf.reduce_mean(tf.square(output))
        return tape.gradient(loss, vectors)

    step = {"codes": layer.encode, "forward": forward, "forward and backward": both}[what]
    traced = tf.function(step, input_signature=signature, autograph=False)
    return measured(
        lambda vectors: tf.nest.map_structure(np.asarray, traced(vectors)), data(num_vectors, features), repeats
    )


def pytorch_side(what, num_vectors, features, num_codes, repeats):
    import torch
    from vector_quantize_pytorch import VectorQuantize

    layer = VectorQuantize(dim=features, codebook_size=num_codes, decay=0.99, commitment_weight=0.25)
    layer.train()

    def step(vectors):
        given = torch.from_numpy(vectors)[None].requires_grad_(what != "forward")
        output, _, loss = layer(given)
        if what != "forward":
            (loss.sum() + output.square().mean()).backward()
        return output.detach().numpy()

    return measured(step, data(num_vectors, features), repeats)


def faiss_side(what, num_vectors, features, num_codes, repeats):
    import faiss

    index = faiss.IndexFlatL2(features)
    index.add(np.random.default_rng(1).standard_normal((num_codes, features)).astype("float32"))
    return measured(lambda vectors: index.search(vectors, 1)[1], data(num_vectors, features), repeats)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--turns", type=int, default=3)
    asked = parser.parse_args()
    print(machine())
    for package in ("vector-quantize-pytorch", "faiss-cpu"):
        print(f"{package}: {version(package) or 'not installed, left out (see --help)'}")
    print_row("", "toolkit", "other", "ratio")
    torch_target = "target: 0.2 of vector-quantize-pytorch"
    for what, package, other, target in (
        ("forward", "vector-quantize-pytorch", pytorch_side, torch_target),
        ("forward and backward", "vector-quantize-pytorch", pytorch_side, torch_target),
        ("codes", "faiss-cpu", faiss_side, ""),
    ):
        functions = (toolkit_side, other) if version(package) else (toolkit_side,)
        for size in SIZES:
            sides = [[] for _ in functions]
            for _ in range(asked.turns):
                for side, function in zip(sides, functions, strict=True):
                    side.append(apart(function, what, *size, asked.repeats))
            name = f"{size[0]:,} x {size[1]}, {size[2]:,} codes, {what}"
            seconds = [statistics.median(second for times, _ in side for second in times) for side in sides]
            print_values(f"{name}, ms", [1e3 * each for each in seconds], target)
            print_values(f"{name}, MB", [statistics.median(memory for _, memory in side) for side in sides])


def print_values(what, values, target=""):
    texts = [f"{value:.1f}" for value in values]
    print_row(what, *texts, *([f"{values[0] / max(values[1], 0.1):.2f}", target] if len(values) == 2 else []))


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    main()
