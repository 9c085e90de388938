"""All images of a data set as codes on disk, for priors over them."""

import os
from typing import Any

import numpy as np

from toolkit import data, methods, models


def write(folder: str | os.PathLike, model: Any, images: Any, *, source: str) -> np.ndarray:
    """Encodes all images once, and keeps their codes as `data.codes.load` reads them.

    Args:
        folder: Where; what is there is replaced.
        model: What `models.vqvae.vqvae` or `models.vqvae2.vqvae2` returned, trained.
        images: The `data.images.Images` that it was trained on.
        source: What --data was, for whoever reads the codes.

    Returns:
        The training images' codes, integers (images, height, width[, num_codebooks]), or of several levels (images,
        places), as `models.code_levels.joined` lays them.

    Raises:
        OSError: Where the folder cannot be written.

    Reference: van den Oord et al. 2017, arXiv 1711.00937, section 3.3; Razavi et al. 2019, arXiv 1906.00446,
    algorithm 1.
    """
    layers, shapes = models.vqvae2.codebooks(model), models.vqvae2.code_shapes(model)
    parts, facts = {}, {"autoencoder": "image", "classes": list(images.class_names), "data": source}
    for split in data.codes.SPLITS:
        batches = methods.image_codes.encoded(model, getattr(images.splits, split).dataset(num_epochs=1))
        codes, labels, nats, _ = (np.concatenate(each) for each in zip(*batches, strict=True))
        parts[split], facts[f"{split}_reconstruction_nats"] = [(codes, labels, None)], float(nats.mean())
    ((train, *_),) = parts["train"]
    data.codes.write(
        folder,
        parts,
        shape=train.shape[1:],
        levels=shapes if len(shapes) > 1 else (),
        num_codes=max(layer.num_embeddings for layer in layers),
        codebook=data.codes.digest(np.asarray(models.vqvae2.embeddings(model))),
        label_names=images.class_names,
        facts=facts,
    )
    return train
