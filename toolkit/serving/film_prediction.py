"""A VQ-VAE of frames and a prior over time for programs: the frames that come after given ones."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from toolkit.export import signature
from toolkit.lazy import tensorflow as tf
from toolkit.serving.image_codes import picture
from toolkit.serving.served import Served


def film_prediction(
    prior: Any, autoencoder: Any, *, num_frames: int, measured: Sequence[np.ndarray] = (), seed: int = 0
) -> Served:
    """Makes the signatures "predict", with fresh noise at each call, and "predict_from_noise", from given noise.

    Args:
        prior: What `models.pixelcnn.pixelcnn` returned, of a frame's codes given those of the frames before.
        autoencoder: What `models.vqvae.vqvae` returned, of frames.
        num_frames: Frames that are predicted.
        measured: Videos uint8 (frames, height, width, channels), `num_frames` longer than what the prior reads at
            least: each file is measured by its error on their last frames, at temperature 0.
        seed: Seed of the noise on which Keras, SavedModel and TFLite are compared.

    Returns:
        What an export is made of; its measure gives "squared_error", in squared grey levels, and "videos".
    """
    from toolkit.generation.drawing import below_one
    from toolkit.generation.film_prediction import FilmPredictor

    predictor, shape = FilmPredictor(prior, autoencoder), autoencoder.input_shape[1:]
    num_given, random = predictor.num_maps, np.random.default_rng(seed)
    frames = {"frames": ((1, num_given, *shape), "uint8", "0 to 255")}
    temperature = {"temperature": ((1,), "float32", "1: as the model expects, 0: the likeliest codes")}
    noise_shape = (1, num_frames, *predictor.size)

    def predict(frames, temperature, noise=None):
        found = predictor.generate(tf.cast(frames, tf.float32), temperature, num_frames=num_frames, noise=noise)
        return {"frames": picture(found)}

    def given(video):
        return np.asarray(video, "uint8")[None, -num_frames - num_given : -num_frames]

    def measure(call):
        errors = []
        for video in measured:
            how = {"temperature": np.zeros(1, "float32"), "noise": np.zeros(noise_shape, "float32")}
            found = call("predict_from_noise", frames=given(video), **how)["frames"][0]
            errors.append(np.mean((found.astype("float64") - video[-num_frames:]) ** 2))
        return {"squared_error": float(np.mean(errors)), "videos": len(errors)}

    first = given(measured[0]) if len(measured) else random.integers(0, 256, (1, num_given, *shape)).astype("uint8")
    example = {"frames": first, "temperature": np.ones(1, "float32")}
    noise = below_one(random.uniform(size=noise_shape))
    told = {"frames": "0 to 255, those that come"}
    return Served(
        signatures={
            "predict": signature(predict, **frames, **temperature, outputs=told, random=True),
            "predict_from_noise": signature(
                predict, noise=(noise_shape, "float32", "0 to 1"), **frames, **temperature, outputs=told
            ),
        },
        trackables=(prior, autoencoder),
        examples={"predict": example, "predict_from_noise": {**example, "noise": noise}},
        calibrate=lambda: (
            {"predict_from_noise": {**example, "frames": given(each), "noise": noise}} for each in measured
        ),
        measure=measure if len(measured) else None,
        differing=0.005,  # pixels that lie between two grey levels: rounding decides
        card={"given_frames": num_given, "predicted_frames": num_frames},
    )
