import numpy as np
import pytest

from toolkit import export


def double(x):
    return {"y": 2 * x}


def test_inputs_take_a_unit_or_none():
    made = export.signature(double, x=((1, 3), "int32", "pixels"), z=((), "bool"))
    assert made.inputs == {"x": export.Tensor((1, 3), "int32", "pixels"), "z": export.Tensor((), "bool", "")}
    assert not made.random


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"x": ((None, 3), "float32")}, "'x' needs a shape of known, positive sizes"),
        ({"x": ((0,), "float32")}, "'x' needs a shape"),
        ({"x": ((3,), "float")}, "'x' has dtype 'float'; expected one of float32"),
        ({"x": (3,)}, "'x' is .shape, dtype"),
        ({"outputs": ((3,), "float32")}, "rename it"),
        ({"random": ((3,), "float32")}, "rename it"),
        ({"_x": ((3,), "float32")}, "input name '_x'"),
    ],
)
def test_wrong_inputs_are_refused(inputs, message):
    with pytest.raises(ValueError, match=message):
        export.signature(double, **inputs)


def test_one_tensor_is_output_0():
    made = export.signature(lambda x: x + 1, x=((1,), "float32"))
    assert made.call(x=np.ones(1)) == {"output_0": np.array([2.0])}


def test_a_tuple_is_no_output():
    made = export.signature(lambda x: (x, x), x=((1,), "float32"))
    with pytest.raises(TypeError, match="dict of named tensors; got tuple"):
        made.call(x=np.ones(1))


def test_inputs_become_the_signatures_dtype():
    made = export.signature(double, x=((2,), "float32"))
    checked = made.check_inputs({"x": [1, 2]}, "example")
    assert checked["x"].dtype == np.float32
    assert checked["x"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"x": np.zeros(3, "int32")}, r"here: input 'x' has shape \(3,\), expected \(2,\)"),
        ({"x": np.zeros(2)}, "here: input 'x' is float64, expected int32"),
        ({"y": np.zeros(2, "int32")}, r"here: expected the inputs \['x'\], got \['y'\]"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(inputs, message):
    with pytest.raises(ValueError, match=message):
        export.signature(double, x=((2,), "int32")).check_inputs(inputs, "here")
