"""What an export is made of: a model's signatures and all that checks, calibrates and measures them."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any


@dataclasses.dataclass(frozen=True, kw_only=True)
class Served:
    """What a trained model offers a program; `export.write(folder, **served.arguments())` writes it.

    Args:
        signatures: `export.signature` by name.
        trackables: Layers or models that the signatures use.
        examples: Of each signature, inputs by name, on which Keras, SavedModel and TFLite are compared.
        calibrate: Called for typical inputs, `{signature: {input: array}}` each: what int8's ranges are measured on.
        measure: `measure(call)`, metric name to number, where `call(signature, **inputs)` runs an exported file; None:
            nothing is measured.
        tolerance: As in `export.write`.
        differing: As in `export.write`.
        card: What the card says of the model: alphabet, vocabulary, classes.

    Example:

    >>> from toolkit.export import signature
    >>> double = Served(signatures={"double": signature(lambda x: {"y": 2 * x}, x=((1, 3), "float32"))})
    >>> sorted(Served.together(one=double, two=double).signatures)
    ['one_double', 'two_double']
    """

    signatures: Mapping[str, Any]
    trackables: tuple = ()
    examples: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    calibrate: Callable[[], Iterable[Mapping[str, Mapping[str, Any]]]] | None = None
    measure: Callable[[Callable], Mapping[str, float]] | None = None
    tolerance: float = 1e-4
    differing: float = 0.0
    card: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def arguments(self) -> dict[str, Any]:
        """What `export.write` takes, by its arguments' names."""
        found = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {**found, "calibrate": self.calibrate() if self.calibrate else None}

    @classmethod
    def together(cls, **served: "Served") -> "Served":
        """Several models in one export: signatures, metrics and entries of the card are named NAME_WHAT.

        Args:
            **served: What each offers, by the model's name.

        Returns:
            One that offers all.
        """

        def named(part):
            return {
                f"{name}_{key}": value for name, each in served.items() for key, value in getattr(each, part).items()
            }

        def calibrate():
            for name, each in served.items():
                for item in each.calibrate() if each.calibrate else ():
                    yield {f"{name}_{key}": inputs for key, inputs in item.items()}

        def measure(call):
            found = {}
            for name, each in served.items():
                if each.measure:
                    own = each.measure(lambda key, name=name, **inputs: call(f"{name}_{key}", **inputs))
                    found |= {f"{name}_{metric}": value for metric, value in own.items()}
            return found

        return cls(
            signatures=named("signatures"),
            trackables=tuple(item for each in served.values() for item in each.trackables),
            examples=named("examples"),
            calibrate=calibrate if all(each.calibrate for each in served.values()) else None,
            measure=measure if any(each.measure for each in served.values()) else None,
            tolerance=max(each.tolerance for each in served.values()),
            differing=max(each.differing for each in served.values()),
            card=named("card"),
        )
