"""VQ-VAE of sound: 64 samples become one code, and a WaveNet decodes the codes in any speaker's voice."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras

from toolkit.layers.fused_batch_normalization import FusedBatchNormalization
from toolkit.layers.mu_law import MuLaw
from toolkit.layers.vector_quantizer import VectorQuantizer
from toolkit.models import wavenet


def vqvae_sound(
    dilations: Sequence[int] = wavenet.DILATIONS,
    filters: int = 32,
    skip_filters: int = 512,
    kernel_size: int = 2,
    *,
    num_embeddings: int = 512,
    embedding_dim: int = 64,
    commitment_cost: float = 0.25,
    momentum: float | None = 0.99,
    num_downsamplings: int = 6,
    encoder_filters: int = 128,
    num_levels: int = 256,
    output: str = "categorical",
    num_mixtures: int = 10,
    num_speakers: int = 0,
    condition_size: int = 16,
    num_context_layers: int = 1,
    inventory: Mapping[str, Any] | None = None,
) -> keras.Model:
    """Builds an autoencoder of sound with few discrete codes a second, whose decoder is told the speaker.

    Convolutions of stride 2 over four samples each halve the time; each vector that is left becomes the nearest of a
    codebook, and conditions a WaveNet in place of a unit. The encoder sees both sides of what it encodes, zeros
    before the beginning and after the end; it reads companded samples, and its vectors are normalized over the batch.

    Args:
        dilations: Dilations of the WaveNet's blocks.
        filters: As in `wavenet.wavenet`.
        skip_filters: As there.
        kernel_size: As there.
        num_embeddings: Number of codes.
        embedding_dim: Size of a code's vector.
        commitment_cost: As in `layers.VectorQuantizer`.
        momentum: As there.
        num_downsamplings: Convolutions of stride 2: a code for each 2^n samples (paper: 6, of 16,000 Hz 250 a second).
        encoder_filters: Channels of each.
        num_levels: As in `wavenet.wavenet`; the encoder, too, reads samples companded to so many.
        output: As there.
        num_mixtures: As there.
        num_speakers: As there.
        condition_size: As there, of what becomes of the codes too.
        num_context_layers: Convolutions over three codes each.
        inventory: As there.

    Returns:
        A model from {"audio": (batch, time), the samples before; "heard": (batch, time), the sound that is encoded, of
        which code t stands for samples 2^n t to 2^n (t + 1) - 1; with `num_speakers` "speaker": (batch,)}, to what
        `wavenet.wavenet` returns. `methods.sound_likelihood` trains it. Of any length there are ceil(time / 2^n) codes.

    Raises:
        ValueError: Where an argument is out of range.

    Example:

    >>> model = vqvae_sound([1, 2, 4], 8, 8, num_embeddings=16, encoder_filters=8, num_speakers=2)
    >>> sound = keras.ops.zeros((3, 200))
    >>> model({"audio": sound, "heard": sound, "speaker": keras.ops.array([0, 1, 0])}).shape
    TensorShape([3, 200, 256])
    >>> encoder(model)(sound).shape
    TensorShape([3, 4])

    Reference: van den Oord et al. 2017, arXiv 1711.00937, sections 3.2 and 4.3; batch normalization before the
    codebook: Lancucki et al. 2020, arXiv 2005.08520.
    """
    if not 1 <= num_downsamplings <= 16 or encoder_filters < 1:
        raise ValueError(
            "num_downsamplings must be between 1 and 16, and encoder_filters at least 1; got "
            f"{num_downsamplings} and {encoder_filters}."
        )
    heard = keras.Input((None,), name="heard")
    # Companded, as what is predicted: of samples as they are, most far below 1, the biases would soon drown the sound.
    levels = MuLaw(num_levels, name="heard_levels")(heard)
    x = keras.layers.Rescaling(2 / (num_levels - 1), -1.0, name="companded")(levels)
    x = keras.layers.Reshape((-1, 1), name="heard_channel")(x)
    for number in range(1, num_downsamplings + 1):
        # Of "same" padding one sample is before the first whatever the length: frames begin where the samples do.
        x = keras.layers.Conv1D(
            encoder_filters,
            4,
            strides=2,
            padding="same",
            activation="relu",
            kernel_initializer="he_normal",
            name=f"downsampling_{number}",
        )(x)
    x = keras.layers.Dense(embedding_dim, use_bias=False, name="features")(x)
    # Without it all vectors soon drift away from the codebook together, and fall to one code.
    x = FusedBatchNormalization(momentum=0.9, center=False, scale=False, name="encoded")(x)
    x = VectorQuantizer(num_embeddings, commitment_cost=commitment_cost, momentum=momentum, name="quantizer")(x)
    return wavenet.of_frames(
        {"heard": heard},
        x,
        dilations,
        filters,
        skip_filters,
        kernel_size,
        num_levels=num_levels,
        codes=False,
        output=output,
        num_mixtures=num_mixtures,
        num_speakers=num_speakers,
        condition_size=condition_size,
        hop=2**num_downsamplings,
        num_context_layers=num_context_layers,
        inventory=inventory,
        name="vqvae_sound",
    )


def encoder(model: keras.Model) -> Callable[[Any], Any]:
    """Returns the encoder of a trained model.

    Args:
        model: What `vqvae_sound` returned, or the same loaded from a file.

    Returns:
        A function from sound (batch, time), in [-1, 1], to codes (batch, ceil(time / 2^n)), int32.
    """
    half = keras.Model(model.get_layer("heard").output, model.get_layer("encoded").output, name="encoder")
    quantizer = model.get_layer("quantizer")
    return lambda audio: quantizer.encode(half(audio, training=False))


def decoder(model: keras.Model) -> keras.Model:
    """Builds the decoder of a trained model: a WaveNet whose units are codes.

    Args:
        model: What `vqvae_sound` returned, or the same loaded from a file.

    Returns:
        What `wavenet.wavenet` returns, of the inputs "audio", "units", the codes, and with speakers "speaker"; its
        weights are a copy of the model's as they are now. In its inventory the units are the codes, "0", "1" and so
        on, each `hop` samples long. All that generates sound with a WaveNet takes it.

    Example:

    >>> half = decoder(vqvae_sound([1, 2], 4, 4, num_embeddings=16, num_downsamplings=2, encoder_filters=4))
    >>> half({"audio": keras.ops.zeros((1, 8)), "units": keras.ops.array([[3, 15]])}).shape
    TensorShape([1, 8, 256])
    """
    codebook = keras.ops.convert_to_numpy(model.get_layer("quantizer").embeddings)[0]
    codes = keras.Input((None,), dtype="int32", name="units")
    table = keras.layers.Embedding(*codebook.shape, name="unit_embedding")
    how = wavenet.arguments(model)
    if how["inventory"]:
        names, lengths = [str(code) for code in range(len(codebook))], [how["hop"]] * len(codebook)
        how["inventory"] |= {"units": names, "unit_lengths": lengths, "num_states": 1}
    half = wavenet.of_frames({"units": codes}, table(codes), **how)
    table.set_weights([codebook])
    for layer in half.layers:
        if layer.weights and layer is not table:
            layer.set_weights(model.get_layer(layer.name).get_weights())
    return half
