"""Images whose factors of variation are all known: one, or several, for each combination of the factors' values."""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from toolkit.data.factors.variants import Variant


@dataclasses.dataclass(frozen=True)
class FactorImages:
    """Images of every combination of the values of some factors.

    Values are numbers from 0 on; combinations are numbered in their order, the last factor's value changing fastest.
    What is asked for is looked up, or drawn, when it is asked for: of the images themselves nothing is copied.

    Args:
        factor_names: What varies.
        factor_sizes: How many values each factor has, 2 or more.
        pixels: Gives uint8 (n, height, width, channels) for int (n,) places.
        places: int (combinations, images), where `pixels` has the images of each combination: more than one where they
            differ by something that is no factor, as by which of ten toys is seen.
        variant: What is added at random, anew for each image that is asked for; None: nothing.

    Raises:
        ValueError: Where there are fewer than 2 factors, one has fewer than 2 values, or places are not as many as
            combinations.

    Example:

    >>> data = FactorImages(
    ...     ("row", "column"),
    ...     (2, 3),
    ...     lambda places: np.eye(6, dtype="uint8")[places].reshape(-1, 2, 3, 1) * 255,
    ...     np.arange(6)[:, None],
    ... )
    >>> len(data), data.factors(np.array([0, 1, 5])).tolist()
    (6, [[0, 0], [0, 1], [1, 2]])
    >>> data.images(np.array([[1, 0]]))[0, :, :, 0].tolist()
    [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]
    """

    factor_names: tuple[str, ...]
    factor_sizes: tuple[int, ...]
    pixels: Callable[[np.ndarray], np.ndarray]
    places: np.ndarray
    variant: Variant | None = None

    def __post_init__(self) -> None:
        """Checks that each factor varies, and that each combination has its images."""
        sizes = dict(zip(self.factor_names, self.factor_sizes, strict=True))
        if len(sizes) < 2 or min(sizes.values()) < 2:
            raise ValueError(f"expected 2 factors or more, of 2 values or more each; got {sizes}.")
        if self.places.ndim != 2 or len(self.places) != math.prod(self.factor_sizes) or not self.places.shape[1]:
            raise ValueError(
                f"places: expected shape ({math.prod(self.factor_sizes)}, 1 or more); got {self.places.shape}."
            )

    def __len__(self) -> int:
        """How many combinations there are."""
        return len(self.places)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of what `images` returns."""
        height, width, channels = self.pixels(self.places[:1, 0]).shape[1:]
        return height, width, 3 if self.variant else channels

    def factors(self, numbers: np.ndarray) -> np.ndarray:
        """Gives the factors of combinations.

        Args:
            numbers: (n,), the combinations' numbers, from 0; `np.arange(len(data))` are all of them in order.

        Returns:
            int64 (n, factors).
        """
        return np.stack(np.unravel_index(numbers, self.factor_sizes), axis=1)

    def numbers(self, factors: np.ndarray) -> np.ndarray:
        """Gives the numbers of combinations.

        Args:
            factors: Integers (n, factors).

        Returns:
            int64 (n,).

        Raises:
            ValueError: Where there are other numbers of factors, or a value that a factor does not have.
        """
        factors = np.asarray(factors)
        if factors.ndim != 2 or factors.shape[1] != len(self.factor_sizes) or factors.dtype.kind not in "iu":
            raise ValueError(
                f"factors: expected integers (n, {len(self.factor_sizes)}), {', '.join(self.factor_names)}; got "
                f"{factors.dtype} {factors.shape}."
            )
        wrong = np.argwhere((factors < 0) | (factors >= self.factor_sizes))
        if len(wrong):
            row, column = wrong[0]
            raise ValueError(
                f"factors: {self.factor_names[column]} has the values 0 to {self.factor_sizes[column] - 1}; got "
                f"{factors[row, column]}."
            )
        return np.ravel_multi_index(tuple(factors.T), self.factor_sizes)

    def sample(self, num_examples: int, seed: int | np.random.Generator = 0) -> np.ndarray:
        """Draws factors, uniformly and independently.

        Args:
            num_examples: How many.
            seed: Of what is drawn, or the generator to draw from.

        Returns:
            int64 (num_examples, factors).
        """
        return np.random.default_rng(seed).integers(self.factor_sizes, size=(num_examples, len(self.factor_sizes)))

    def images(self, factors: np.ndarray, seed: int | np.random.Generator = 0) -> np.ndarray:
        """Gives an image for each row of factors.

        Args:
            factors: Integers (n, factors), any values of each.
            seed: Of what no factor says, such as a variant's noise: the same again for the same rows. Who asks several
                times and wants it anew each time gives a generator.

        Returns:
            float32 (n, height, width, channels), 0 to 1.

        Raises:
            ValueError: As `numbers`.
        """
        numbers, random = self.numbers(factors), np.random.default_rng(seed)
        found = self.pixels(self.places[numbers, random.integers(self.places.shape[1], size=len(numbers))])
        if self.variant is None:
            return found.astype("float32") / np.float32(255)
        return self.variant(found, random.integers(1 << 63, size=len(numbers))).numpy()

    def subset(self, values: Mapping[str, Sequence[int]]) -> "FactorImages":
        """Takes the images in which some factors have some of their values only.

        Args:
            values: By factor, the values that stay, each once: they become 0, 1, 2 and so on in this order. A factor of
                which one value stays is none any more.

        Returns:
            The images that are left; pixels are shared.

        Raises:
            ValueError: Where there is no such factor or value, or fewer than 2 factors are left.

        Example:

        >>> from toolkit.data.factors.sprites import sprites
        >>> ellipses = sprites().subset({"shape": [1], "x": range(0, 12, 2)})
        >>> ellipses.factor_names, ellipses.factor_sizes
        (('scale', 'orientation', 'x', 'y'), (4, 8, 6, 12))
        """
        sizes = dict(zip(self.factor_names, self.factor_sizes, strict=True))
        for name, chosen in values.items():
            if name not in sizes:
                raise ValueError(f"subset: no factor {name}; there are {', '.join(sizes)}.")
            if len({*chosen}) < len(chosen) or not {*chosen} <= {*range(sizes[name])} or not len(chosen):
                raise ValueError(
                    f"subset: expected values of {name} of 0 to {sizes[name] - 1}, each once; got {chosen}."
                )
        kept = {name: np.array(values.get(name, range(size))) for name, size in sizes.items()}
        places = self.places.reshape(*self.factor_sizes, -1)[np.ix_(*kept.values())]
        varied = {name: len(chosen) for name, chosen in kept.items() if len(chosen) > 1}
        places = places.reshape(-1, self.places.shape[1])
        return FactorImages(tuple(varied), tuple(varied.values()), self.pixels, places, self.variant)


def tabulated(
    values: np.ndarray, factor_names: Sequence[str], pixels: Callable[[np.ndarray], np.ndarray], where: str
) -> FactorImages:
    """Arranges images of which a table says each factor's value.

    Args:
        values: Numbers (images, factors), in any order; a factor's values are numbered in ascending order. Columns
            after the last name are no factors, but there is an image for each of their values too.
        factor_names: The columns' names; those of one value are left out.
        pixels: As in `FactorImages`; a row of the table is a place.
        where: What the table is of, for messages.

    Returns:
        The images.

    Raises:
        ValueError: Where not each combination of values has exactly one image.

    Example:

    >>> table = np.array([[5.0, 1, 0], [5.0, 0, 0], [5.0, 0, 1], [5.0, 1, 1]])
    >>> found = tabulated(table, ("color", "x", "y"), lambda places: places, "a table")
    >>> found.factor_names, found.factor_sizes, found.places[:, 0].tolist()
    (('x', 'y'), (2, 2), [1, 2, 0, 3])
    """
    columns = [np.unique(column, return_inverse=True) for column in values.T]
    sizes = [len(found) for found, _ in columns]
    shown = " x ".join(map(str, sizes))
    if math.prod(sizes) != len(values):
        raise ValueError(
            f"{where}: {len(values)} images, and their factors have {shown} values; expected {math.prod(sizes)}, one "
            "for each combination."
        )
    numbers = np.ravel_multi_index([inverse.reshape(-1) for _, inverse in columns], sizes)
    places = np.full(len(values), -1, np.int32)
    places[numbers] = np.arange(len(values))
    if places.min() < 0:
        lacking = np.unravel_index(np.argmin(places), sizes)
        named = [found[index].item() for (found, _), index in zip(columns, lacking, strict=True)]
        raise ValueError(f"{where}: of {shown} combinations {named} has no image, and another has two.")
    num_factors = len(factor_names)
    varied = {name: size for name, size in zip(factor_names, sizes[:num_factors], strict=True) if size > 1}
    if len(varied) < 2:
        raise ValueError(f"{where}: expected 2 factors or more that vary; it has {shown} values.")
    places = places.reshape(-1, math.prod(sizes[num_factors:]))
    return FactorImages(tuple(varied), tuple(varied.values()), pixels, places)
