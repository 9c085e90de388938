"""Training and scoring a WaveNet by the likelihood of each sample given those before it."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from toolkit.distributions.categorical import Categorical
from toolkit.distributions.logistic_mixture import LogisticMixture
from toolkit.layers.frame_upsampling import middles
from toolkit.losses.negative_log_likelihood import NegativeLogLikelihood
from toolkit.metrics.log_loss import LogLoss
from toolkit.models import wavenet


def density(model: keras.Model) -> Categorical | LogisticMixture:
    """What a network's outputs are the parameters of.

    Args:
        model: What `models.wavenet.wavenet` returned.
    """
    return wavenet.distribution(model) or Categorical(model.get_layer("levels").num_levels)


def pairs(model: keras.Model) -> Callable[[dict[str, Any]], tuple]:
    """Makes the function that turns a batch of windows into what `fit` takes.

    Args:
        model: What `models.wavenet.wavenet` or `models.vqvae_sound.vqvae_sound` returned.

    Returns:
        From {"audio", "mask", "speaker", "units"}, each (batch, time) but the speakers (batch,), to (inputs, levels,
        weights): a window's samples before, what the network reads beside them, and which samples count; for
        `Splits.map`.

    Example:

    >>> network = wavenet.wavenet([1, 2], filters=4, skip_filters=4)
    >>> batch = {"audio": ops.ones((2, 6)), "mask": ops.ones((2, 6)), "speaker": ops.ones(2), "units": ops.ones((2, 6))}
    >>> inputs, levels, weights = pairs(network)(batch)
    >>> inputs["audio"][0].numpy().tolist(), levels.shape
    ([0.0, 1.0, 1.0, 1.0, 1.0, 1.0], TensorShape([2, 6]))
    """
    reads, levels = [each.name for each in model.inputs], model.get_layer("levels")
    hop = model.get_layer("upsampling").hop if "units" in reads else 1

    def pair(batch):
        inputs = {"audio": ops.pad(batch["audio"][:, :-1], [[0, 0], [1, 0]])}
        if "heard" in reads:
            inputs["heard"] = batch["audio"]
        if "speaker" in reads:
            inputs["speaker"] = batch["speaker"]
        if "units" in reads:
            inputs["units"] = middles(batch["units"], hop)
        return inputs, levels(batch["audio"]), ops.cast(batch["mask"], "float32")

    return pair


def compiled(
    model: keras.Model, optimizer: keras.optimizers.Optimizer | None = None, bits: str = "bits_per_sample"
) -> keras.Model:
    """Compiles a network to be trained, or measured, on nats a sample, and shows bits.

    Args:
        model: What `models.wavenet.wavenet` returned.
        optimizer: None where it is measured only.
        bits: What the metric is called; of a prior's samples, which are codes, "bits_per_code".

    Returns:
        The network.

    Example:

    >>> network = compiled(wavenet.wavenet([1, 2], filters=4, skip_filters=4), keras.optimizers.Adam())
    >>> sorted(network.train_on_batch({"audio": ops.zeros((1, 9))}, ops.zeros((1, 9)), return_dict=True))
    ['bits_per_sample', 'loss']

    Reference: van den Oord et al. 2016, arXiv 1609.03499, section 2.
    """
    family = density(model)
    shown = LogLoss(family, name=bits, unit="bits")
    model.compile(optimizer or "sgd", NegativeLogLikelihood(family), weighted_metrics=[shown], jit_compile=False)
    return model


def measured(model: keras.Model, batches: Any) -> dict[str, float]:
    """Measures what sound takes.

    Args:
        model: As in `pairs`, trained.
        batches: `data.pipelines.Batches` of what `pairs` takes.

    Returns:
        "bits_per_sample", -log2 p of a sample that counts, given those before it; the mean. Of a VQ-VAE also the
        metrics of its codebook.

    Reference: van den Oord et al. 2016, arXiv 1609.03499, section 2.
    """
    windows = batches.map(pairs(model)).dataset(num_epochs=1)
    found = compiled(model).evaluate(windows, verbose=0, return_dict=True)
    return {name: value for name, value in found.items() if name != "loss"}
