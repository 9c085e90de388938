"""Speed and memory of a variational autoencoder beside the same in PyTorch, and of the metrics beside plain NumPy.

  ./run benchmarks tests/benchmarks/bench_vae.py [--steps=15] [--examples=10000]
  .venv/bin/pip install torch    the other side

A step of Adam on 64 images of 64 x 64, the network of the study of disentanglement, from the same weights and with the
same noise: the first bounds must be the same. The mutual information gap and FactorVAE's score of 10,000 codes, beside
the published procedure written plainly in NumPy: the same values. Each measurement has a process of its own, on the
CPU. A ratio below 1 means that the toolkit takes less.
"""

import argparse
import pathlib
import statistics
import tempfile

from measuring import apart, machine, peak_megabytes, print_row, timed, version

UNITS = {"32 channels, the paper's": 32, "16 channels": 16}
LATENT_SIZE, BATCH_SIZE = 10, 64


def batch():
    """White squares on black, float32 (64, 64, 64, 1), 0 or 255."""
    import numpy as np

    random, images = np.random.default_rng(0), np.zeros((BATCH_SIZE, 64, 64, 1), "float32")
    for image, (row, column, side) in zip(images, random.integers(8, 24, (BATCH_SIZE, 3)), strict=True):
        image[row : row + side, column : column + side] = 255.0
    return images


def toolkit_training(units, folder, steps):
    import keras
    import numpy as np

    from toolkit import methods, models, training

    training.phases.keep_freed_memory()
    keras.utils.set_random_seed(0)
    how = {"latent_size": LATENT_SIZE, "network": "strided", "units": units, "decoder": "bernoulli", "seed": 0}
    model = models.vae.vae(64, 1, **how)
    images, x = methods.evidence_bound.pair(batch())
    np.savez(pathlib.Path(folder, "weights.npz"), *(np.asarray(each) for each in model.trainable_variables))
    noise = np.random.default_rng(1).standard_normal((BATCH_SIZE, LATENT_SIZE)).astype("float32")
    mean, log_variance = (np.asarray(each) for each in models.vae.posterior(model, images))
    params = models.vae.params(model, mean + np.exp(0.5 * log_variance) * noise)
    first = -float(np.mean(models.vae.density(model).log_prob(params, x)))
    methods.evidence_bound.compiled(model, keras.optimizers.Adam(1e-4))
    return first, timed(lambda: model.train_on_batch(images, x), steps), peak_megabytes()


def pytorch_training(units, folder, steps):
    import numpy as np
    import vae_in_pytorch

    model = vae_in_pytorch.VAE(units, LATENT_SIZE)
    with np.load(pathlib.Path(folder, "weights.npz")) as file:
        model.take([file[key] for key in file.files])
    noise, seconds = np.random.default_rng(1).standard_normal((BATCH_SIZE, LATENT_SIZE)).astype("float32"), []
    first = vae_in_pytorch.train(model, batch() / 255.0, noise, steps + 2, seconds)
    return first, seconds[2:], peak_megabytes()


def codes_and_factors(examples):
    import numpy as np

    factors = np.random.default_rng(0).integers((3, 6, 40, 32, 32), size=(examples, 5))
    return represent(factors), factors


def represent(factors):
    import numpy as np

    mixed = np.random.default_rng(1).normal(size=(5, LATENT_SIZE)) * (np.arange(50).reshape(5, LATENT_SIZE) % 3 == 0)
    return factors / 10 @ mixed + 0.1 * np.sin(factors.sum(axis=1, keepdims=True))


def toolkit_metric(name, examples, repeats):
    from toolkit.metrics import factor_vae_score, mutual_information_gap

    if name == "gap":
        codes, factors = codes_and_factors(examples)
        measure = lambda: mutual_information_gap.mutual_information_gap(codes, factors)  # noqa: E731
    else:
        how = {"num_train": examples, "num_eval": examples // 2}
        sizes = (3, 6, 40, 32, 32)
        measure = lambda: factor_vae_score.factor_vae_score(represent, sizes, **how).accuracy  # noqa: E731
    return measure(), timed(measure, repeats, warm_up=0)


def numpy_metric(name, examples, repeats):
    import published_metrics

    if name == "gap":
        codes, factors = codes_and_factors(examples)
        measure = lambda: published_metrics.mutual_information_gap(codes, factors)  # noqa: E731
    else:
        measure = lambda: published_metrics.factor_vae_score(represent, (3, 6, 40, 32, 32), examples)  # noqa: E731
    return measure(), timed(measure, repeats, warm_up=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=15, help="training steps (15)")
    parser.add_argument("--examples", type=int, default=10_000, help="codes that are scored (10,000)")
    parser.add_argument("--repeats", type=int, default=3, help="times that each is scored (3)")
    asked = parser.parse_args()
    print(machine(), flush=True)
    pytorch = version("torch") is not None
    print_row("", "toolkit", "PyTorch" if pytorch else "(no PyTorch here)", "ratio")
    with tempfile.TemporaryDirectory() as folder:
        for name, units in UNITS.items():
            bound, seconds, memory = apart(toolkit_training, units, folder, asked.steps)
            row = [f"training step, {name}", f"{1e3 * statistics.median(seconds):.0f} ms, {memory:.0f} MB"]
            if pytorch:
                other, others, peak = apart(pytorch_training, units, folder, asked.steps)
                row += [f"{1e3 * statistics.median(others):.0f} ms, {peak:.0f} MB"]
                row += [f"{statistics.median(seconds) / statistics.median(others):.2f}"]
                if abs(bound - other) > 1e-2:
                    raise SystemExit(f"{name}: the first likelihoods differ: {bound} and {other}.")
            print_row(*row)
    print_row("", "toolkit", "as published, NumPy", "ratio")
    for name, (what, tolerance) in {
        "gap": ("mutual information gap", 1e-6),
        "votes": ("FactorVAE's score", 0.03),
    }.items():
        value, seconds = apart(toolkit_metric, name, asked.examples, asked.repeats)
        other, others = apart(numpy_metric, name, asked.examples, asked.repeats)
        if abs(value - other) > tolerance:
            raise SystemExit(f"{what}: {value} and {other} differ.")
        ours, theirs = statistics.median(seconds), statistics.median(others)
        print_row(f"{what}, {asked.examples:,} codes", f"{ours:.2f} s", f"{theirs:.2f} s", f"{ours / theirs:.2f}")


if __name__ == "__main__":
    main()
