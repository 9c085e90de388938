"""Numbers and how sure they are: sparse Gaussian processes, Burt et al. 2019 (1903.03571, sections 3 to 6).

Learns from a table to tell one column from the others, with its uncertainty, by a Gaussian process of some inducing
inputs in place of all rows; measures how many of them it takes as the rows grow.

  python -m recipes.sparse_gp                                              all phases on an embedded table
  python -m recipes.sparse_gp --mode=rates                                 the divergence over M and N, for each choice
  python -m recipes.sparse_gp --mode=continual                             rows come, and M grows as the bound asks
  python -m recipes.sparse_gp --workdir=runs/concrete --data=uci:FOLDER --num_inducing=200 --num_splits=20
  python -m recipes.sparse_gp --workdir=runs/own --data=csv:FILE --target=NAME
  python -m recipes.sparse_gp --workdir=runs/own --mode=predict --rows=FILE

Here: embedded, 1,800 rows of one column and noise of 0.3, seeds 0 to 2, five splits each, half a minute of processor
time: error 0.298 to 0.303, 0.210 to 0.229 nats a row, as the exact process, 94 to 95 % in 95 % intervals, by 23 to 27
inducing inputs; a straight line 0.765 to 0.787, 1.15 to 1.18 nats. UCI's concrete, 200 inducing inputs, the 20
published splits: error 5.51 (exact 5.46, line 10.3), 3.13 nats.

Paper: theorems, of Gaussian inputs and the squared exponential O(log N) inducing inputs in one dimension; no table of
numbers.

Differs from the paper: hyper-parameters are fitted, and inducing inputs chosen anew by the fitted kernel.
"""

import numpy as np

from toolkit import data, methods, metrics, models, serving, settings, training, visualize
from toolkit.lazy import keras
from toolkit.settings import other, setting

LEVELS = np.linspace(0.05, 0.95, 19)


@settings.recipe
class Settings(
    settings.Tables, settings.SparseProcess, settings.ConvergenceRates, settings.Training, settings.MeasuredExport
):
    num_splits: int = setting(
        5, "random splits that are trained and tested; the first is exported", minimum=1, maximum=100
    )
    rows: str = setting(
        "",
        "of --mode=predict: a CSV of rows to predict, with the columns' names; empty: the test rows",
        changeable=True,
        path=True,
    )
    batch_size: int = 256
    epochs: int = 20
    precision: str = other("float64", help="what is computed in: factors of covariances need it", choices=("float64",))


def load(s):
    """`data.tables.Table`."""
    return data.tables.load(**s.reading())


def of_split(run, number):
    """The first split is the run's own, which is exported; the others are its rounds."""
    return run.round(number) if number else run


def train(run):
    for number in range(run.settings.num_splits):
        fit(of_split(run, number), run.data.split(number))


def fit(run, split):
    s = run.settings
    way = batches if s.by_batches(len(split.y_train)) else collapsed
    parameters, bounds, posterior = way(run, split)
    with run.scope():
        model = models.sparse_gp.sparse_gp(split.x_train.shape[1], len(parameters.inducing_inputs), s.kernel)
    curve = {"by L-BFGS": list(enumerate(bounds))}
    for _, log in run.loop(
        1,
        stage="model",
        state={"network": model},
        pictures=lambda: {"training/bound": visualize.charts.curves(curve, "step", "bound, nats a row")},
    ):
        models.sparse_gp.filled(model, parameters, posterior(), **split.moments)
        log(loss=-bounds[-1])


def collapsed(run, split, rows=slice(None), stage="fit"):
    """Hyper-parameters by L-BFGS; in between, the kernel that was fitted chooses the inducing inputs anew."""
    s, x, y = run.settings, split.x_train[rows], split.y_train[rows]
    parameters, bounds = methods.sparse_gp_fitting.fit_in_rounds(
        x,
        y,
        s.kernel,
        way=s.inducing,
        num_rounds=s.num_choices,
        seed=1000 * s.seed,
        keep=lambda function, stage, of=stage: run.compute(function, stage=f"{of}_{stage}"),
        train_inducing_inputs=s.train_inducing,
        **s.only("num_inducing", "max_iterations"),
    )

    def posterior():
        jitter = methods.gp_covariance.settled_jitter(parameters, s.kernel)
        return methods.sparse_gp.posterior(methods.sparse_gp.summarize(x, y, parameters, s.kernel, jitter=jitter))

    return parameters, bounds / len(y), posterior


def batches(run, split):
    """From where the collapsed bound of some rows leads on, a batch at a time."""
    s, x = run.settings, split.x_train
    parameters, bounds, _ = collapsed(run, split, slice(s.start_rows), "start")
    wanted = s.inducing, x, s.num_inducing, parameters, s.kernel, 1000 * s.seed + s.num_choices
    found = run.compute(lambda: methods.inducing_inputs.chosen(*wanted)._asdict(), stage="inducing_inputs")
    with run.scope("batches"):
        start = methods.sparse_gp_fitting.parameters_of(found)
        how = {"natural_step": s.natural_step, "train_inducing_inputs": s.train_inducing}
        gp = methods.svgp.SVGP.starting_at(start, len(x), s.kernel, **how)
        gp.compile(keras.optimizers.Adam(s.learning_rate))
    run.fit(gp, split.batches(s.batch_size), stage="batches")
    return type(start)(*map(np.asarray, gp.parameters())), bounds, gp.posterior


def parameters_of(model):
    return methods.gp_covariance.GPParameters(*models.sparse_gp.parameters(model))


def predicted(model, x):
    """Mean and variance of an observation, in the data's units."""
    return [np.asarray(each) for each in model.predict(x, batch_size=1024, verbose=0)]


def predictions(run, split):
    """What each model says of the test rows; the exact process has the sparse one's hyper-parameters."""
    s, model, rows = run.settings, run.load(), (split.x_train, split.y_train, split.x_test)
    found = {"linear": methods.linear_prediction.linear_prediction(*rows)}
    if len(split.y_train) <= s.max_exact:
        found["exact"] = methods.exact_gp.exact_prediction(*rows, parameters_of(model), s.kernel)
    found = {name: (split.targets(mean), split.y_scale**2 * variance) for name, (mean, variance) in found.items()}
    return {"sparse": predicted(model, split.inputs(split.x_test)), **found}


def evaluate(run):
    rows, shares = [], {}
    for number in range(run.settings.num_splits):
        split = run.data.split(number)
        y = split.targets(split.y_test)
        for name, said in predictions(of_split(run, number), split).items():
            rows.append({"split": number, "model": name, **metrics.gaussian_prediction.scores(y, *said)})
            shares.setdefault(name, []).append(metrics.gaussian_prediction.interval_coverage(y, *said, LEVELS))
    run.table("splits", rows)
    run.report(methods.study_summary.means_by(rows, of="model", over="split", plain="sparse"))
    shares = {name: np.mean(each, axis=0) for name, each in shares.items()}
    run.picture("calibration", visualize.regression.calibration(LEVELS, shares))


def predict(run):
    """The first split's model: of its test rows pictures, of rows of one's own a table."""
    model, table, split = run.load(), run.data, run.data.split(0)
    if run.settings.rows:
        x = data.tables.files.read_rows(run.settings.rows, table.names)
        mean, variance = predicted(model, x)
        columns = {**dict(zip(table.labels, x.T, strict=True)), f"{table.label}, mean": mean, "scale": variance**0.5}
        run.table("predictions", [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)])
        return
    mean, variance = predicted(model, split.inputs(split.x_test))
    y = split.targets(split.y_test)
    run.picture("against_truth", visualize.regression.against_truth(y, mean, np.sqrt(variance), table.label))
    if len(table.names) == 1:
        run.picture("fit", curve(run, model, split))


def curve(run, model, split):
    observed = split.inputs(split.x_train)[:, 0], split.targets(split.y_train)
    x = np.linspace(*observed[0][[observed[0].argmin(), observed[0].argmax()]], 400)
    mean, variance = predicted(model, x[:, None])
    truth = data.tables.embedded.true_wave(x) if run.settings.data.startswith("embedded:wave") else None
    inducing = split.inputs(parameters_of(model).inducing_inputs)[:, 0]
    how = {"truth": truth, "across": run.data.labels[0], "up": run.data.label}
    return visualize.regression.band(x, mean, np.sqrt(variance), observed=observed, inducing=inducing, **how)


def export(run):
    s = run.settings
    served = serving.regressor.of_table(run.load(), run.data_to_measure(), s.max_measured)
    run.export(served, data=s.data, description=__doc__.splitlines()[0])


def rates(run):
    """The divergence over M and N for each way of choosing; the M that is enough, beside a log law and the theorem."""
    s, split, parameters = run.settings, run.data.split(0), parameters_of(run.load())
    sizes, counts = s.measured_at(len(split.y_train))
    how = {"sizes": sizes, "counts": counts, "seed": s.seed, "keep": run.compute}
    rows = methods.inducing_counts.divergences(split.x_train, split.y_train, parameters, s.kernel, **how)
    run.table("rates", rows)
    for size in sizes:
        ways = methods.inducing_counts.by_way(rows, size)
        drawn = visualize.charts.curves(ways, "inducing inputs", "divergence, nats", log_up=True)
        run.picture(f"rates/divergence_{size}", drawn)
    theorem = methods.inducing_counts.asked_for(s.divergence, split.x_train, parameters, s.kernel)
    law = methods.inducing_counts.enough_of(rows, s.divergence) | {"theorem": [(size, theorem(size)) for size in sizes]}
    fitted = methods.inducing_counts.log_laws(law)
    run.report({f"inducing_inputs_more_for_twice_the_rows_{way}": b for way, (_, b) in fitted.items()})
    if s.inducing in fitted:
        a, b = fitted[s.inducing]
        law[f"{s.inducing}, log law: {b:.1f} more for twice"] = [(size, a + b * np.log2(size)) for size in sizes]
    of = f"inducing inputs for {s.divergence:g} nats"
    run.picture("rates/inducing_inputs", visualize.charts.curves(law, "rows", of, log_across=True))


def continual(run):
    """Rows come, twice as many each time: M grows as the theorem asks, beside an M that stays."""
    s, split, parameters = run.settings, run.data.split(0), parameters_of(run.load())
    known, y = (split.x_train, split.y_train), split.targets(split.y_test)
    chunks = methods.sparse_gp_convergence.doubling(*known)
    theorem = methods.inducing_counts.asked_for(s.divergence, split.x_train, parameters, s.kernel)
    fixed, lines, rows = max(theorem(len(chunks[0][1])) // 2, 1), {}, []
    for name, count in {"growing": theorem, "fixed": lambda _: fixed}.items():
        how = {"way": s.inducing, "seed": s.seed}
        for grown in methods.sparse_gp_convergence.growing(chunks, parameters, count, s.kernel, **how):
            mean, variance = methods.sparse_gp.predict(split.x_test, grown.parameters, grown.posterior, s.kernel)
            said = metrics.gaussian_prediction.scores(y, split.targets(mean), split.y_scale**2 * variance)
            rows.append({"M": name} | grown.measures(*known, s.kernel, s.max_exact) | said)
            for measure in ("divergence", "bound"):
                point = grown.num_rows, rows[-1][f"{measure}_nats"]
                lines.setdefault(f"M {name}: {measure}", []).append(point)
    run.table("continual", rows)
    drawn = visualize.charts.curves(lines, "rows", "nats", log_across=True, log_up=True)
    run.picture("continual", drawn)


def check_data(run):
    found = data.tables.report.examine(run.data)
    drawn = visualize.regression.columns
    run.check(found.report, lambda: {"columns": drawn(found.inputs, found.targets, run.data.labels, run.data.label)})


if __name__ == "__main__":
    training.main(Settings, load, train, evaluate, predict, export, apart=(rates, continual), untrained=(check_data,))
