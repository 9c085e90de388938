"""A sparse Gaussian process for programs: a row of a table to mean and variance of what it does not say."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from toolkit import models
from toolkit.data.tables.loading import Table
from toolkit.export import signature
from toolkit.metrics import gaussian_prediction
from toolkit.serving.served import Served

_CALIBRATED_WITH, _COMPARED = 200, 100  # rows


def of_table(model: Any, table: Table | None, max_measured: int = 100) -> Served:
    """Makes the signature of a regression of a table, measured on the first split's test rows.

    Args:
        model: As in `regressor`.
        table: What it was learned from; None where its file is gone, and with it the names.
        max_measured: Test rows that are measured, at most.

    Returns:
        What `regressor` returns.
    """
    if table is None:
        return regressor(model, columns=[f"x{number}" for number in range(1, model.input_shape[1] + 1)], target="y")
    train, test = table.order(0)
    test = test[:max_measured]
    told = {"measured": (table.inputs[test], table.targets[test]), "typical": table.inputs[train[:_CALIBRATED_WITH]]}
    return regressor(model, columns=table.labels, target=table.target, unit=table.unit, **told)


def regressor(
    model: Any,
    *,
    columns: Sequence[str],
    target: str,
    unit: str = "",
    measured: tuple[np.ndarray, np.ndarray] | None = None,
    typical: Sequence[np.ndarray] = (),
) -> Served:
    """Makes the signature of a regression by a sparse Gaussian process: "predict", from "x" to "mean" and "variance".

    All are in the data's units; what standardises the row is in the graph. The variance is that of a new observation:
    mean ± 2 √variance holds 95 % of them. It is computed in float32, by builtin ops; each file's measure says how far
    that is from the model's float64.

    Args:
        model: What `models.sparse_gp.sparse_gp` returned, filled.
        columns: The names of a row's numbers, with their units.
        target: The name of what is predicted.
        unit: Its unit.
        measured: (x, y), rows (rows, columns) and what came, in the data's units, on which each file is measured.
        typical: Rows on which int8's ranges are measured.

    Returns:
        What an export is made of. Its measure gives the root mean squared error, in the target's unit, the negative
        log-likelihood, the coverage of 95 % intervals, the largest distances from float64 (of the mean in standard
        deviations of an observation, of the variance as a share of it), and "rows".

    Raises:
        ValueError: Where the columns are not as many as the model's.
    """
    layer = model.get_layer("gp")
    width = model.input_shape[1]
    if len(columns) != width:
        raise ValueError(f"{len(columns)} names of columns for a model of {width}.")
    copy = models.sparse_gp.sparse_gp(width, layer.num_inducing, layer.kernel, dtype="float32")
    copy.set_weights(model.get_weights())

    def predict(x):
        mean, variance = copy(x)
        return {"mean": mean, "variance": variance}

    def measure(call):
        x, y = measured
        found = [call("predict", x=row[None].astype("float32")) for row in x]
        mean, variance = (np.array([each[name][0] for each in found], "float64") for name in ("mean", "variance"))
        exact_mean, exact_variance = (np.asarray(each) for each in model(x))
        away = np.abs(mean - exact_mean) / np.sqrt(exact_variance)
        # Eight bits may round the noise away.
        smallest = 1e-12 * float(np.asarray(layer.y_scale)) ** 2
        return {
            **gaussian_prediction.scores(y, mean, np.maximum(variance, smallest)),
            "mean_off_float64_in_standard_deviations": float(away.max()),
            "variance_off_float64_as_a_share": float(np.max(np.abs(variance / exact_variance - 1))),
            "rows": len(y),
        }

    shown = np.asarray(layer.x_mean)[None] if measured is None else measured[0][:_COMPARED]
    pairs = [(np.asarray(exact), np.asarray(copied)) for exact, copied in zip(model(shown), copy(shown), strict=True)]
    rounding = max(float(np.max(np.abs(exact - copied) / np.maximum(np.abs(exact), 1.0))) for exact, copied in pairs)
    units = {"mean": unit or f"of {target}", "variance": f"({unit or f'of {target}'}) squared, of a new observation"}
    return Served(
        signatures={
            "predict": signature(predict, x=((1, width), "float32", "; ".join(columns)[:500]), outputs=units),
        },
        trackables=(copy,),
        examples={"predict": {"x": shown[:1].astype("float32")}},
        calibrate=lambda: ({"predict": {"x": row[None].astype("float32")}} for row in typical[:_CALIBRATED_WITH]),
        measure=measure if measured else None,
        tolerance=max(1e-4, 2.0 * rounding),  # two orders of the same sums differ as much as either from float64
        card={
            "columns": list(columns),
            "target": target,
            "unit": unit,
            "kernel": layer.kernel,
            "inducing_inputs": layer.num_inducing,
            "noise_scale": float(np.asarray(layer.y_scale) * np.exp(0.5 * np.asarray(layer.log_noise))),
        },
    )
