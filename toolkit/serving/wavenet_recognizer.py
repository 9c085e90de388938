"""A network that hears which unit is spoken in each frame, for programs."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from toolkit.export import signature
from toolkit.lazy import keras
from toolkit.lazy import tensorflow as tf
from toolkit.serving.served import Served


def wavenet_recognizer(
    model: "keras.Model",
    *,
    sample_rate: int,
    seconds: float,
    units: Sequence[str],
    measured: Iterable[Mapping[str, np.ndarray]] = (),
    typical: Iterable[np.ndarray] = (),
) -> Served:
    """Offers `classify`: sound to each frame's units. Files are measured by the share of frames that they name right.

    Args:
        model: What `models.wavenet_recognizer.wavenet_recognizer` returned, trained.
        sample_rate: Samples a second.
        seconds: Of sound that `classify` takes; of a shorter sound its frames alone are meant.
        units: Names of the units, in their numbers' order.
        measured: Sounds {"audio": (time,), in [-1, 1]; "units": (frames,), numbers, below 0 where none is known}; none:
            nothing is measured.
        typical: Sounds (time,) on which int8's ranges are measured, read only then.

    Returns:
        A `Served` whose card has the sample rate, the samples of a frame and the units' names.

    Raises:
        ValueError: Where there is not one frame, or the network has another number of units.

    Example:

    >>> from toolkit import models
    >>> sizes = {"filters": 4, "skip_filters": 4, "frame_filters": 4}
    >>> network = models.wavenet_recognizer.wavenet_recognizer(2, [1, 2], hop=80, **sizes)
    >>> served = wavenet_recognizer(network, sample_rate=8000, seconds=0.1, units=["a", "b"])
    >>> served.signatures["classify"].call(audio=np.zeros((1, 800), "float32"))["units"].shape
    TensorShape([1, 10, 2])

    Reference: van den Oord et al. 2016, arXiv 1609.03499, section 3.4.
    """
    hop, num_units = model.get_layer("frames").pool_size[0], model.get_layer("units").units
    num_frames = round(seconds * sample_rate) // hop
    if num_frames < 1:
        raise ValueError(f"seconds must be at least one frame's, {hop / sample_rate:g}; got {seconds}.")
    if len(units) != num_units:
        raise ValueError(f"units: the network tells {num_units}; got {len(units)} names.")
    time = num_frames * hop

    def cut(audio):
        audio = np.asarray(audio, "float32")[:time]
        return {"audio": np.pad(audio, (0, time - len(audio)))[None]}

    def classify(audio):
        logits = model(tf.where(tf.abs(audio) <= 1.0, audio, 0.0), training=False)["units"]
        return {"units": tf.nn.softmax(logits)}

    def measure(call):
        right = total = 0
        for each in sounds:
            asked = np.asarray(each["units"])[: len(each["audio"]) // hop][:num_frames]
            found = call("classify", **cut(each["audio"]))["units"][0].argmax(axis=-1)[: len(asked)]
            right, total = right + int((found == asked)[asked >= 0].sum()), total + int((asked >= 0).sum())
        return {"frame_accuracy": right / max(1, total)}

    sounds, random = list(measured), np.random.default_rng(0)
    example = sounds[0]["audio"] if sounds else random.uniform(-0.5, 0.5, time)
    return Served(
        signatures={
            "classify": signature(
                classify,
                audio=((1, time), "float32", f"sound in [-1, 1], {sample_rate} samples a second"),
                outputs={"units": f"probability of each unit in each frame of {hop} samples"},
            )
        },
        trackables=(model,),
        examples={"classify": {"audio": np.asarray(model.get_layer("levels").on_grid(cut(example)["audio"]))}},
        calibrate=lambda: ({"classify": cut(audio)} for audio in typical),
        measure=measure if sounds else None,
        card={"sample_rate": sample_rate, "samples_per_frame": hop, "units": list(units)},
    )
