"""A VQ-VAE of images for programs: an image to its codes, of one level or several, and codes to an image."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from toolkit import models
from toolkit.export import signature
from toolkit.lazy import tensorflow as tf
from toolkit.serving.served import Served


def image_codes(model: Any, *, measured: Iterable[np.ndarray] = (), typical: Iterable[np.ndarray] = ()) -> Served:
    """Makes the signatures of a VQ-VAE: "encode", from "image" to "codes", and "decode" back.

    Of several levels the codes of each have a name, "codes_top" and so on, in both signatures.

    Args:
        model: What `models.vqvae.vqvae` or `models.vqvae2.vqvae2` returned, trained.
        measured: Images uint8 (height, width, channels); on the first Keras, SavedModel and TFLite are compared, and
            each file is measured by all of them. None: nothing is measured, and noise is compared.
        typical: Images on which int8's ranges are measured, read only then.

    Returns:
        What an export is made of; its measure gives "squared_error", in squared grey levels, "codes_as_keras_percent",
        and "images". The card says what codes there are.
    """
    shape, code_shapes = model.input_shape[1:], models.vqvae2.code_shapes(model)
    measured = list(measured) or [np.random.default_rng(0).integers(0, 256, shape).astype("uint8")]
    names, inputs = level_names(model, "codes"), code_inputs(model, code_shapes)

    def encode(image):
        return dict(zip(names, models.vqvae2.codes(model, tf.cast(image, tf.float32)), strict=True))

    def decode(**codes):
        return {"image": picture(models.vqvae2.decoded(model, [codes[name] for name in names]))}

    def codes_of(image):
        return {name: np.asarray(codes) for name, codes in encode(image[None]).items()}

    def measure(call):
        errors, same = [], []
        for image in measured:
            codes = call("encode", image=image[None])
            again = call("decode", **codes)["image"]
            errors.append(np.mean((again.astype("float64") - image) ** 2))
            same += [np.ravel(codes[name] == expected) for name, expected in codes_of(image).items()]
        found = {"squared_error": float(np.mean(errors)), "codes_as_keras_percent": 100 * np.concatenate(same).mean()}
        return {**found, "images": len(measured)}

    def calibrate():
        for image in typical:
            yield {"encode": {"image": image[None]}, "decode": codes_of(image)}

    first = measured[0]
    return Served(
        signatures={
            "encode": signature(
                encode,
                image=((1, *shape), "uint8", "0 to 255"),
                outputs={name: unit for name, (_, _, unit) in inputs.items()},
            ),
            "decode": signature(decode, **inputs, outputs={"image": "0 to 255"}),
        },
        trackables=(model,),
        examples={"encode": {"image": first[None]}, "decode": codes_of(first)},
        calibrate=calibrate,
        measure=measure,
        differing=0.005,  # pixels that lie between two grey levels: rounding decides
        card=code_card(model, code_shapes),
    )


def level_names(model: Any, what: str) -> list[str]:
    """Names something of each level.

    Args:
        model: As in `image_codes`.
        what: Its name where there is one level only, such as "codes".

    Returns:
        That, or of several levels, from the top, "codes_top" and so on.
    """
    return [layer.name.replace("codebook", what) for layer in models.vqvae2.codebooks(model)]


def code_inputs(model: Any, shapes: Sequence[Sequence[int]]) -> dict[str, tuple]:
    """Describes the codes of an image as the inputs of a signature.

    Args:
        model: As in `image_codes`.
        shapes: Of each level's codes.

    Returns:
        What `export.signature` takes, by the names of `level_names`.
    """
    layers = models.vqvae2.codebooks(model)
    return {
        name: ((1, *shape), "int32", f"0 to {layer.num_embeddings - 1}")
        for name, layer, shape in zip(level_names(model, "codes"), layers, shapes, strict=True)
    }


def code_card(model: Any, shapes: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Says in a card what codes there are.

    Args:
        model: As in `image_codes`.
        shapes: Of each level's codes.

    Returns:
        For each of the names of `level_names` the codes' shape and number.
    """
    layers = models.vqvae2.codebooks(model)
    return {
        name: {"shape": list(shape), "number": layer.num_embeddings}
        for name, layer, shape in zip(level_names(model, "codes"), layers, shapes, strict=True)
    }


def picture(pixels: Any) -> Any:
    """Rounds to whole grey levels; a graph.

    Args:
        pixels: Floats, any shape, 0 to 255.

    Returns:
        uint8 of the same shape.
    """
    return tf.cast(tf.clip_by_value(tf.math.floor(pixels + 0.5), 0.0, 255.0), tf.uint8)
