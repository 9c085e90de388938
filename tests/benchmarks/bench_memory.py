"""A memory for rare events beside faiss and PyTorch: reading it, and a step of training.

  ./run benchmarks tests/benchmarks/bench_memory.py [--slots=100000,1000000] [--repeats=5] [--turns=2]
  .venv/bin/pip install faiss-cpu    the other side of the queries, and what searches approximately

Queries: 64 at a time, keys of 128 numbers, the nearest one and the 256 nearest, exact and approximate (inverted lists,
16 of them looked at), beside faiss' own exact search alone, whose slots must be the same. The keys are 10,000 centres
with noise, the queries keys with noise; the share of nearest keys that the approximate search finds is printed. A step:
64 images of 20 x 20 through two convolutions, into a memory of 8,192 slots, with loss, gradient, Adam and the writing,
beside the same in PyTorch from the same weights, whose first losses must be the same. Each side has a process of its
own, and they take turns; figures are medians. Ratios below 1: the toolkit takes less.
"""

import argparse
import os
import statistics
import sys
import time

import numpy as np
from measuring import apart, machine, print_row, timed, version

KEY_SIZE, QUERIES, CENTRES = 128, 64, 10_000


def data(slots):
    random = np.random.default_rng(0)
    centres = random.standard_normal((CENTRES, KEY_SIZE)).astype("float32")
    keys = centres[random.integers(0, CENTRES, slots)]
    keys += 0.5 * random.standard_normal(keys.shape, dtype="float32")
    keys /= np.linalg.norm(keys, axis=1, keepdims=True)
    queries = keys[random.integers(0, slots, 10 * QUERIES)]
    queries = queries + 0.05 * random.standard_normal(queries.shape, dtype="float32")
    return keys, queries / np.linalg.norm(queries, axis=1, keepdims=True)


def toolkit_exact(slots, number, repeats):
    import tensorflow as tf

    from toolkit.layers import memory_state

    keys, queries = data(slots)
    held, values = tf.constant(keys), tf.zeros(slots, "int32")
    signature = [tf.TensorSpec((None, KEY_SIZE))]
    search = tf.function(
        lambda block: memory_state.neighbors(held, values, block, number)[1], input_signature=signature
    )
    return timed(lambda: search(queries[:QUERIES]).numpy(), repeats), search(queries[:QUERIES]).numpy(), {}


def toolkit_approximate(slots, number, repeats):
    from toolkit.methods.approximate_memory import ApproximateMemory

    keys, queries = data(slots)
    start = time.perf_counter()
    memory = ApproximateMemory(keys, np.zeros(slots, "int32"))
    built = time.perf_counter() - start
    seconds = timed(lambda: memory.nearest(queries[:QUERIES], number)[1], repeats)
    return seconds, None, {"found": memory.recall(queries, number), "built": built}


def faiss_exact(slots, number, repeats):
    import faiss

    keys, queries = data(slots)
    index = faiss.IndexFlatIP(KEY_SIZE)
    index.add(keys)
    return (
        timed(lambda: index.search(queries[:QUERIES], number)[1], repeats),
        index.search(queries[:QUERIES], number)[1],
        {},
    )


def batch():
    random = np.random.default_rng(0)
    return random.standard_normal((64, 20, 20, 1)).astype("float32"), random.integers(0, 1600, 64).astype("int32")


def weights(key_size):
    """Of the convolutions and the dense layer, as Keras has them."""
    random = np.random.default_rng(1)
    shapes = [(3, 3, 1, 32), (32,), (3, 3, 32, 64), (64,), (64 * 25, key_size), (key_size,)]
    return [(random.standard_normal(shape) / np.prod(shape[:-1]) ** 0.5).astype("float32") for shape in shapes]


def timed_steps(step, repeats):
    losses = []
    return timed(lambda: losses.append(float(step())), repeats, warm_up=5), np.array(losses[:2]), {}


def toolkit_step(slots, key_size, repeats):
    import keras

    from toolkit.layers import Memory

    layers = keras.layers
    image, label = keras.Input((20, 20, 1)), keras.Input((), dtype="int32")
    x = image
    for filters in (32, 64):
        x = layers.MaxPooling2D()(layers.Conv2D(filters, 3, padding="same", activation="relu")(x))
    model = keras.Model(
        [image, label], Memory(slots, key_size, seed=0)(layers.Dense(key_size)(layers.Flatten()(x)), label)
    )
    model.compile(keras.optimizers.Adam(1e-3), jit_compile=False)
    model.set_weights([*weights(key_size), *model.get_weights()[6:]])
    given = list(batch())
    return timed_steps(lambda: model.train_on_batch(given, return_dict=True)["loss"], repeats)


def pytorch_step(slots, key_size, repeats):
    from memory_in_pytorch import trained

    return timed_steps(trained(*batch(), weights(key_size), slots, key_size), repeats)


def check_same(name, ours, theirs):
    """Slots of the nearest keys, of which rounding decides a few; or the first losses."""
    whole = np.issubdtype(ours.dtype, np.integer)
    same = np.mean(ours == theirs) > 0.999 if whole else np.allclose(ours, theirs, rtol=1e-3)
    if not same:
        raise SystemExit(f"{name}: not the same: {ours} and {theirs}")


def beside(name, ours, theirs, *arguments, turns):
    """A row: medians of both in milliseconds, how many of the nearest ours finds, and how long it took to build."""
    found = {function: [apart(function, *arguments) for _ in range(turns)] for function in (ours, theirs) if function}
    median = {
        key: 1e3 * statistics.median(each for times, *_ in value for each in times) for key, value in found.items()
    }
    _, result, more = found[ours][0]
    if theirs and result is not None:
        check_same(name, result, found[theirs][0][1])
    texts = [f"{each:.2f}" for each in median.values()]
    ratio = f"{median[ours] / median[theirs]:.2f}" if theirs else ""
    extra = f"finds {more['found']:.1%} of the nearest; built in {more['built']:.0f} s" if more else ""
    print_row(name, *texts, *[""] * (2 - len(texts)), ratio, extra)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slots", default="100000,1000000")
    parser.add_argument("--neighbors", default="1,256")
    parser.add_argument("--parts", default="exact,approximate,step")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--turns", type=int, default=2)
    asked = parser.parse_args()
    print(machine())
    has_faiss, has_torch = version("faiss-cpu"), version("torch")
    for package, there in (("faiss-cpu", has_faiss), ("torch", has_torch)):
        print(f"{package}: {there or 'not installed, left out (see --help)'}")
    print_row("milliseconds", "toolkit", "other", "ratio")
    for slots in map(int, asked.slots.split(",")):
        for number in map(int, asked.neighbors.split(",")):
            told = f"{QUERIES} queries, {slots:,} keys, {number} nearest"
            theirs = faiss_exact if has_faiss else None
            if "exact" in asked.parts:
                beside(f"{told}, exact", toolkit_exact, theirs, slots, number, asked.repeats, turns=asked.turns)
            if "approximate" in asked.parts and has_faiss:
                beside(f"{told}, approximate", toolkit_approximate, theirs, slots, number, asked.repeats, turns=1)
    if "step" in asked.parts:
        theirs = pytorch_step if has_torch else None
        beside("training step, 8,192 slots", toolkit_step, theirs, 8192, KEY_SIZE, 4 * asked.repeats, turns=asked.turns)


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.exit(main())
