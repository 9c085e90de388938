"""Priors over the codes of images, and the VQ-VAE that draws them, for programs: whole images at one call."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from toolkit import models
from toolkit.export import signature
from toolkit.serving.image_codes import code_card, code_inputs, level_names, picture
from toolkit.serving.served import Served


def code_maps(
    priors: Sequence[Any],
    autoencoder: Any,
    *,
    label_names: Sequence[str] = (),
    measured: Sequence[tuple[np.ndarray, int]] = (),
    seed: int = 0,
) -> Served:
    """Makes the signatures of priors and their decoder: "sample", "sample_from_noise", "decode" and "score".

    `sample` draws an image with fresh noise at each call; `sample_from_noise` the same from noise that is given;
    `decode` draws given codes; `score` says how likely an image's codes are. Priors that know classes take "label". Of
    several levels the codes of each have a name, "codes_top" and so on, and their noise "noise_top".

    Args:
        priors: What `models.pixelcnn.pixelcnn` or `models.pixelsnail.pixelsnail` returned, trained, for each level from
            the top, as `generation.code_levels` takes them.
        autoencoder: What `models.vqvae.vqvae` or `models.vqvae2.vqvae2` returned, whose codes these are.
        label_names: What the labels mean, for the card.
        measured: Codes and labels, by whose bits each file is measured: (height, width[, num_codebooks]), or of several
            levels (places,), as `models.code_levels.joined` lays them.
        seed: Seed of the noise on which Keras, SavedModel and TFLite are compared.

    Returns:
        What an export is made of; its measure gives "bits_per_code" and "images".

    Raises:
        ValueError: Where the priors are not of the autoencoder's levels.
    """
    from toolkit.generation.code_levels import CodeLevelsGenerator
    from toolkit.generation.drawing import below_one

    generator, own_shapes = CodeLevelsGenerator(priors), models.vqvae2.code_shapes(autoencoder)
    shapes = models.code_levels.map_shapes(own_shapes)
    if tuple(generator.shapes) != shapes:
        raise ValueError(f"priors: expected them to write codes of {shapes}; they write {tuple(generator.shapes)}.")
    codes, noises = code_inputs(autoencoder, shapes), level_names(autoencoder, "noise")
    label = {"label": ((1,), "int32", "a class's number")} if generator.reads_label else {}
    temperature = {"temperature": ((1,), "float32", "1: as the model expects")}
    told = {name: unit for name, (_, _, unit) in codes.items()}

    def row(given, names):
        return models.code_levels.joined([given[name] for name in names])

    def by_level(names, row):
        return dict(zip(names, models.code_levels.parted(row, shapes), strict=True))

    def drawn(row):
        return picture(models.vqvae2.decoded(autoencoder, models.code_levels.parted(row, own_shapes)))

    def sample(temperature, label=None, **noise):
        given = {"noise": row(noise, noises)} if noise else {"batch_size": 1}
        found = generator.generate(label, temperature, **given)
        return {"image": drawn(found), **by_level(codes, found)}

    def score(label=None, **given):
        return generator.score(row(given, codes), label)

    def inputs(given, number):
        found = {name: np.asarray(each) for name, each in by_level(codes, np.asarray(given, "int32")[None]).items()}
        return found | ({"label": np.array([number], "int32")} if label else {})

    def only_codes(given):
        return {name: given[name] for name in codes}

    num_places = sum(height * width for height, width in shapes)

    def measure(call):
        nats = [float(call("score", **inputs(*each))["nats"][0]) for each in measured]
        return {"bits_per_code": float(np.mean(nats) / np.log(2) / num_places), "images": len(nats)}

    random, num_codes = np.random.default_rng(seed), min(prior.output_shape[-1] for prior in priors)
    first = inputs(*(measured[0] if len(measured) else (random.integers(0, num_codes, num_places), 0)))
    given = {"temperature": np.ones(1, "float32")} | {name: first[name] for name in label}
    noise = below_one(random.uniform(size=(1, num_places)))
    noise = {name: np.asarray(each) for name, each in by_level(noises, noise).items()}
    return Served(
        signatures={
            "sample": signature(sample, **temperature, **label, outputs={"image": "0 to 255", **told}, random=True),
            "sample_from_noise": signature(
                sample,
                **{name: (each.shape, "float32", "0 to 1") for name, each in noise.items()},
                **temperature,
                **label,
                outputs={"image": "0 to 255", **told},
            ),
            "decode": signature(
                lambda **given: {"image": drawn(row(given, codes))}, **codes, outputs={"image": "0 to 255"}
            ),
            "score": signature(score, **codes, **label, outputs={"nats": "-log p of the codes"}),
        },
        trackables=(*priors, autoencoder),
        examples={
            "sample": given,
            "sample_from_noise": {**given, **noise},
            "decode": only_codes(first),
            "score": first,
        },
        calibrate=lambda: (
            {"score": found, "decode": only_codes(found)} for found in (inputs(*each) for each in measured)
        ),
        measure=measure if len(measured) else None,
        differing=0.005,  # pixels that lie between two grey levels: rounding decides
        card={"labels": list(label_names), **code_card(autoencoder, shapes)},
    )
