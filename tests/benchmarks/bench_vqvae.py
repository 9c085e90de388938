"""Speed and memory of a VQ-VAE of images beside the same in PyTorch.

  ./run benchmarks tests/benchmarks/bench_vqvae.py [--steps=15]
  .venv/bin/pip install torch vector-quantize-pytorch    the other side

A step of Adam on a batch of 32 x 32 images, codebook of moving averages and all, from the same weights and codebook:
the first likelihoods must be the same. Each measurement has a process of its own, on the CPU. A ratio below 1 means
that the toolkit takes less.
"""

import argparse
import pathlib
import statistics
import tempfile

from measuring import apart, machine, peak_megabytes, print_row, timed, version

# Batch, and the network: units, residual units, blocks, codes, numbers of a code.
TRAINED = {
    "64 images, 128 units": (64, (128, 64, 2, 512, 64)),
    "32 images, 256 units": (32, (256, 256, 2, 512, 64)),
}


def batch(size):
    """Smooth images with noise."""
    import numpy as np

    random = np.random.default_rng(0)
    coarse = np.kron(random.uniform(40, 215, (size, 4, 4, 3)), np.ones((1, 8, 8, 1)))
    return np.clip(np.rint(coarse + random.normal(0, 10, (size, 32, 32, 3))), 0, 255).astype("float32")


def toolkit_training(size, network, folder, steps):
    import keras
    import numpy as np

    from toolkit import layers, methods, models, training

    training.phases.keep_freed_memory()
    keras.utils.set_random_seed(0)
    units, residual_units, num_blocks, num_embeddings, embedding_dim = network
    codebook = layers.VectorQuantizer(num_embeddings, num_start_steps=0, revive_below=0.0, name="codebook")
    how = {"units": units, "residual_units": residual_units, "num_residual_blocks": num_blocks}
    model = models.vqvae.vqvae(32, 3, codebook=codebook, embedding_dim=embedding_dim, **how)
    images, levels = methods.image_codes.pair(batch(size), None)
    halves = [model.get_layer(name).get_weights() for name in ("encoder", "decoder")]
    np.savez(pathlib.Path(folder, "train.npz"), *halves[0], *halves[1], np.asarray(codebook.embeddings)[0])
    methods.image_codes.compiled(model, keras.optimizers.Adam(3e-4))
    first = -float(np.mean(models.vqvae.density().log_prob(model(images), levels)))
    step = lambda: model.train_on_batch(images, levels)  # noqa: E731
    return first, timed(step, steps), peak_megabytes()


def pytorch_training(size, network, folder, steps):
    import numpy as np
    import vqvae_in_pytorch

    model = vqvae_in_pytorch.VQVAE(*network)
    with np.load(pathlib.Path(folder, "train.npz")) as file:
        *weights, embeddings = (file[key] for key in file.files)
    model.take(weights, embeddings)
    seconds = []
    losses = vqvae_in_pytorch.train(model, batch(size), steps + 2, seconds)
    return losses[0], seconds[2:], peak_megabytes()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=15, help="training steps (15)")
    asked = parser.parse_args()
    print(machine(), flush=True)
    pytorch = version("torch") is not None and version("vector-quantize-pytorch") is not None
    print_row("", "toolkit", "PyTorch" if pytorch else "(no PyTorch here)", "ratio")
    with tempfile.TemporaryDirectory() as folder:
        for name, (size, network) in TRAINED.items():
            loss, seconds, memory = apart(toolkit_training, size, network, folder, asked.steps)
            row = [f"training step, {name}", f"{1e3 * statistics.median(seconds):.0f} ms, {memory:.0f} MB"]
            if pytorch:
                other, others, peak = apart(pytorch_training, size, network, folder, asked.steps)
                row += [f"{1e3 * statistics.median(others):.0f} ms, {peak:.0f} MB"]
                row += [f"{statistics.median(seconds) / statistics.median(others):.2f}"]
                if abs(loss - other) > 1e-3:
                    raise SystemExit(f"{name}: the first likelihoods differ: {loss} and {other}.")
            print_row(*row)


if __name__ == "__main__":
    main()
