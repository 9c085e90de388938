"""The classifiers that a round of active learning has trained, and what they say of a pool of images."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from toolkit.methods.dropout_passes import dropout_passes
from toolkit.models import vae as vae_models

_TOGETHER = 2048  # images that are read at once where features of the whole pool are wanted


class Committee:
    """One classifier or several, asked about examples of a pool by number; nothing is computed before it is asked for.

    The images that a method is asked about are read together, but for `features`, which are asked of a whole pool.

    Args:
        members: Models from images to logits (batch, classes). The first one is the classifier; the others are there
            for what needs several.
        images: The pool's, an array (examples, height, width, channels), 0 to 255, or a function from the numbers of
            some examples to such an array.
        num_passes: Of Monte Carlo dropout.
        batch_size: Images that are computed together.
        seed: Of the dropout.
        logits: The name of the classifier's layer whose input are the features.
        vaal: (autoencoder, discriminator), as `methods.vaal.VAAL` has trained them; None: no `membership`.

    Raises:
        ValueError: Where there is no member.

    Example:

    >>> inputs = keras.Input((2, 2, 1))
    >>> outputs = keras.layers.Dense(3, name="logits")(keras.layers.Flatten()(inputs))
    >>> committee = Committee([keras.Model(inputs, outputs)], np.zeros((9, 2, 2, 1), "uint8"))
    >>> committee.probabilities([0, 5]).shape, committee.features([0, 5, 7]).shape
    ((2, 3), (3, 4))
    """

    def __init__(
        self,
        members: Sequence[keras.Model],
        images: np.ndarray | Callable[[np.ndarray], np.ndarray],
        *,
        num_passes: int = 25,
        batch_size: int = 256,
        seed: int = 0,
        logits: str = "logits",
        vaal: tuple[keras.Model, keras.Model] | None = None,
    ) -> None:
        if not members:
            raise ValueError("members: expected one classifier at least.")
        self.members, self._batch_size, self._logits, self._vaal = list(members), batch_size, logits, vaal
        self._read = images if callable(images) else lambda rows: images[rows]
        self._dropout = {"num_passes": num_passes, "batch_size": batch_size, "seed": seed}

    def probabilities(self, rows: Any) -> np.ndarray:
        """Computes the classifier's softmax, (rows, classes).

        Args:
            rows: Numbers of the pool's examples, (rows,).
        """
        return _softmax(self._predict(self.members[0], rows))

    def member_probabilities(self, rows: Any) -> np.ndarray:
        """Computes each member's softmax, (members, rows, classes).

        Args:
            rows: Numbers of the pool's examples, (rows,).
        """
        images = self._images(rows)
        return np.stack([_softmax(self._run(member, images)) for member in self.members])

    def dropout_probabilities(self, rows: Any) -> np.ndarray:
        """Computes the classifier's softmax with dropout left on, (passes, rows, classes), new masks at each call.

        Args:
            rows: Numbers of the pool's examples, (rows,).

        Raises:
            ValueError: Where the classifier has no dropout.
        """
        return _softmax(self._passes(self._images(rows)))

    def features(self, rows: Any) -> np.ndarray:
        """Computes what the classifier's last layer sees, float32 (rows, features).

        Args:
            rows: Numbers of the pool's examples, (rows,).
        """
        parts = [rows[start : start + _TOGETHER] for start in range(0, len(rows), _TOGETHER)]
        found = np.concatenate([self._predict(self._penultimate, part) for part in parts])
        return found.reshape(len(found), -1).astype("float32")

    def membership(self, rows: Any) -> np.ndarray:
        """Computes how probable it is that an image is labelled, as the discriminator of `VAAL` sees it, (rows,).

        Args:
            rows: Numbers of the pool's examples, (rows,).

        Raises:
            ValueError: Where no such discriminator was given.
        """
        if self._vaal is None:
            raise ValueError("membership: expected vaal=(autoencoder, discriminator), as VAAL trains them; got None.")
        images, (autoencoder, discriminator) = self._images(rows), self._vaal
        starts = range(0, len(images), self._batch_size)
        parts = (images[start : start + self._batch_size] for start in starts)
        logits = [discriminator(keras.ops.cast(_mean(autoencoder, part), "float32")) for part in parts]
        return np.concatenate([np.asarray(keras.ops.sigmoid(part)) for part in logits])

    @functools.cached_property
    def _passes(self):
        return dropout_passes(self.members[0], **self._dropout)

    @functools.cached_property
    def _penultimate(self):
        classifier = self.members[0]
        return keras.Model(classifier.inputs[0], classifier.get_layer(self._logits).input)

    def _images(self, rows):
        return np.asarray(self._read(np.asarray(rows, np.int64)), "float32")

    def _predict(self, model, rows):
        return self._run(model, self._images(rows))

    def _run(self, model, images):
        return model.predict(images, batch_size=self._batch_size, verbose=0)


def _mean(autoencoder, images):
    return vae_models.posterior(autoencoder, images)[0]


def _softmax(logits):
    logits = np.asarray(logits, "float64")
    found = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return found / found.sum(axis=-1, keepdims=True)
