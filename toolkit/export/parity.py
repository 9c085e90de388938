"""Whether an exported model computes what the model computes."""

from collections.abc import Mapping

import numpy as np

from toolkit.export.signatures import Tensor


class ParityError(RuntimeError):
    """An exported model differs from the model it came from."""


def check_outputs(found: Mapping[str, np.ndarray], tensors: Mapping[str, Tensor], where: str) -> None:
    """Checks the names, shapes and dtypes of a signature's outputs.

    Args:
        found: Output name to array.
        tensors: Output name to what it should be.
        where: What was run, for the error's text.

    Raises:
        ParityError: Where one differs.

    Example:

    >>> check_outputs({"y": np.zeros(2, "float32")}, {"y": Tensor((2,), "float32")}, "'double' in TFLite")
    """
    if set(found) != set(tensors):
        raise ParityError(f"{where}: the outputs are {sorted(found)}, expected {sorted(tensors)}.")
    for name, tensor in tensors.items():
        shape, dtype = found[name].shape, found[name].dtype
        if shape != tensor.shape or dtype != tensor.dtype:
            expected = f"shape {tensor.shape} and dtype {tensor.dtype}"
            raise ParityError(f"{where}: output {name!r} has shape {shape} and dtype {dtype}, expected {expected}.")


def check_finite(found: Mapping[str, np.ndarray], where: str) -> None:
    """Checks that outputs hold no NaN and no infinity.

    Args:
        found: Output name to array.
        where: What was run, for the error's text.

    Raises:
        ParityError: Where one does.

    Example:

    >>> check_finite({"y": np.zeros(2)}, "'double' in TFLite")
    """
    for name, array in found.items():
        if not np.all(np.isfinite(array)):
            raise ParityError(f"{where}: output {name!r} holds {array[~np.isfinite(array)][0]}.")


def largest_differences(found: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Measures how far outputs are from what they should be.

    Args:
        found: Output name to array.
        expected: Output name to array of the same shape.

    Returns:
        Output name to the largest absolute difference; infinite where either of the two is NaN, or they are
        not the same infinity.

    Example:

    >>> largest_differences({"y": np.array([1.0, 2.5])}, {"y": np.array([1.0, 2.0])})
    {'y': 0.5}
    """
    return {name: float(np.max(_differences(found[name], expected[name]), initial=0)) for name in expected}


def check_equal(
    found: Mapping[str, np.ndarray],
    expected: Mapping[str, np.ndarray],
    tolerance: float,
    where: str,
    *,
    differing: float = 0.0,
) -> dict[str, float]:
    """Checks that outputs are what they should be.

    Args:
        found: Output name to array.
        expected: Output name to array of the same shape.
        tolerance: The largest difference allowed, as a share of the output's largest magnitude where that is above 1.
            Integers and booleans must be equal.
        where: What was run, for the error's text.
        differing: The largest share of an output's numbers that may differ by more, but stay finite.

    Returns:
        Output name to the largest absolute difference.

    Raises:
        ParityError: Where one is above the tolerance, or NaN, even if both are.

    Example:

    >>> check_equal({"y": np.array([1.0])}, {"y": np.array([1.5])}, 1e-4, "'double' in TFLite")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    toolkit.export.parity.ParityError: 'double' in TFLite: output 'y' is 1.0 at [0] where the model gives 1.5 ...
    """
    for name, array in expected.items():
        difference = _differences(found[name], array)
        allowed = 0.0
        if np.issubdtype(array.dtype, np.floating):
            allowed = tolerance * float(np.max(np.abs(array), initial=1, where=np.isfinite(array)))
        beyond = np.count_nonzero(difference > allowed)
        if beyond > differing * array.size or np.any(np.isinf(difference)):
            worst = np.unravel_index(np.argmax(difference), difference.shape)
            raise ParityError(
                f"{where}: output {name!r} is {found[name][worst]} at {[int(i) for i in worst]} where the model gives "
                f"{array[worst]} (a difference of {difference[worst]:.3g}, allowed {allowed:.3g}; {beyond} of "
                f"{array.size} differ so). Does it draw noise? Then mark it: signature(..., random=True)."
            )
    return largest_differences(found, expected)


def _differences(found, expected):
    found, expected = np.asarray(found, "float64"), np.asarray(expected, "float64")
    with np.errstate(invalid="ignore"):
        difference = np.abs(found - expected)
    return np.where(found == expected, 0.0, np.where(np.isfinite(difference), difference, np.inf))
