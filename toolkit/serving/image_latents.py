"""A variational autoencoder of images for programs: an image to a few numbers, these to an image, and new images."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from toolkit import models
from toolkit.export import signature
from toolkit.lazy import tensorflow as tf
from toolkit.serving.image_codes import picture
from toolkit.serving.served import Served

# A number of a code, in standard deviations of the prior, of which 95 % lies within two.
_TRAVERSED = np.linspace(-2.0, 2.0, 9, dtype="float32")


def image_latents(model: Any, *, measured: Iterable[np.ndarray] = (), typical: Iterable[np.ndarray] = ()) -> Served:
    """Makes the signatures of a variational autoencoder: "encode", "decode", "traverse" and "sample".

    `encode` gives the mean and scale of each number of an image's code, `decode` draws a code, `traverse` an image with
    one number of its code moved from -2 to 2, the others as they are, and `sample` a new image at each call.

    Args:
        model: What `models.vae.vae` returned, trained.
        measured: Images uint8 (height, width, channels); on the first Keras, SavedModel and TFLite are compared, and
            each file is measured by all of them. None: nothing is measured, and noise is compared.
        typical: Images on which int8's ranges are measured, read only then.

    Returns:
        What an export is made of; its measure gives "squared_error", of decoded means, in squared grey levels, and
        "images". The card says the code's size and the decoder's scale.
    """
    shape, size = model.input_shape[1:], models.vae.latent_size(model)
    measured = list(measured) or [np.random.default_rng(0).integers(0, 256, shape).astype("uint8")]

    def drawn(code):
        return picture(models.vae.decoded(model, code))

    def encode(image):
        mean, log_variance = models.vae.posterior(model, tf.cast(image, tf.float32))
        return {"mean": mean, "scale": tf.exp(0.5 * log_variance)}

    def traverse(image, dimension):
        chosen = tf.equal(tf.range(size), tf.reshape(dimension, (1, 1)))
        return {"images": drawn(tf.where(chosen, _TRAVERSED[:, None], encode(image)["mean"]))}

    def sample(temperature):
        return {"image": drawn(temperature[:, None] * tf.random.normal((1, size)))}

    def mean_of(image):
        return np.asarray(encode(image[None])["mean"])

    def measure(call):
        errors = []
        for image in measured:
            again = call("decode", code=call("encode", image=image[None])["mean"])["image"]
            errors.append(np.mean((again.astype("float64") - image) ** 2))
        return {"squared_error": float(np.mean(errors)), "images": len(measured)}

    def calibrate():
        for number, image in enumerate(typical):
            yield {
                "encode": {"image": image[None]},
                "decode": {"code": mean_of(image)},
                "traverse": {"image": image[None], "dimension": np.array([number % size], "int32")},
                "sample": {"temperature": np.ones(1, "float32")},
            }

    image, first = ((1, *shape), "uint8", "0 to 255"), measured[0]
    card = {"code": size, "traversed": _TRAVERSED.tolist()}
    params = models.vae.params(model, np.zeros((1, size), "float32"))
    if params.shape[-1] == 2:
        card["scale_of_the_decoder"] = float(np.mean(models.vae.density(model).scale(params)))
    return Served(
        signatures={
            "encode": signature(
                encode, image=image, outputs={"mean": "standard deviations of the prior", "scale": "likewise"}
            ),
            "decode": signature(
                lambda code: {"image": drawn(code)},
                code=((1, size), "float32", "standard deviations of the prior"),
                outputs={"image": "0 to 255"},
            ),
            "traverse": signature(
                traverse,
                image=image,
                dimension=((1,), "int32", f"which number of the code, 0 to {size - 1}"),
                outputs={"images": "0 to 255"},
            ),
            "sample": signature(
                sample,
                temperature=((1,), "float32", "1: as the prior; less: likelier ones"),
                outputs={"image": "0 to 255"},
                random=True,
            ),
        },
        trackables=(model,),
        examples={
            "encode": {"image": first[None]},
            "decode": {"code": mean_of(first)},
            "traverse": {"image": first[None], "dimension": np.zeros(1, "int32")},
            "sample": {"temperature": np.ones(1, "float32")},
        },
        calibrate=calibrate,
        measure=measure,
        differing=0.005,  # pixels that lie between two grey levels: rounding decides
        card=card,
    )
