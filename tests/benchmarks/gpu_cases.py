"""What bench_gpu.py measures: each model family, each layer that computes, in the papers' sizes, here and in PyTorch.

A case says how both sides are made, what they are given, and what their training steps make small. The PyTorch sides
are those of the other benchmarks; where one needs a package that is not there, it is left out, and told.
"""

import dataclasses
import string
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from toolkit import layers, losses, models

ALPHABET = string.ascii_letters + " .,'"


@dataclasses.dataclass
class Case:
    """One row.

    Args:
        ours: Makes the Keras model.
        inputs: What it is given.
        theirs: Makes the PyTorch module; None: there is none.
        their_inputs: What that is given; None: the same.
        loss: Of our outputs, a list; their mean square where it is left out.
        their_loss: Of theirs, likewise.
    """

    ours: Callable[[], keras.Model]
    inputs: Sequence[np.ndarray]
    theirs: Callable[[], Any] | None = None
    their_inputs: Sequence[np.ndarray] | None = None
    loss: Callable[[Sequence[Any]], Any] = lambda outputs: sum(ops.mean(ops.square(y)) for y in outputs)
    their_loss: Callable[[Sequence[Any]], Any] = lambda outputs: sum(y.float().square().mean() for y in outputs)


def cross_entropies(targets, axis=-1):
    """Of class numbers, the logits' channels last here and on `axis` there."""
    import torch

    def ours(outputs):
        return ops.mean(keras.losses.sparse_categorical_crossentropy(targets, outputs[0], from_logits=True))

    def theirs(outputs):
        logits = outputs[0].float().movedim(axis, 1)
        return torch.nn.functional.cross_entropy(logits, torch.as_tensor(targets, device=logits.device).long())

    return {"loss": ours, "their_loss": theirs}


def layer(make, *inputs):
    """The model of one layer."""

    def model():
        tensors = [keras.Input(x.shape[1:], dtype=str(x.dtype)) for x in inputs]
        return keras.Model(tensors if len(tensors) > 1 else tensors[0], make()(*tensors))

    return model


def numbers(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype("float32")


def whole(most, *shape):
    return np.random.default_rng(0).integers(0, most, shape).astype("int32")


def pixels(*shape):
    return np.random.default_rng(0).uniform(0, 255, shape).astype("float32")


def first(x):
    """Channels first, as PyTorch has them."""
    return np.ascontiguousarray(np.moveaxis(x, -1, 1))


# Model families. ------------------------------------------------------------------------------------------------------


def text(batch, length, units, tokens=49):
    import text_in_pytorch

    given, targets = whole(tokens, batch, length), whole(tokens, batch, length)
    return Case(
        lambda: models.text_rnn.language_model([chr(48 + number) for number in range(tokens)], units=units),
        [given],
        lambda: _First(text_in_pytorch.TextNetwork(tokens, units)),
        **cross_entropies(targets),
    )


def _pen(batch, points):
    offsets = numbers(batch, points, 3)
    offsets[..., 2] = offsets[..., 2] > 1
    return offsets


def _density(offsets, num_mixtures):
    import handwriting_in_pytorch
    import torch

    from toolkit.distributions import GaussianMixture

    family = GaussianMixture(num_mixtures, 2, "correlated", bernoulli=True)
    ours = losses.NegativeLogLikelihood(family)

    def theirs(outputs):
        events = torch.as_tensor(offsets, device=outputs[0].device)
        return handwriting_in_pytorch.negative_log_likelihood(outputs[0].float(), events).mean()

    return {"loss": lambda outputs: ours(offsets, outputs[0]), "their_loss": theirs}


def prediction(batch, points, units, num_layers=3, num_mixtures=20):
    import handwriting_in_pytorch

    offsets = _pen(batch, points)
    return Case(
        lambda: models.handwriting.prediction(units, num_layers, num_mixtures),
        [offsets],
        lambda: handwriting_in_pytorch.HandwritingNetwork("", units, num_layers, num_mixtures, 0),
        **_density(offsets, num_mixtures),
    )


def synthesis(batch, points, units, characters, num_layers=3, num_mixtures=20, num_gaussians=10):
    import handwriting_in_pytorch

    offsets = _pen(batch, points)
    written = np.array([[ord(ALPHABET[k]) for k in row] for row in whole(len(ALPHABET), batch, characters)], "int32")
    return Case(
        lambda: models.handwriting.synthesis(ALPHABET, units, num_layers, num_mixtures, num_gaussians),
        [offsets, written],
        lambda: handwriting_in_pytorch.HandwritingNetwork(ALPHABET, units, num_layers, num_mixtures, num_gaussians),
        **_density(offsets, num_mixtures),
    )


def recognition(batch, points, units):
    mask = np.ones((batch, points), bool)
    return Case(lambda: models.handwriting_recognition.recognition(ALPHABET, units), [_pen(batch, points), mask])


def classifier(batch, side, architecture, width=None):
    import images_in_pytorch

    images, labels, classes = pixels(batch, side, side, 3), whole(1000, batch), 1000
    theirs = None
    if architecture in ("resnet50", "vgg16", "inception_v3") and width is None:
        networks = {
            "resnet50": lambda: images_in_pytorch.resnet((3, 4, 6, 3), classes, bottleneck=True),
            "vgg16": lambda: images_in_pytorch.vgg16(classes),
            "inception_v3": lambda: images_in_pytorch.inception_v3(classes),
        }
        theirs = networks[architecture]
    return Case(
        lambda: models.image_classifier.image_classifier(architecture, (side, side, 3), classes, width=width),
        [images],
        theirs,
        [first(images)],
        **cross_entropies(labels),
    )


def segmentation(batch, side, backbone, width=64, classes=21):
    import segmentation_in_pytorch

    images, labels = pixels(batch, side, side, 3), whole(classes, batch, side, side)
    return Case(
        lambda: models.deeplab.deeplab("v3+", backbone, (side, side, 3), classes, output_stride=16, width=width),
        [images],
        lambda: segmentation_in_pytorch.network(backbone, width, classes),
        [first(images)],
        **cross_entropies(labels, axis=1),
    )


def wavenet(batch, samples, filters, skip_filters, dilations):
    import wavenet_in_pytorch

    audio = np.random.default_rng(0).uniform(-1, 1, (batch, samples)).astype("float32")
    levels = whole(256, batch, samples)
    return Case(
        lambda: models.wavenet.wavenet(dilations, filters, skip_filters),
        [audio],
        lambda: wavenet_in_pytorch.WaveNet(dilations, filters, skip_filters),
        [levels],
        **_both(cross_entropies(levels), cross_entropies(levels, axis=1)),
    )


def _both(ours, theirs):
    return {"loss": ours["loss"], "their_loss": theirs["their_loss"]}


def recognizer(batch, samples, filters, skip_filters, dilations):
    audio = np.random.default_rng(0).uniform(-1, 1, (batch, samples)).astype("float32")
    return Case(lambda: models.wavenet_recognizer.wavenet_recognizer(40, dilations, filters, skip_filters), [audio])


def pixelcnn(batch, side, filters, num_blocks, codes=512):
    import pixelcnn_in_pytorch

    given = whole(codes, batch, side, side)
    return Case(
        lambda: models.pixelcnn.pixelcnn(side, side, codes, filters, num_blocks, head_filters=filters),
        [given],
        lambda: pixelcnn_in_pytorch.PixelCNN(codes, filters, num_blocks, 5, filters),
        **_both(cross_entropies(given), cross_entropies(given, axis=1)),
    )


def pixelsnail(batch, side, filters, num_blocks, num_heads=8, codes=512):
    import pixelsnail_in_pytorch

    given = whole(codes, batch, side, side)
    return Case(
        lambda: models.pixelsnail.pixelsnail(
            side, side, codes, filters, num_blocks, num_heads=num_heads, num_output_blocks=num_blocks, dropout=0.0
        ),
        [given],
        lambda: pixelsnail_in_pytorch.PixelSNAIL(codes, filters, num_blocks, 5, 5, num_heads, num_blocks, 0),
        **_both(cross_entropies(given), cross_entropies(given, axis=1)),
    )


def vae(batch, side, units, latent_size=10):
    import torch
    import vae_in_pytorch

    images = pixels(batch, side, side, 1)

    class Drawing(vae_in_pytorch.VAE):
        def forward(self, images):
            logits, mean, log_variance = super().forward(images, torch.randn(len(images), latent_size))
            return logits

    return Case(
        lambda: models.vae.vae(
            side, 1, latent_size=latent_size, network="strided", units=units, decoder="bernoulli"
        ),
        [images],
        (lambda: Drawing(units, latent_size)) if side == 64 else None,
        [first(images / 255)],
    )  # fmt: skip


def vqvae(batch, side, units, codes=512, embedding_dim=64):
    images = pixels(batch, side, side, 3)

    def theirs():
        import vqvae_in_pytorch

        return vqvae_in_pytorch.VQVAE(units, units, 2, codes, embedding_dim)

    return Case(
        lambda: models.vqvae.vqvae(side, units=units, residual_units=units, embedding_dim=embedding_dim),
        [images],
        theirs,
        [first(images)],
    )


def vqvae2(batch, side, units, residual_units=64, codes=512, embedding_dim=64):
    images = pixels(batch, side, side, 3)

    def theirs():
        import vqvae2_in_pytorch

        return vqvae2_in_pytorch.VQVAE2(units, residual_units, 2, codes, embedding_dim)

    return Case(
        lambda: models.vqvae2.vqvae2(side, units=units, residual_units=residual_units, embedding_dim=embedding_dim),
        [images],
        theirs,
        [first(images)],
    )


def local_errors(batch, width, units):
    """All local losses at once, without PyTorch's: there each block takes its step within the forward."""
    return Case(
        lambda: models.local_blocks.local_blocks("vgg8b", loss="predsim", width=width, units=units),
        [pixels(batch, 32, 32, 3)],
    )


def discriminator(batch, units, latent_size=10):
    import torch

    z = numbers(batch, latent_size)

    def theirs():
        sizes = [latent_size, *[units] * 6]
        parts = [
            part
            for size in zip(sizes, sizes[1:], strict=False)
            for part in (torch.nn.Linear(*size), torch.nn.LeakyReLU(0.2))
        ]
        return torch.nn.Sequential(*parts, torch.nn.Linear(units, 1))

    return Case(lambda: models.latent_discriminator.latent_discriminator(latent_size, units=units), [z], theirs)


# Layers. --------------------------------------------------------------------------------------------------------------


def _First(module):
    """A module of which the first output counts, as nn.LSTM's."""
    import torch

    class First(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = module

        def forward(self, *inputs):
            return self.inner(*inputs)[0]

    return First()


def lstm(batch, length, units, size, **how):
    import torch

    x = numbers(batch, length, size)
    same = not how.get("peepholes")
    return Case(
        layer(lambda: layers.ClippedLSTM(units, gradient_clip=10.0, **how), x),
        [x],
        (lambda: _First(torch.nn.LSTM(size, units, batch_first=True))) if same else None,
    )


def token_lstm(batch, length, units, tokens):
    return Case(
        layer(lambda: layers.TokenLSTM(tokens, units), whole(tokens, batch, length)), [whole(tokens, batch, length)]
    )


def noisy_lstm(batch, length, units, size):
    x = numbers(batch, length, size)
    return Case(layer(lambda: layers.WeightNoise(layers.ClippedLSTM(units), 0.075), x), [x])


def window(batch, length, units, characters):
    x, letters = numbers(batch, length, 3), numbers(batch, characters, 57)
    return Case(layer(lambda: layers.GaussianWindow(units), x, letters), [x, letters])


def density(batch, length, size, num_mixtures=20):
    import torch

    x = numbers(batch, length, size)
    return Case(
        layer(lambda: layers.MixtureDensity(num_mixtures, covariance="correlated", bernoulli=True), x),
        [x],
        lambda: torch.nn.Linear(size, 6 * num_mixtures + 1),
        **_density(_pen(batch, length), num_mixtures),
    )


def softmax(batch, length, size, words):
    import torch

    x = numbers(batch, length, size)
    return Case(
        layer(lambda: layers.SampledSoftmax(words), x),
        [x],
        lambda: torch.nn.Linear(size, words),
        **cross_entropies(whole(words, batch, length)),
    )


def quantizer(batch, side, size, codes=512):
    import torch
    from torch.nn import functional

    class Codebook(torch.nn.Module):
        """Nearest codes, moving averages, the straight-through gradient."""

        def __init__(self):
            super().__init__()
            self.register_buffer("codes", torch.randn(codes, size))
            self.register_buffer("counts", torch.ones(codes))
            self.register_buffer("sums", self.codes.clone())

        def forward(self, x):
            flat = x.flatten(0, -2).float()
            squares = self.codes.square().sum(1)
            nearest = (squares - 2 * flat @ self.codes.T).argmin(1)
            found = self.codes[nearest]
            if self.training:
                with torch.no_grad():
                    one_hot = functional.one_hot(nearest, codes).to(flat)
                    self.counts.lerp_(one_hot.sum(0), 0.01)
                    self.sums.lerp_((one_hot.T @ flat).float(), 0.01)
                    self.codes.copy_(self.sums / (self.counts[:, None] + 1e-5))
            loss = 0.25 * functional.mse_loss(flat, found)
            return (flat + (found - flat).detach()).view_as(x), loss

    x = numbers(batch, side, side, size)
    return Case(layer(lambda: layers.VectorQuantizer(codes), x), [x], Codebook)


def residual_block(batch, samples, filters, skip_filters, dilation):
    import wavenet_in_pytorch

    x = numbers(batch, samples, filters)
    return Case(
        layer(lambda: layers.GatedResidualBlock(filters, skip_filters, dilation_rate=dilation), x),
        [x],
        lambda: wavenet_in_pytorch.Block(filters, skip_filters, dilation),
        [first(x)],
    )


def pixel_block(batch, side, filters):
    import pixelcnn_in_pytorch

    x = numbers(batch, side, side, filters)
    return Case(
        layer(lambda: layers.GatedPixelBlock(filters, 5), x, x),
        [x, x],
        lambda: pixelcnn_in_pytorch.Block(filters, 5, False),
        [first(x), first(x)],
    )


def attention(batch, side, size, num_heads=8):
    import pixelsnail_in_pytorch

    x = numbers(batch, side, side, size)
    return Case(
        layer(lambda: layers.CausalAttention2D(num_heads, size // num_heads), x, x),
        [x, x],
        lambda: pixelsnail_in_pytorch.CausalAttention(
            size, size, size, num_heads, pixelsnail_in_pytorch.attend_fused
        ),
        [first(x), first(x)],
    )  # fmt: skip


def atrous(batch, side, size, filters, rate):
    import torch

    x = numbers(batch, side, side, size)
    return Case(
        layer(lambda: layers.AtrousConv2D(filters, 3, rate), x),
        [x],
        lambda: torch.nn.Conv2d(size, filters, 3, padding=rate, dilation=rate),
        [first(x)],
    )


def pyramid(batch, side, size, filters):
    import segmentation_in_pytorch

    x = numbers(batch, side, side, size)
    return Case(
        layer(lambda: layers.AtrousSpatialPyramidPooling(filters, separable=True), x),
        [x],
        lambda: segmentation_in_pytorch.Pyramid(size, filters),
        [first(x)],
    )


def upsampling(batch, side, size):
    import torch

    x = numbers(batch, side, side, size)
    return Case(
        layer(lambda: layers.BilinearUpsampling2D(4), x),
        [x],
        lambda: torch.nn.Upsample(scale_factor=4, mode="bilinear"),
        [first(x)],
    )


def normalization(batch, side, size):
    import torch

    x = numbers(batch, side, side, size)
    return Case(
        layer(layers.LocalResponseNormalization, x),
        [x],
        lambda: torch.nn.LocalResponseNorm(5, 5e-4, 0.75, 2.0),
        [first(x)],
    )


def crf(batch, rows, columns, classes, make):
    logits, image = numbers(batch, rows, columns, classes), pixels(batch, rows, columns, 3)
    return Case(layer(make, logits, image), [logits, image])


def spectrogram(batch, samples):
    x = numbers(batch, samples)
    return Case(layer(lambda: layers.LogMelSpectrogram(16_000, 160, 80), x), [x])


def frames(batch, samples, size):
    x = numbers(batch, samples // 80, size)
    return Case(
        layer(lambda: layers.FrameUpsampling(size, 80), x, numbers(batch, samples)), [x, numbers(batch, samples)]
    )


def latent(batch, size, make):
    x = numbers(batch, size)
    return Case(layer(make, x), [x])


def mixing(batch, side, make):
    images, labels = pixels(batch, side, side, 3), whole(1000, batch)
    return Case(layer(lambda: make(num_classes=1000), images, labels), [images, labels])


DILATIONS = tuple(2**power for power in range(10)) * 3
# Sizes of a try on a CPU, at most.
TINY = {"batch": 2, "length": 4, "points": 8, "characters": 4, "units": 8, "size": 8, "tokens": 5, "words": 20}
TINY |= {"filters": 8, "skip_filters": 8, "num_blocks": 5, "side": 16, "samples": 4000, "dilation": 4}
TINY |= {"rows": 12, "columns": 16}


def sizes_of(row, tiny):
    """A row's sizes, or those that a CPU can try."""
    _, _, sizes, *others = row
    if not tiny:
        return sizes
    return {name: min(size, TINY[name]) if name in TINY else size for name, size in sizes.items()} | (others or [{}])[0]


# The name, how the case is made, its sizes, and what is other in a try on a CPU.
SHORT = {"samples": 160, "dilations": (1, 2)}
LSTM = {"batch": 32, "length": 300, "units": 400, "size": 403}
LATENT = {"batch": 64, "size": 256}
ROWS = [
    ("text, LSTM of 1000", text, {"batch": 32, "length": 100, "units": 1000}),
    ("handwriting prediction, 3 LSTMs of 400", prediction, {"batch": 32, "points": 300, "units": 400}),
    ("handwriting synthesis, 3 LSTMs of 400", synthesis, {"batch": 32, "points": 300, "units": 400, "characters": 30}),
    ("handwriting recognition, 2 LSTMs of 128", recognition, {"batch": 32, "points": 600, "units": 128}),
    (
        "ResNet-50, 64 images of 224",
        classifier,
        {"batch": 64, "side": 224, "architecture": "resnet50"},
        {"side": 32, "architecture": "resnet18", "width": 8},
    ),
    (
        "WaveNet, 30 blocks of 32",
        wavenet,
        {"batch": 8, "samples": 8192, "filters": 32, "skip_filters": 512, "dilations": DILATIONS},
        SHORT,
    ),
    ("PixelCNN, 20 blocks of 384", pixelcnn, {"batch": 16, "side": 32, "filters": 384, "num_blocks": 20}),
    ("VQ-VAE, 128 images of 32", vqvae, {"batch": 128, "side": 32, "units": 256}),
    ("VQ-VAE-2, 16 images of 256", vqvae2, {"batch": 16, "side": 256, "units": 128}),
    ("VAE, 64 images of 64", vae, {"batch": 64, "side": 64, "units": 32}, {"side": 64}),
    (
        "DeepLab v3+, ResNet-50, 8 images of 513",
        segmentation,
        {"batch": 8, "side": 513, "backbone": "resnet50"},
        {"side": 33, "backbone": "resnet18", "width": 16},
    ),
    (
        "VGG8B on local errors, 128 images of 32",
        local_errors,
        {"batch": 128, "width": 128, "units": 1024},
        {"batch": 4, "width": 8},
    ),
    (
        "WaveNet recognizer, 30 blocks of 32",
        recognizer,
        {"batch": 8, "samples": 8000, "filters": 32, "skip_filters": 128, "dilations": DILATIONS},
        SHORT,
    ),
    ("discriminator of latents, 6 x 1000", discriminator, {"batch": 64, "units": 1000}),
    ("ClippedLSTM 400", lstm, LSTM),
    ("ClippedLSTM 400 with peepholes", lstm, {**LSTM, "peepholes": True}),
    ("WeightNoise, ClippedLSTM 400", noisy_lstm, LSTM),
    ("TokenLSTM 1000", token_lstm, {"batch": 32, "length": 100, "units": 1000, "tokens": 49}),
    ("GaussianWindow 400", window, {"batch": 32, "length": 300, "units": 400, "characters": 30}),
    ("MixtureDensity 20", density, {"batch": 32, "length": 300, "size": 1200}),
    ("SampledSoftmax of 10,000, all", softmax, {"batch": 32, "length": 100, "size": 1000, "words": 10_000}),
    ("VectorQuantizer 512 x 64", quantizer, {"batch": 16, "side": 64, "size": 64}),
    (
        "GatedResidualBlock 32",
        residual_block,
        {"batch": 8, "samples": 8192, "filters": 32, "skip_filters": 512, "dilation": 64},
    ),
    ("GatedPixelBlock 384", pixel_block, {"batch": 16, "side": 32, "filters": 384}),
    ("CausalAttention2D 8 x 64", attention, {"batch": 8, "side": 32, "size": 512}),
    ("AtrousConv2D, rate 12", atrous, {"batch": 8, "side": 33, "size": 2048, "filters": 256, "rate": 12}),
    ("AtrousSpatialPyramidPooling", pyramid, {"batch": 8, "side": 33, "size": 2048, "filters": 256}),
    ("BilinearUpsampling2D", upsampling, {"batch": 8, "side": 33, "size": 256}),
    ("LocalResponseNormalization", normalization, {"batch": 64, "side": 55, "size": 96}),
    ("LocalCRF", crf, {"batch": 1, "rows": 375, "columns": 500, "classes": 21, "make": layers.LocalCRF}),
    ("DenseCRF", crf, {"batch": 1, "rows": 240, "columns": 320, "classes": 21, "make": layers.DenseCRF}),
    ("LogMelSpectrogram", spectrogram, {"batch": 16, "samples": 160_000}),
    ("FrameUpsampling", frames, {"batch": 8, "samples": 8000, "size": 128}),
    ("GaussianLatent", latent, {**LATENT, "make": lambda: layers.GaussianLatent(10)}),
    ("TotalCorrelationLatent", latent, {**LATENT, "make": lambda: layers.TotalCorrelationLatent(10)}),
    ("DIPLatent", latent, {**LATENT, "make": lambda: layers.DIPLatent(10)}),
    ("Mixup", mixing, {"batch": 128, "side": 224, "make": layers.Mixup}),
    ("CutMix", mixing, {"batch": 128, "side": 224, "make": layers.CutMix}),
    ("PixelSNAIL, 20 blocks of 512", pixelsnail, {"batch": 8, "side": 32, "filters": 512, "num_blocks": 20}),
    (
        "VGG-16, 64 images of 224",
        classifier,
        {"batch": 64, "side": 224, "architecture": "vgg16"},
        {"side": 32, "width": 4},
    ),
    (
        "Inception v3, 64 images of 299",
        classifier,
        {"batch": 64, "side": 299, "architecture": "inception_v3"},
        {"side": 75, "width": 8},
    ),
]
