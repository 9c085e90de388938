import numpy as np
import pytest

from toolkit import export


def arrays(*values, dtype="float32"):
    return {"y": np.array(values, dtype)}


def test_the_largest_difference_is_found():
    assert export.parity.check_equal(arrays(1.0, 2.0, 3.5), arrays(1.0, 2.25, 3.0), 0.5, "here") == {"y": 0.5}


def test_a_difference_names_place_and_both_numbers():
    with pytest.raises(
        export.ParityError, match=r"'f' in TFLite: output 'y' is 1.25 at \[1\] where the model gives 1.0"
    ):
        export.parity.check_equal(arrays(3.0, 1.25), arrays(3.0, 1.0), 1e-4, "'f' in TFLite")


@pytest.mark.parametrize("dtype", ["int32", "float32"])
def test_a_share_may_differ(dtype):
    """As of pixels between two classes; but never by infinity, and only where it was asked for."""
    expected, found = np.arange(100, dtype=dtype), np.arange(100, dtype=dtype)
    found[[3, 50]] += 7
    how = {"y": found}, {"y": expected}, 1e-4, "here"
    assert export.parity.check_equal(*how, differing=0.02) == {"y": 7.0}
    for differing in (0.0, 0.01):
        with pytest.raises(export.ParityError, match="difference of 7, .* 2 of 100 differ so"):
            export.parity.check_equal(*how, differing=differing)
    if dtype == "float32":
        found[3] = np.inf
        with pytest.raises(export.ParityError, match="difference of inf"):
            export.parity.check_equal(*how, differing=0.5)


def test_the_tolerance_grows_with_the_magnitude():
    assert export.parity.check_equal(arrays(10000.5), arrays(10000.0), 1e-4, "here") == {"y": 0.5}
    with pytest.raises(export.ParityError):
        export.parity.check_equal(arrays(0.5), arrays(0.0), 1e-4, "here")


@pytest.mark.parametrize(("found", "expected"), [(np.nan, 1.0), (1.0, np.nan), (np.inf, 1.0), (-np.inf, np.inf)])
def test_what_is_not_finite_differs(found, expected):
    with pytest.raises(export.ParityError, match="difference of inf"):
        export.parity.check_equal(arrays(found), arrays(expected), 1e-4, "here")


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_the_same_infinity_is_equal(value):
    assert export.parity.check_equal(arrays(value, 1.0), arrays(value, 1.0), 1e-4, "here") == {"y": 0.0}


def test_nan_alike_is_no_parity():
    """A model whose weights diverged is NaN in every runtime."""
    with pytest.raises(export.ParityError, match=r"here: output 'y' is nan at \[1\] where the model gives nan"):
        export.parity.check_equal(arrays(1.0, np.nan), arrays(1.0, np.nan), 1e-4, "here", differing=1.0)
    assert export.parity.largest_differences(arrays(np.nan), arrays(np.nan)) == {"y": np.inf}


@pytest.mark.parametrize(("dtype", "values"), [("int32", (100000, 100001)), ("bool", (True, False))])
def test_integers_and_booleans_must_be_equal(dtype, values):
    with pytest.raises(export.ParityError, match="allowed 0"):
        export.parity.check_equal(arrays(values[0], dtype=dtype), arrays(values[1], dtype=dtype), 0.5, "here")


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ({"z": np.zeros(2, "float32")}, r"the outputs are \['z'\], expected \['y'\]"),
        ({"y": np.zeros((2, 1), "float32")}, r"has shape \(2, 1\) and dtype float32, expected shape \(2,\)"),
        ({"y": np.zeros(2, "int32")}, "dtype int32"),
    ],
)
def test_another_name_shape_or_dtype_is_refused(found, message):
    with pytest.raises(export.ParityError, match=message):
        export.parity.check_outputs(found, {"y": export.Tensor((2,), "float32")}, "here")


def test_noise_must_be_finite():
    export.parity.check_finite(arrays(1, 2, dtype="int32"), "here")
    with pytest.raises(export.ParityError, match="here: output 'y' holds nan"):
        export.parity.check_finite(arrays(1.0, np.nan), "here")


def test_an_empty_output_is_equal():
    assert export.parity.check_equal(arrays(), arrays(), 1e-4, "here") == {"y": 0.0}
