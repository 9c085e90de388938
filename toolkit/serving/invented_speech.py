"""A VQ-VAE of sound with a prior over its codes for programs: all that it does by itself, and new speech."""

import dataclasses
from typing import Any

import numpy as np

from toolkit.export import signature
from toolkit.lazy import keras
from toolkit.lazy import tensorflow as tf
from toolkit.serving import wavenet
from toolkit.serving.served import Served
from toolkit.serving.sound_codes import sound_codes


def invented_speech(
    model: "keras.Model", prior: "keras.Model", *, max_seconds: float, compared: int = 200, seed: int = 0, **others: Any
) -> Served:
    """What an autoencoder of sound offers a program, and `sample`: speech that nobody has said.

    `sample` draws codes from the prior and speaks them, with fresh noise at each call; `sample_from_noise` does the
    same with noise that is given. With speakers, both take "speaker".

    Args:
        model: As in `sound_codes`.
        prior: What `models.wavenet.wavenet` returned with `codes=True`, trained on the model's codes.
        max_seconds: As in `sound_codes`.
        compared: As there.
        seed: As there.
        **others: As there.

    Returns:
        What `sound_codes` returns, with both signatures.

    Raises:
        ValueError: As there, and where the prior's codes are not as many as the model's.

    Example:

    >>> from toolkit import models
    >>> inventory = {"speakers": ["one", "two"], "units": ["_"], "unit_lengths": [80], "sample_rate": 8000}
    >>> how = {"num_embeddings": 8, "num_downsamplings": 2, "encoder_filters": 4, "num_speakers": 2}
    >>> model = models.vqvae_sound.vqvae_sound([1, 2], 4, 4, **how, inventory=inventory)
    >>> prior = models.wavenet.wavenet([1, 2], 4, 4, num_levels=8, codes=True, num_speakers=2)
    >>> served = invented_speech(model, prior, max_seconds=0.1)
    >>> sorted(set(served.signatures) - set(sound_codes(model, max_seconds=0.1).signatures))
    ['sample', 'sample_from_noise']

    Reference: van den Oord et al. 2017, arXiv 1711.00937, section 4.3.
    """
    from toolkit.generation.invented_speech import SpeechInventor
    from toolkit.generation.voice_conversion import VoiceConverter

    offered = sound_codes(model, max_seconds=max_seconds, compared=compared, seed=seed, **others)
    inventor = SpeechInventor(prior, VoiceConverter(model))
    writer, speaker, hop = inventor.writer, inventor.converter.writer, inventor.converter.hop
    rate = offered.card["sample_rate"]
    num_samples = round(max_seconds * rate)
    num_codes, length = -(-num_samples // hop), min(compared, num_samples)

    def sample(seconds, temperature, code_noise=None, noise=None, **who):
        length = tf.cast(tf.round(wavenet.within(seconds, num_samples / rate) * rate), tf.int32)
        how = {"temperature": wavenet.within(temperature, 1e4), "batch_size": 1}
        told = who if writer.reads["speaker"] else {}
        codes = writer.generate(**told, num_steps=num_codes, length=-(-length // hop), noise=code_noise, **how)
        codes = tf.cast(codes["audio"], tf.int32)
        sound = speaker.generate(**who, units=codes, num_steps=num_samples, length=length, noise=noise, **how)
        return {**sound, "codes": codes}

    inputs = offered.signatures["decode"].inputs
    asked = {name: offered.examples["decode"][name] for name in ("seconds", "temperature")}
    who = {"speaker": offered.examples["decode"]["speaker"]} if "speaker" in inputs else {}
    random = np.random.default_rng(seed)
    code_noise, noise = (random.uniform(0, wavenet.LARGEST, (1, n)).astype("float32") for n in (num_codes, num_samples))
    prior_reads = who if writer.reads["speaker"] else {}
    code_noise = wavenet.settled(writer, code_noise, prior_reads, -(-length // hop))
    codes = writer.write(num_codes, **prior_reads, noise=code_noise).astype("int32")
    if speaker.num_noise:
        noise = random.uniform(0, wavenet.LARGEST, (1, num_samples, *speaker.num_noise)).astype("float32")
    noise = wavenet.settled(speaker, noise, {**who, "units": codes}, length)
    common = {name: (inputs[name].shape, inputs[name].dtype, inputs[name].unit) for name in (*asked, *who)}
    kind = ("float32", "uniform in [0, 1)")
    spoken = {"audio": f"sound in [-1, 1], {rate} samples a second, zeros after its end", "length": "samples"}
    spoken |= {"codes": f"of each {hop} samples"}
    given = {"code_noise": (code_noise.shape, *kind), "noise": (noise.shape, *kind)}
    return dataclasses.replace(
        offered,
        signatures={
            **offered.signatures,
            "sample": signature(sample, **common, outputs=spoken, random=True),
            "sample_from_noise": signature(sample, **common, **given, outputs=spoken),
        },
        trackables=(*offered.trackables, prior),
        examples={
            **offered.examples,
            "sample": {**asked, **who},
            "sample_from_noise": {**asked, **who, "code_noise": code_noise, "noise": noise},
        },
    )
