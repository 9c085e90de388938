"""What a model offers to a program: named functions with named inputs of fixed shape, each with its unit."""

import dataclasses
import re
from collections.abc import Callable, Mapping

import numpy as np

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_DTYPES = ("float32", "float16", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "bool")


@dataclasses.dataclass(frozen=True)
class Tensor:
    """An input or an output: its shape, dtype and unit.

    Args:
        shape: Every axis known, such as (1, 64).
        dtype: NumPy's name, such as "int32".
        unit: What one number means, such as "pixels" or "Unicode code points, 0 = padding"; may be empty.

    Example:

    >>> Tensor((1, 64), "int32", "Unicode code points").zeros().shape
    (1, 64)
    """

    shape: tuple[int, ...]
    dtype: str
    unit: str = ""

    def zeros(self) -> np.ndarray:
        """Returns an array of this shape and dtype that holds zeros."""
        return np.zeros(self.shape, self.dtype)

    def describe(self) -> dict:
        """Returns the tensor as plain JSON."""
        return {"shape": list(self.shape), "dtype": self.dtype, "unit": self.unit}


@dataclasses.dataclass(frozen=True, eq=False)
class Signature:
    """A function with its inputs and the units of its outputs; made by `signature`.

    Args:
        function: Takes each input as a keyword argument and returns a dict of named tensors, or one tensor.
        inputs: Name to `Tensor`.
        output_units: Output name to unit.
        random: Whether the outputs hold fresh noise at each call.

    Example:

    >>> double = Signature(lambda x: 2 * x, {"x": Tensor((3,), "float32")})
    >>> double.check_inputs({"x": [1, 2, 3]}, "example")["x"].dtype
    dtype('float32')
    """

    function: Callable
    inputs: Mapping[str, Tensor]
    output_units: Mapping[str, str] = dataclasses.field(default_factory=dict)
    random: bool = False

    def call(self, **inputs) -> dict:
        """Calls the function.

        Args:
            **inputs: One tensor for each input.

        Returns:
            Name to tensor; a single tensor is named "output_0".

        Raises:
            TypeError: Where the function returns neither a dict with names nor one tensor.
        """
        outputs = self.function(**inputs)
        if not isinstance(outputs, Mapping):
            if isinstance(outputs, (tuple, list)) or outputs is None:
                raise TypeError(
                    f"A signature's function returns a dict of named tensors; got {type(outputs).__name__}."
                )
            outputs = {"output_0": outputs}
        for name in outputs:
            check_name(name, "output")
        return dict(outputs)

    def check_inputs(self, inputs: Mapping[str, np.ndarray], where: str) -> dict[str, np.ndarray]:
        """Checks one set of inputs and converts it to the signature's dtypes.

        Args:
            inputs: Name to array.
            where: What the inputs are, for the error's text.

        Returns:
            Name to array, as the signature says.

        Raises:
            ValueError: Where a name is missing or unknown, or a shape or kind of number differs.
        """
        if set(inputs) != set(self.inputs):
            raise ValueError(f"{where}: expected the inputs {sorted(self.inputs)}, got {sorted(inputs)}.")
        checked = {}
        for name, tensor in self.inputs.items():
            array = np.asarray(inputs[name])
            if array.shape != tensor.shape:
                raise ValueError(f"{where}: input {name!r} has shape {array.shape}, expected {tensor.shape}.")
            if not np.can_cast(array.dtype, tensor.dtype, "same_kind"):
                raise ValueError(f"{where}: input {name!r} is {array.dtype}, expected {tensor.dtype}.")
            checked[name] = array.astype(tensor.dtype)
        return checked


def signature(
    function: Callable, /, *, outputs: Mapping[str, str] | None = None, random: bool = False, **inputs: tuple
) -> Signature:
    """Describes one function that an exported model offers.

    Args:
        function: Takes each input as a keyword argument of that name; returns a dict of named tensors, or one tensor,
            which is then called "output_0". It is traced once: an ordinary function with TensorFlow or Keras ops.
        outputs: Output name to unit, such as {"strokes": "pen units"}.
        random: Whether it draws noise, so that two calls differ. Such outputs cannot be compared with the model's:
            their shapes are checked, and that they are finite.
        **inputs: Name to (shape, dtype) or (shape, dtype, unit); every axis is known. There may be none, as of a model
            that draws its samples from nothing but noise.

    Returns:
        A `Signature`.

    Raises:
        ValueError: Where a name, a shape or a dtype is none, or an input is called "outputs" or "random".

    Example:

    >>> double = signature(lambda x: {"y": 2 * x}, outputs={"y": "metres"}, x=((1, 3), "float32", "metres"))
    >>> double.inputs["x"]
    Tensor(shape=(1, 3), dtype='float32', unit='metres')
    """
    outputs = {} if outputs is None else outputs
    if not isinstance(outputs, Mapping) or not isinstance(random, bool):
        raise ValueError(
            "signature: `outputs` (name to unit) and `random` (True or False) cannot name an input; rename it."
        )
    tensors = {}
    for name, value in inputs.items():
        check_name(name, "input")
        if not isinstance(value, (tuple, list)) or len(value) not in (2, 3):
            raise ValueError(f"signature: input {name!r} is (shape, dtype) or (shape, dtype, unit); got {value!r}.")
        shape, dtype, unit = (*value, "")[:3]
        if not isinstance(shape, (tuple, list)) or not all(isinstance(n, int) and n > 0 for n in shape):
            raise ValueError(f"signature: input {name!r} needs a shape of known, positive sizes; got {shape!r}.")
        if dtype not in _DTYPES:
            raise ValueError(f"signature: input {name!r} has dtype {dtype!r}; expected one of {', '.join(_DTYPES)}.")
        tensors[name] = Tensor(tuple(shape), dtype, unit)
    return Signature(function, tensors, dict(outputs), random)


def check_name(name: str, kind: str) -> None:
    """Checks that a name can serve in every runtime.

    Args:
        name: Letters, digits and underscores, a letter first.
        kind: What it names, for the error's text.

    Raises:
        ValueError: Where it is anything else.

    Example:

    >>> check_name("handwriting.step", "signature")
    Traceback (most recent call last):
    ValueError: signature name 'handwriting.step': expected letters, digits and underscores, a letter first.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"{kind} name {name!r}: expected letters, digits and underscores, a letter first.")
