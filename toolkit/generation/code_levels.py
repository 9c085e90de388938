"""Codes on several levels, each drawn given those above it; the same graph in Keras, SavedModel and TFLite."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from toolkit.generation.code_maps import CodeMapGenerator
from toolkit.models import code_levels

_TOGETHER = 200  # images


class CodeLevelsGenerator:
    """Draws the top's codes, and then those of each level below given all above.

    The codes of an image, and the noise that draws them, are one row: `models.code_levels.joined`.

    Args:
        priors: A network for each level, from the top, of `models.pixelcnn.pixelcnn` or `models.pixelsnail.pixelsnail`;
            all but the first read the levels above as `models.code_levels.context` makes them. Of one level, one.

    Raises:
        ValueError: Where a network reads other levels than are above it, or not all read the class or none does.

    Example:

    >>> from toolkit import models
    >>> sizes = {"filters": 8, "num_blocks": 2, "head_filters": 8, "num_classes": 3}
    >>> top = models.pixelcnn.pixelcnn(2, 2, 16, **sizes)
    >>> bottom = models.pixelcnn.pixelcnn(4, 4, 16, num_maps=1, context_size=(2, 2), **sizes)
    >>> CodeLevelsGenerator([top, bottom]).generate(label=[0, 2]).shape
    TensorShape([2, 20])

    Reference: Razavi et al. 2019, arXiv 1906.00446, section 3.2 and algorithm 2.
    """

    def __init__(self, priors: Sequence[keras.Model]) -> None:
        self.levels = [CodeMapGenerator(prior) for prior in priors]
        self.shapes = [(level.height, level.width) for level in self.levels]
        self.reads_label = "label" in self.levels[0].reads
        for number, (prior, level) in enumerate(zip(priors, self.levels, strict=True)):
            shapes = {each.name: tuple(each.shape[1:]) for each in prior.inputs}
            above = (number, *self.shapes[number - 1]) if number else None
            if shapes.get("context") != above or ("label" in level.reads) != self.reads_label:
                told = f"{'a label and ' if self.reads_label else ''}context {above}"
                raise ValueError(f"prior {number + 1} of {len(priors)}: expected one that reads {told}; got {shapes}.")

    def generate(
        self,
        label: ArrayLike | None = None,
        temperature: ArrayLike = 1.0,
        *,
        noise: ArrayLike | None = None,
        batch_size: int | tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Draws the codes of images.

        Args:
            label: (batch,), integers, for networks that read them.
            temperature: A number or (batch,): 1 to draw as the models expect, less for less noise.
            noise: (batch, places), uniform in [0, 1), for a result that can be repeated.
            batch_size: Images to draw, where nothing else says how many; 1 without it.

        Returns:
            (batch, places), int32.

        Raises:
            ValueError: Where the networks read what is not given, or the reverse.
        """
        noises = [None] * len(self.levels) if noise is None else code_levels.parted(noise, self.shapes)
        maps = []
        for level, own in zip(self.levels, noises, strict=True):
            context = code_levels.context(maps) if maps else None
            maps.append(level.generate(label, context, temperature, noise=own, batch_size=batch_size))
        return code_levels.joined(maps)

    def score(self, codes: ArrayLike, label: ArrayLike | None = None) -> dict[str, tf.Tensor]:
        """What real codes take, by the same steps that draw.

        Args:
            codes: (batch, places), integers.
            label: As in `generate`.

        Returns:
            {"nats": (batch,)}, -log p of the codes of all levels of each image.
        """
        maps, nats = code_levels.parted(codes, self.shapes), []
        for number, level in enumerate(self.levels):
            context = code_levels.context(maps[:number]) if number else None
            nats.append(level.score(maps[number], label, context)["nats"])
        return {"nats": tf.add_n(nats)}

    def write(
        self, num: int, *, label: int | ArrayLike | None = None, temperature: float = 1.0, seed: int = 0
    ) -> np.ndarray:
        """Draws the codes of many images, some at a time; the same seed draws the same.

        Args:
            num: Images to draw.
            label: For all, or for each; not looked at where the networks read none.
            temperature: As in `generate`.
            seed: Seed of the noise.

        Returns:
            int32 (num, places).

        Raises:
            ValueError: Where a number is out of range, or the networks read what is not given.
        """
        if num < 1:
            raise ValueError(f"num must be at least 1; got {num}.")
        noise = np.random.default_rng(seed).uniform(size=(num, sum(height * width for height, width in self.shapes)))
        labels = np.broadcast_to(label, (num,)) if self.reads_label and label is not None else None
        return np.concatenate(
            [self._write(rows, noise, labels, temperature) for rows in np.array_split(range(num), -(-num // _TOGETHER))]
        )

    def _write(self, rows, noise, labels, temperature):
        maps = []
        noises = np.split(noise[rows], np.cumsum([height * width for height, width in self.shapes])[:-1], axis=1)
        for level, own, shape in zip(self.levels, noises, self.shapes, strict=True):
            given = {} if labels is None else {"label": labels[rows]}
            given |= {"context": np.asarray(code_levels.context(maps))} if maps else {}
            maps.append(level.write(len(rows), temperature=temperature, noise=own.reshape(-1, *shape), **given))
        return np.concatenate([each.reshape(len(rows), -1) for each in maps], axis=1)
