"""Codes of examples whose factors of variation are known: given as arrays, or asked for any factors."""

from collections.abc import Callable, Sequence

import numpy as np

_ROWS = 1024  # examples that are asked for at once: of images all would fill the memory


def codes_with_factors(codes: np.ndarray, factors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Checks codes and the factors that they go with.

    A factor that has one value says nothing of a code, and its entropy divides: leave it out.

    Args:
        codes: (examples, codes), finite numbers: of a VAE the means.
        factors: (examples, factors), integers, 2 values or more of each.

    Returns:
        Both, float64 and int64.

    Raises:
        ValueError: Where a shape or type is another, a code is not finite, or a factor has one value only.

    Example:

    >>> codes_with_factors([[0.5], [1.5]], [[0], [1]])[0].tolist()
    [[0.5], [1.5]]
    """
    codes, factors = np.asarray(codes), np.asarray(factors)
    if codes.ndim != 2 or factors.ndim != 2 or len(codes) != len(factors) or not codes.size or not factors.size:
        raise ValueError(
            "expected codes (examples, codes) and factors (examples, factors), as many examples in both; got "
            f"{codes.shape} and {factors.shape}."
        )
    if factors.dtype.kind not in "iu":
        raise ValueError(f"factors: expected integers; got {factors.dtype}.")
    constant = np.flatnonzero((factors == factors[0]).all(axis=0))
    if len(constant):
        raise ValueError(
            f"factors: expected 2 values or more of each; factor {constant[0]} is always "
            f"{factors[0, constant[0]]}. Leave out what does not vary."
        )
    return _finite(codes), factors.astype("int64")


def training_and_test(
    codes: np.ndarray, factors: np.ndarray, test_codes: np.ndarray, test_factors: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Checks codes and factors that a predictor learns from, and others that it is tried on.

    Args:
        codes: As in `codes_with_factors`.
        factors: As there.
        test_codes: (examples, codes), of other examples, as many codes.
        test_factors: Their factors, as many.

    Returns:
        All four, float64 and int64.

    Raises:
        ValueError: As `codes_with_factors`, or where there are other numbers of codes or factors in the test.

    Example:

    >>> [each.shape for each in training_and_test([[0.0], [1.0]], [[0], [1]], [[0.5], [1.5]], [[1], [0]])]
    [(2, 1), (2, 1), (2, 1), (2, 1)]
    """
    codes, factors = codes_with_factors(codes, factors)
    test_codes, test_factors = codes_with_factors(test_codes, test_factors)
    widths = (codes.shape[1], factors.shape[1]), (test_codes.shape[1], test_factors.shape[1])
    if widths[0] != widths[1]:
        raise ValueError(
            "expected as many codes and factors in the test as in the training; got {1} and {0}.".format(*widths)
        )
    return codes, factors, test_codes, test_factors


class FactorCodes:
    """Draws factors, uniformly and independently, and asks for the codes of any.

    Args:
        represent: From factors, int64 (n, factors), to their codes (n, codes), as many for every n: it renders an
            example for each row, or looks one up, and encodes it. It is called with at most 1,024 rows.
        factor_sizes: How many values each factor has, 2 or more; factors are numbers from 0.
        seed: Of what is drawn.

    Raises:
        ValueError: Where there are fewer than 2 factors, or one has fewer than 2 values.

    Example:

    >>> source = FactorCodes(lambda factors: factors / 2.0, (3, 4))
    >>> source.sample(10, 64).shape
    (10, 64, 2)
    >>> source.codes(np.array([[2, 1], [0, 3]])).tolist()
    [[1.0, 0.5], [0.0, 1.5]]
    """

    def __init__(
        self, represent: Callable[[np.ndarray], np.ndarray], factor_sizes: Sequence[int], seed: int = 0
    ) -> None:
        self.represent, self.factor_sizes = represent, np.asarray(factor_sizes)
        if self.factor_sizes.ndim != 1 or self.factor_sizes.dtype.kind not in "iu" or len(self.factor_sizes) < 2:
            raise ValueError(f"factor_sizes: expected integers, of 2 factors or more; got {factor_sizes}.")
        if self.factor_sizes.min() < 2:
            raise ValueError(
                f"factor_sizes: expected 2 values or more of each; got {self.factor_sizes.tolist()}. "
                "Leave out what does not vary."
            )
        self.random = np.random.default_rng(seed)

    def sample(self, *shape: int) -> np.ndarray:
        """Draws factors.

        Args:
            *shape: How many.

        Returns:
            int64 (*shape, factors).
        """
        return self.random.integers(self.factor_sizes, size=(*shape, len(self.factor_sizes)))

    def which(self, num_groups: int) -> np.ndarray:
        """Draws the factor that each group of examples will share.

        Args:
            num_groups: How many groups.

        Returns:
            int64 (num_groups,), the number of a factor.
        """
        return self.random.integers(len(self.factor_sizes), size=num_groups)

    def codes(self, factors: np.ndarray) -> np.ndarray:
        """Asks for codes, some rows at a time.

        Args:
            factors: Integers (..., factors).

        Returns:
            float64 (..., codes).

        Raises:
            ValueError: Where what is returned has another shape, or is not finite.
        """
        rows = factors.reshape(-1, factors.shape[-1])
        found = []
        for start in range(0, len(rows), _ROWS):
            piece = rows[start : start + _ROWS]
            codes = np.asarray(self.represent(piece))
            width = found[0].shape[1] if found else "codes"
            if codes.ndim != 2 or len(codes) != len(piece) or not codes.size or (found and codes.shape[1] != width):
                raise ValueError(f"represent: expected codes of shape ({len(piece)}, {width}); got {codes.shape}.")
            found.append(_finite(codes))
        return np.concatenate(found).reshape(*factors.shape[:-1], -1)


def _finite(codes):
    if codes.dtype.kind not in "fiu":
        raise ValueError(f"codes: expected numbers; got {codes.dtype}.")
    if not np.isfinite(codes).all():
        raise ValueError("codes: expected finite numbers; got NaN or infinity.")
    return codes.astype("float64")
