"""A WaveNet for programs: it speaks for some seconds, sample by sample or at once, and scores real sound."""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from toolkit.data.audio import tracks
from toolkit.export import signature
from toolkit.lazy import keras
from toolkit.lazy import tensorflow as tf
from toolkit.serving.served import Served

LARGEST = 1 - 2**-24  # the float32 below 1, where noise ends


def wavenet(
    model: "keras.Model",
    *,
    max_seconds: float,
    measured: Iterable[Any] = (),
    typical: Iterable[Any] = (),
    passage: int = 4000,
    compared: int = 200,
    seed: int = 0,
) -> Served:
    """What a WaveNet offers a program: generate, generate_from_noise, step and score.

    `generate` writes sound, with fresh noise at each call; `generate_from_noise` the same from noise that is given;
    `step` is one sample of it, for a program that plays while it writes; `score` says how likely a real sound is. For a
    network that reads them each takes "speaker" and "units", of which `step` takes "frames", what `read_units` makes
    of them. Files are measured by the bits a sample of the sounds in `measured`.

    Args:
        model: What `models.wavenet.wavenet` returned with an inventory, trained.
        max_seconds: Longest sound that is written.
        measured: Sounds with `waveform` (time,), in [-1, 1], `speaker`, a number, and `units` (time,), each sample's;
            none: nothing is measured.
        typical: Sounds on which int8's ranges are measured, read only then.
        passage: Samples that `score` takes; of a longer sound the first ones count.
        compared: Samples that are written where Keras, SavedModel and TFLite are compared.
        seed: Seed of the noise there.

    Returns:
        A `Served` whose card has the sample rate, what the numbers of speakers and units mean, and the inventory.

    Raises:
        ValueError: Where a number is out of range, or the network keeps no inventory, or one of other sizes.

    Example:

    >>> from toolkit import models
    >>> inventory = {"speakers": ["one", "two"], "units": ["_"], "unit_lengths": [80], "sample_rate": 8000}
    >>> network = models.wavenet.wavenet([1, 2], 4, 4, num_speakers=2, inventory=inventory)
    >>> served = wavenet(network, max_seconds=0.1)
    >>> sorted(served.signatures), sorted(served.signatures["generate"].inputs)
    (['generate', 'generate_from_noise', 'score', 'step'], ['seconds', 'speaker', 'temperature'])

    Reference: van den Oord et al. 2016, arXiv 1609.03499, sections 2 and 3.1.
    """
    from toolkit.generation.audio import SoundGenerator
    from toolkit.layers.frame_upsampling import middles

    generator, inventory = SoundGenerator(model), inventory_of(model)
    sample_rate, speakers, units = inventory["sample_rate"], inventory["speakers"], tracks.labels(inventory)
    speakers, units = speakers * generator.reads["speaker"], units * generator.reads["unit"]
    num_samples = round(max_seconds * sample_rate)
    if num_samples < 1 or passage < 1 or compared < 1:
        raise ValueError(
            "sample_rate * max_seconds, passage and compared must be at least 1; got "
            f"{num_samples}, {passage} and {compared}."
        )
    for kind, names in (("speaker", speakers), ("unit", units)):
        size = model.get_layer(f"{kind}_embedding").input_dim if generator.reads[kind] else 0
        if len(names) != size:
            raise ValueError(f"The network reads {size} {kind}s, and its inventory has {len(names)}.")
    hop = model.get_layer("upsampling").hop if units else 1
    num_frames, score_frames = -(-num_samples // hop), -(-passage // hop)

    def scored(sound):
        audio = np.asarray(sound.waveform, "float32")[:passage]
        given = {
            "audio": np.pad(audio, (0, passage - len(audio)))[None],
            "length": np.array([len(audio)], "int32"),
        }
        given |= {"speaker": np.array([sound.speaker], "int32")} if speakers else {}
        if units:
            asked = np.asarray(middles(np.asarray(sound.units, "int32")[None], hop))[:, :score_frames]
            given["units"] = np.pad(asked, ((0, 0), (0, score_frames - asked.shape[1])), "edge")
        return given

    sounds = [scored(sound) for sound in measured]
    asked = {"speaker": np.zeros(1, "int32")} if speakers else {}
    asked |= {"units": (np.arange(num_frames, dtype="int32") // 5 % len(units))[None]} if units else {}
    asked |= {
        "seconds": np.array([min(compared, num_samples) / sample_rate], "float32"),
        "temperature": np.ones(1, "float32"),
    }
    noise = np.random.default_rng(seed).uniform(size=(1, num_samples, *generator.num_noise)).astype("float32")
    noise = settled(generator, np.minimum(noise, LARGEST), asked, min(compared, num_samples))
    start = {name: np.asarray(value) for name, value in generator.initial_state(1).items()}
    first = {name: value for name, value in asked.items() if name in ("speaker", "temperature")}
    first |= {"level": np.array([generator.levels.silence], "int32"), "noise": noise[:, 0], **start}
    if units:
        first["frames"] = np.asarray(generator.frames(asked["units"]))
    examples = {"generate": asked, "generate_from_noise": {**asked, "noise": noise}, "step": first}
    examples |= {"read_units": {"units": asked["units"]}} if units else {}

    def calibrate() -> Iterator[Mapping[str, Mapping[str, np.ndarray]]]:
        for sound in typical:
            yield {"score": scored(sound), **examples}

    def measure(call):
        nats = sum(float(call("score", **each)["nats"][0]) for each in sounds)
        return {"bits_per_sample": nats / math.log(2) / sum(int(each["length"][0]) for each in sounds)}

    sizes = {"sample_rate": sample_rate, "samples": num_samples, "frames": num_frames, "hop": hop, "passage": passage}
    card = {"sample_rate": sample_rate, "receptive_field": generator.num_rows + 1}
    card |= {"speakers": list(speakers)} if speakers else {}
    card |= {"units": list(units), "samples_per_frame": hop} if units else {}
    card |= {"inventory": inventory}
    compared_sound = sounds and sounds[0] | {"audio": np.asarray(generator.levels.on_grid(sounds[0]["audio"]))}
    return Served(
        signatures=_signatures(generator, sizes),
        trackables=(model,),
        examples=examples | ({"score": compared_sound} if sounds else {}),
        calibrate=calibrate,
        measure=measure if sounds else None,
        card=card,
    )


def inventory_of(model: "keras.Model") -> dict[str, Any]:
    """Reads what a network keeps of its speech.

    Args:
        model: A network of the layer "inventory".

    Returns:
        By the names of `layers.SpeechInventory`'s arguments.

    Raises:
        ValueError: Where it keeps none.
    """
    if "inventory" not in {layer.name for layer in model.layers}:
        raise ValueError("The network does not know what its speech is made of: give `models.wavenet` an inventory.")
    config = model.get_layer("inventory").get_config()
    return {name: config[name] for name in ("speakers", "units", "unit_lengths", "num_states", "sample_rate")}


def _signatures(generator, sizes):
    num_samples, rate, passage = sizes["samples"], sizes["sample_rate"], sizes["passage"]
    reads = generator.reads

    def generate(seconds, temperature, speaker=None, units=None, noise=None):
        length = tf.cast(tf.round(within(seconds, num_samples / rate) * rate), tf.int32)
        how = {"num_steps": num_samples, "length": length, "noise": noise, "batch_size": 1}
        return generator.generate(speaker, units, within(temperature, 1e4), **how)

    def step(level, noise, temperature, queues, position, speaker=None, frames=None):
        prepared = generator.prepare(1, speaker, frames)
        params, state = generator.step(level, {"queues": queues, "position": position}, prepared)
        drawn = generator.draw(params, noise, within(temperature, 1e4))
        after = {f"next_{name}": value for name, value in state.items()}
        return {"audio": generator.levels.inverse(drawn), "next_level": drawn, **after}

    def score(audio, length, speaker=None, units=None):
        return generator.score(audio, length, speaker, units)

    who = {"speaker": ((1,), "int32", "number in the card's speakers")} if reads["speaker"] else {}
    unit, what, frames, reading = "number in the card's units, of each frame; the last one stays", {}, {}, {}
    if reads["unit"]:
        size = generator.model.get_layer("upsampling").kernel.shape[1]
        what = {"units": ((1, sizes["frames"]), "int32", unit)}
        frames = {"frames": ((1, sizes["frames"], size), "float32", "as read_units gives them")}
        reading = {"read_units": signature(lambda units: {"frames": generator.frames(units)}, **what)}
    temperature = ((1,), "float32", "1 = as the data, less = less noise")
    asked = {"seconds": ((1,), "float32", f"seconds, at most {num_samples / rate:g}"), "temperature": temperature}
    kind = ("float32", "uniform in [0, 1)")
    states = {
        "queues": ((generator.num_rows, 1, generator.channels), "float32", "zeros at first"),
        "position": ((1,), "int32", "samples read, 0 at first"),
    }
    units = {"audio": f"sound in [-1, 1], {rate} samples a second, zeros after its end", "length": "samples"}
    sound = {"audio": ((1, passage), "float32", "sound in [-1, 1]"), "length": ((1,), "int32", "samples")}
    if what:
        sound["units"] = ((1, -(-passage // sizes["hop"])), "int32", unit)
    return {
        "generate": signature(generate, **asked, **who, **what, outputs=units, random=True),
        "generate_from_noise": signature(
            generate, **asked, **who, **what, noise=((1, num_samples, *generator.num_noise), *kind), outputs=units
        ),
        "step": signature(
            step,
            level=((1,), "int32", f"next_level of the step before, {generator.levels.silence} at first"),
            noise=((1, *generator.num_noise), *kind),
            temperature=temperature,
            **who,
            **frames,
            **states,
            outputs={"audio": "one sample, in [-1, 1]"},
        ),
        "score": signature(score, **sound, **who, outputs={"nats": "-log of the sound's probability"}),
        **reading,
    }


def within(value: "tf.Tensor", most: float) -> "tf.Tensor":
    """Brings what a program gives, which may be any number, into a range that begins at 0.

    Args:
        value: Numbers; what is negative, or no number, becomes 0.
        most: The end of the range.
    """
    return tf.where(value > 0, tf.minimum(value, most), 0.0)


def settled(generator: Any, noise: np.ndarray, asked: Mapping[str, np.ndarray], length: int) -> np.ndarray:
    """Moves noise to the middle of all that draws the same sound, so that no runtime's rounding draws another.

    Args:
        generator: The `generation.audio.SoundGenerator`.
        noise: (1, samples), uniform in [0, 1).
        asked: "speaker" and "units", where the network reads them; others are left aside.
        length: Samples that are drawn.

    Returns:
        The noise, the first `length` samples' changed; of a mixture of logistics as it was.
    """
    if generator.distribution is not None:
        return noise
    given = {name: asked[name] for name in ("speaker", "units") if name in asked}
    audio = generator.write(length, **given, noise=noise[:, :length])
    before = np.concatenate([np.zeros((1, 1), "float32"), audio[:, :-1]], axis=1)
    logits = np.asarray(generator.model({"audio": before, **given}), "float64")[0]
    shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
    cumulative = np.cumsum(shares / shares.sum(axis=-1, keepdims=True), axis=-1)
    levels = np.asarray(generator.levels(audio))[0]
    places, noise = np.arange(length), noise.copy()
    lower = np.where(levels > 0, cumulative[places, levels - 1], 0.0)
    noise[0, :length] = (lower + cumulative[places, levels]) / 2
    return noise
