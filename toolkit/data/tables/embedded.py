"""Tables that need no file: two whose truth is known, and one that scikit-learn brings."""

import numpy as np

# The standard deviation of the noise that is added to what is known.
NOISE = {"wave": 0.3, "friedman": 1.0}


def true_wave(x: np.ndarray) -> np.ndarray:
    """Computes f(x) = sin(3 x) + x / 2, what `wave` adds noise to.

    Args:
        x: Any shape.

    Example:

    >>> true_wave(np.zeros(2))
    array([0., 0.])
    """
    return np.sin(3.0 * x) + 0.5 * x


def wave(num_rows: int, seed: int) -> tuple[tuple[str, ...], np.ndarray]:
    """Draws a table of one column: x ~ N(0, 1) and y ~ N(f(x), 0.3²), f being `true_wave`.

    Args:
        num_rows: Rows.
        seed: Decides which.

    Returns:
        Names and float64 (rows, 2), the target last.

    Example:

    >>> names, values = wave(2000, seed=0)
    >>> names, round(float(np.std(values[:, 1] - true_wave(values[:, 0]))), 2)
    (('x', 'y'), 0.3)
    """
    random = np.random.default_rng([1, seed])
    x = random.standard_normal(num_rows)
    return ("x", "y"), np.stack([x, true_wave(x) + NOISE["wave"] * random.standard_normal(num_rows)], axis=1)


def friedman(num_rows: int, seed: int) -> tuple[tuple[str, ...], np.ndarray]:
    """Draws a table of ten columns from 0 to 1, five of which say nothing, by `sklearn.datasets.make_friedman1`.

    y ~ N(10 sin(π x1 x2) + 20 (x3 - 0.5)² + 10 x4 + 5 x5, 1).

    Args:
        num_rows: Rows.
        seed: Decides which.

    Returns:
        Names and float64 (rows, 11), the target last.

    Reference: Friedman 1991, "Multivariate adaptive regression splines".
    """
    from sklearn.datasets import make_friedman1

    inputs, target = make_friedman1(num_rows, noise=NOISE["friedman"], random_state=seed)
    return (*(f"x{number}" for number in range(1, 11)), "y"), np.column_stack([inputs, target])


def diabetes() -> tuple[tuple[str, ...], np.ndarray]:
    """Gives scikit-learn's diabetes: ten measurements of 442 patients, and how their illness went on in a year.

    Returns:
        Names and float64 (442, 11), the target, "progression", last.

    Reference: Efron et al. 2004, "Least angle regression".
    """
    from sklearn.datasets import load_diabetes

    found = load_diabetes(scaled=False)
    return (*found.feature_names, "progression"), np.column_stack([found.data, found.target]).astype("float64")
