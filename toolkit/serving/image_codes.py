"""A VQ-VAE of images for programs: an image to its codes, and codes to an image."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from toolkit import models
from toolkit.export import signature
from toolkit.lazy import tensorflow as tf
from toolkit.serving.served import Served


def image_codes(model: Any, *, measured: Iterable[np.ndarray] = (), typical: Iterable[np.ndarray] = ()) -> Served:
    """Makes the signatures of a VQ-VAE: "encode", from "image" to "codes", and "decode" back.

    Args:
        model: What `models.vqvae.vqvae` returned, trained.
        measured: Images uint8 (height, width, channels); on the first Keras, SavedModel and TFLite are compared, and
            each file is measured by all of them. None: nothing is measured, and noise is compared.
        typical: Images on which int8's ranges are measured, read only then.

    Returns:
        What an export is made of; its measure gives "squared_error", in squared grey levels, "codes_as_keras_percent",
        and "images". The card says what codes there are.
    """
    codebook, shape = model.get_layer("codebook"), model.input_shape[1:]
    measured = list(measured) or [np.random.default_rng(0).integers(0, 256, shape).astype("uint8")]
    code_shape = models.vqvae.code_shape(model)

    def codes_of(image):
        return np.asarray(models.vqvae.codes(model, np.asarray(image, "float32")[None]))

    def measure(call):
        errors, same = [], []
        for image in measured:
            codes = call("encode", image=image[None])["codes"]
            again = call("decode", codes=codes)["image"]
            errors.append(np.mean((again.astype("float64") - image) ** 2))
            same.append(np.mean(codes == codes_of(image)))
        found = {"squared_error": float(np.mean(errors)), "codes_as_keras_percent": 100 * float(np.mean(same))}
        return {**found, "images": len(measured)}

    def calibrate():
        for image in typical:
            yield {"encode": {"image": image[None]}, "decode": {"codes": codes_of(image)}}

    first = measured[0]
    return Served(
        signatures={
            "encode": signature(
                lambda image: {"codes": models.vqvae.codes(model, tf.cast(image, tf.float32))},
                image=((1, *shape), "uint8", "0 to 255"),
                outputs={"codes": f"0 to {codebook.num_embeddings - 1}"},
            ),
            "decode": signature(
                lambda codes: {"image": picture(models.vqvae.decoded(model, codes))},
                codes=((1, *code_shape), "int32", f"0 to {codebook.num_embeddings - 1}"),
                outputs={"image": "0 to 255"},
            ),
        },
        trackables=(model,),
        examples={"encode": {"image": first[None]}, "decode": {"codes": codes_of(first)}},
        calibrate=calibrate,
        measure=measure,
        differing=0.005,  # pixels that lie between two grey levels: rounding decides
        card={"codes": {"shape": list(code_shape), "number": codebook.num_embeddings}},
    )


def picture(pixels: Any) -> Any:
    """Rounds to whole grey levels; a graph.

    Args:
        pixels: Floats, any shape, 0 to 255.

    Returns:
        uint8 of the same shape.
    """
    return tf.cast(tf.clip_by_value(tf.math.floor(pixels + 0.5), 0.0, 255.0), tf.uint8)
