"""A VQ-VAE of sound for programs: sound to codes, codes to sound in anyone's voice, and one voice to another."""

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from toolkit.export import signature
from toolkit.lazy import keras
from toolkit.lazy import tensorflow as tf
from toolkit.serving import wavenet
from toolkit.serving.served import Served

# Of codes, each the nearest of many, rounding decides a few.
_DIFFERING = 0.01


def sound_codes(
    model: "keras.Model",
    *,
    max_seconds: float,
    measured: Iterable[Any] = (),
    typical: Iterable[Any] = (),
    compared: int = 200,
    seed: int = 0,
) -> Served:
    """What an autoencoder of sound offers a program: encode, decode, convert and score.

    `encode` gives a sound's codes; `decode` speaks codes, with fresh noise at each call, and `decode_from_noise` the
    same from noise that is given; `convert` does both, sound in and the same in another's voice out; `step` is one
    sample of what is decoded, after `read_codes`, as in `wavenet`; `score` says how likely a sound is given its codes.
    With speakers, all but `encode` take "speaker". Files are measured by the bits a sample of the sounds in `measured`,
    given the codes that the same file gives them.

    Args:
        model: What `models.vqvae_sound.vqvae_sound` returned with an inventory, trained.
        max_seconds: Longest sound; of a longer one the beginning counts.
        measured: Sounds with `waveform` (time,), in [-1, 1], and `speaker`, a number; none: nothing is measured.
        typical: Sounds on which int8's ranges are measured, read only then.
        compared: Samples that are written where Keras, SavedModel and TFLite are compared.
        seed: Seed of the noise there.

    Returns:
        A `Served` whose card has the sample rate, what the numbers of speakers mean, how many codes there are, how long
        one is and what they take, and the inventory.

    Raises:
        ValueError: Where a number is out of range, or the network keeps no inventory.

    Example:

    >>> from toolkit import models
    >>> inventory = {"speakers": ["one", "two"], "units": ["_"], "unit_lengths": [80], "sample_rate": 8000}
    >>> how = {"num_embeddings": 8, "num_downsamplings": 2, "encoder_filters": 4, "num_speakers": 2}
    >>> served = sound_codes(models.vqvae_sound.vqvae_sound([1, 2], 4, 4, **how, inventory=inventory), max_seconds=0.1)
    >>> sorted(served.signatures)
    ['convert', 'decode', 'decode_from_noise', 'encode', 'read_codes', 'score', 'step']

    Reference: van den Oord et al. 2017, arXiv 1711.00937, section 4.3.
    """
    from toolkit.generation.audio import SoundGenerator
    from toolkit.models import vqvae_sound

    inventory = wavenet.inventory_of(model)
    encode, half = vqvae_sound.encoder(model), vqvae_sound.decoder(model)
    generator, offered = (
        SoundGenerator(half),
        wavenet.wavenet(half, max_seconds=max_seconds, compared=compared, seed=seed),
    )
    rate, hop = inventory["sample_rate"], half.get_layer("upsampling").hop
    num_samples, num_codes = round(max_seconds * rate), half.get_layer("unit_embedding").input_dim
    reads = ("speaker",) * generator.reads["speaker"]

    def sound_of(each):
        audio = np.asarray(each.waveform, "float32")[:num_samples]
        given = {"audio": np.pad(audio, (0, num_samples - len(audio)))[None]}
        speaker = {name: np.array([each.speaker], "int32") for name in reads}
        return given, speaker | {"length": np.array([len(audio)], "int32")}

    def examples_of(audio, asked):
        return {"encode": audio, "score": {**audio, **asked, "codes": np.asarray(encode(audio["audio"]))}}

    sounds = [sound_of(each) for each in measured]
    examples = {_renamed(name): _of_codes(inputs) for name, inputs in offered.examples.items()}
    audio, asked = sounds[0] if sounds else _noise(num_samples, reads, seed)
    audio = {"audio": np.asarray(generator.levels.on_grid(audio["audio"]))}
    examples |= examples_of(audio, asked)
    examples["convert"] = {**audio, **asked, "temperature": np.ones(1, "float32")}

    def calibrate() -> Iterator[Mapping[str, Mapping[str, np.ndarray]]]:
        for each in typical:
            yield {**examples, **examples_of(*sound_of(each))}

    def measure(call):
        nats = 0.0
        for audio, asked in sounds:
            codes = call("encode", **audio)["codes"]
            nats += float(call("score", **audio, **asked, codes=codes)["nats"][0])
        return {"bits_per_sample": nats / math.log(2) / sum(int(asked["length"][0]) for _, asked in sounds)}

    bits = math.log2(num_codes) * rate / hop
    card = {name: offered.card[name] for name in ("sample_rate", "receptive_field", "speakers") if name in offered.card}
    card |= {"codes": num_codes, "samples_per_code": hop, "bits_per_second": bits, "inventory": inventory}
    found = {_renamed(name): _of_codes_signature(each) for name, each in offered.signatures.items() if name != "score"}
    return dataclasses.replace(
        offered,
        signatures=found | _signatures(encode, half, generator, num_samples, rate, hop),
        trackables=(model, half),
        examples=examples,
        calibrate=calibrate,
        measure=measure if sounds else None,
        differing=_DIFFERING,
        card=card,
    )


def _noise(num_samples, reads, seed):
    """Where there is no sound to compare on."""
    audio = np.random.default_rng(seed).uniform(-0.5, 0.5, (1, num_samples)).astype("float32")
    return {"audio": audio}, {name: np.zeros(1, "int32") for name in reads} | {
        "length": np.array([num_samples], "int32")
    }


def _renamed(name):
    """A WaveNet's units are codes here."""
    return name.replace("generate", "decode").replace("units", "codes")


def _of_codes(inputs):
    return {_renamed(name): value for name, value in inputs.items()}


def _of_codes_signature(signature):
    """The signature with codes in place of units."""
    if "units" not in signature.inputs:
        return signature
    inputs = _of_codes(signature.inputs)
    inputs["codes"] = dataclasses.replace(inputs["codes"], unit="as encode gives them")
    return dataclasses.replace(
        signature, function=lambda codes, **others: signature.function(units=codes, **others), inputs=inputs
    )


def _signatures(encode, half, generator, num_samples, rate, hop):
    def bounded(audio):
        return tf.where(tf.abs(audio) <= 1.0, audio, 0.0)

    def convert(audio, length, temperature, speaker=None):
        length = tf.clip_by_value(length, 0, num_samples)
        inside = tf.range(num_samples)[None] < length[:, None]
        codes = encode(tf.where(inside, bounded(audio), 0.0))
        how = {"num_steps": num_samples, "length": length, "batch_size": 1}
        return {**generator.generate(speaker, codes, wavenet.within(temperature, 1e4), **how), "codes": codes}

    def score(audio, length, codes, speaker=None):
        audio = bounded(audio)
        given = {"audio": tf.pad(audio[:, :-1], [[0, 0], [1, 0]])}
        given["units"] = tf.clip_by_value(codes, 0, sizes["unit"] - 1)
        if speaker is not None:
            given["speaker"] = tf.clip_by_value(speaker, 0, sizes["speaker"] - 1)
        nats = generator.nats(half(given, training=False), generator.levels(audio))
        return {"nats": tf.reduce_sum(tf.where(tf.range(num_samples)[None] < length[:, None], nats, 0.0), axis=1)}

    sizes = {name: half.get_layer(f"{name}_embedding").input_dim for name, read in generator.reads.items() if read}
    audio = ((1, num_samples), "float32", f"sound in [-1, 1], {rate} samples a second, zeros after its end")
    who = {"speaker": ((1,), "int32", "number in the card's speakers")} if "speaker" in sizes else {}
    length = ((1,), "int32", "samples")
    codes = ((1, -(-num_samples // hop)), "int32", f"code of each {hop} samples, as encode gives them")
    temperature = ((1,), "float32", "1 = as the data, less = less noise")
    spoken = {"audio": f"sound in [-1, 1], {rate} samples a second", "length": "samples", "codes": "of the sound given"}
    return {
        "encode": signature(
            lambda audio: {"codes": encode(bounded(audio))},
            audio=audio,
            outputs={"codes": f"code of each {hop} samples"},
        ),
        "convert": signature(
            convert, audio=audio, length=length, temperature=temperature, **who, outputs=spoken, random=True
        ),
        "score": signature(
            score, audio=audio, length=length, codes=codes, **who, outputs={"nats": "-log of the sound's probability"}
        ),
    }
