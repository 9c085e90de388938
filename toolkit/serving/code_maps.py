"""A prior over codes of images, and the VQ-VAE that draws them, for programs: whole images at one call."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from toolkit import models
from toolkit.export import signature
from toolkit.lazy import tensorflow as tf
from toolkit.serving.image_codes import picture
from toolkit.serving.served import Served


def code_maps(
    prior: Any,
    autoencoder: Any,
    *,
    label_names: Sequence[str] = (),
    measured: Sequence[tuple[np.ndarray, int]] = (),
    seed: int = 0,
) -> Served:
    """Makes the signatures of a prior and its decoder: "sample", "sample_from_noise", "decode" and "score".

    `sample` draws an image with fresh noise at each call; `sample_from_noise` the same from noise that is given;
    `decode` draws given codes; `score` says how likely an image's codes are. A prior that knows classes takes "label".

    Args:
        prior: What `models.pixelcnn.pixelcnn` returned, trained.
        autoencoder: What `models.vqvae.vqvae` returned, whose codes these are.
        label_names: What the labels mean, for the card.
        measured: Codes (height, width) and labels, by whose bits each file is measured.
        seed: Seed of the noise on which Keras, SavedModel and TFLite are compared.

    Returns:
        What an export is made of; its measure gives "bits_per_code" and "images".
    """
    from toolkit.generation.code_maps import CodeMapGenerator

    generator, shapes = CodeMapGenerator(prior), {each.name: tuple(each.shape) for each in prior.inputs}
    size, code_shape, num_codes = shapes["codes"][1:], models.vqvae.code_shape(autoencoder), prior.output_shape[-1]
    label = {"label": ((1,), "int32", "a class's number")} if "label" in shapes else {}
    temperature = {"temperature": ((1,), "float32", "1: as the model expects")}
    codes = {"codes": ((1, *size), "int32", f"0 to {num_codes - 1}")}

    def drawn(codes):
        return picture(models.vqvae.decoded(autoencoder, tf.reshape(codes, (1, *code_shape))))

    def sample(temperature, noise=None, **label):
        codes = generator.generate(temperature=temperature, noise=noise, batch_size=1, **label)
        return {"image": drawn(codes), "codes": codes}

    def inputs(codes, label):
        return {"codes": np.asarray(codes, "int32").reshape(1, *size)} | (
            {"label": np.array([label], "int32")} if "label" in shapes else {}
        )

    def measure(call):
        nats = [float(call("score", **inputs(*each))["nats"][0]) for each in measured]
        return {"bits_per_code": float(np.mean(nats) / np.log(2) / np.prod(size)), "images": len(nats)}

    told = {"image": "0 to 255", "codes": f"0 to {num_codes - 1}"}
    random = np.random.default_rng(seed)
    first = inputs(*(measured[0] if len(measured) else (random.integers(0, num_codes, size), 0)))
    given = {"temperature": np.ones(1, "float32")} | {name: first[name] for name in label}
    noise = np.minimum(random.uniform(size=(1, *size)), 1 - 2**-24).astype("float32")
    return Served(
        signatures={
            "sample": signature(sample, **temperature, **label, outputs=told, random=True),
            "sample_from_noise": signature(
                sample, noise=((1, *size), "float32", "0 to 1"), **temperature, **label, outputs=told
            ),
            "decode": signature(lambda codes: {"image": drawn(codes)}, **codes, outputs={"image": "0 to 255"}),
            "score": signature(
                generator.score,
                **codes,
                **label,
                outputs={"nats": "-log p of the codes"},
            ),
        },
        trackables=(prior, autoencoder),
        examples={
            "sample": given,
            "sample_from_noise": {**given, "noise": noise},
            "decode": {"codes": first["codes"]},
            "score": first,
        },
        calibrate=lambda: ({"score": inputs(*each), "decode": {"codes": inputs(*each)["codes"]}} for each in measured),
        measure=measure if len(measured) else None,
        differing=0.005,  # pixels that lie between two grey levels: rounding decides
        card={"labels": list(label_names), "codes": {"shape": list(size), "number": num_codes}},
    )
