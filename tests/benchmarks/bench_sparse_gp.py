"""Speed and memory of sparse Gaussian processes beside GPflow.

  python3.11 -m venv gpflow; gpflow/bin/pip install -r requirements-tf2.16.lock gpflow==2.11.2
  PYTHONPATH=. gpflow/bin/python tests/benchmarks/bench_sparse_gp.py [--repeats=5] [--steps=50]

GPflow wants NumPy below 2, so both run in an environment with TensorFlow 2.16; without GPflow the toolkit runs alone,
in any. The collapsed bound with its gradient towards hyper-parameters and inducing inputs, of rows with 8 columns;
steps of mini-batches, each a natural gradient of the posterior and one of Adam towards the rest; what a million rows
with 500 inducing inputs take. Bounds must be the same. Each measurement has a process of its own, on the CPU. A ratio
below 1 means that the toolkit takes less.
"""

import argparse

from measuring import apart, machine, peak_megabytes, print_row, timed_twice, version

COLUMNS, NUM_INDUCING, BATCH_SIZE = 8, 200, 256
# Hyper-parameters hardly move: GPflow steps on other functions of them, and the bounds must be the same.
RATE = 1e-9


def problem(rows, num_inducing=NUM_INDUCING):
    """Rows, targets, and hyper-parameters with inducing inputs."""
    import numpy as np

    random = np.random.default_rng(0)
    x = random.normal(size=(rows, COLUMNS))
    y = np.sin(x[:, 0]) + x[:, 1] * x[:, 2] + 0.3 * random.normal(size=rows)
    return x, (y - y.mean()) / y.std(), (1.0, np.full(COLUMNS, 2.0), 0.1, x[:num_inducing].copy())


def toolkit_bound(rows, num_inducing, repeats, warm_up=1):
    import tensorflow as tf

    from toolkit.methods import sparse_gp
    from toolkit.methods.gp_covariance import GPParameters

    x, y, parameters = problem(rows, num_inducing)
    x, y, parameters = tf.constant(x), tf.constant(y), [tf.constant(each, tf.float64) for each in parameters]

    @tf.function
    def value_and_gradient(x, y, parameters):
        with tf.GradientTape() as tape:
            tape.watch(parameters)
            bound = sparse_gp.lower_bound(sparse_gp.summarize(x, y, GPParameters(*parameters)))
        return bound, tape.gradient(bound, parameters)

    bounds, seconds = timed_twice(lambda: float(value_and_gradient(x, y, parameters)[0]), repeats, warm_up)
    return bounds[-1], seconds, peak_megabytes()


def gpflow_bound(rows, num_inducing, repeats):
    import gpflow
    import tensorflow as tf

    x, y, (variance, scales, noise, inputs) = problem(rows, num_inducing)
    kernel = gpflow.kernels.SquaredExponential(variance, scales)
    model = gpflow.models.SGPR((x, y[:, None]), kernel, inputs, noise_variance=noise)

    @tf.function
    def value_and_gradient():
        with tf.GradientTape() as tape:
            bound = model.elbo()
        return bound, tape.gradient(bound, model.trainable_variables)

    bounds, seconds = timed_twice(lambda: float(value_and_gradient()[0]), repeats, warm_up=1)
    return bounds[-1], seconds, peak_megabytes()


def batches(x, y, steps):
    return [
        (x[start : start + BATCH_SIZE], y[start : start + BATCH_SIZE])
        for start in range(0, steps * BATCH_SIZE, BATCH_SIZE)
    ]


def toolkit_steps(rows, steps):
    import keras

    from toolkit.methods.gp_covariance import GPParameters
    from toolkit.methods.svgp import SVGP

    x, y, parameters = problem(rows)
    model = SVGP.starting_at(GPParameters(*parameters), rows, natural_step=0.1, train_inducing_inputs=True)
    model.compile(keras.optimizers.Adam(RATE), jit_compile=False)
    parts = iter(batches(x, y, steps + 2))
    _, seconds = timed_twice(lambda: model.train_on_batch(*next(parts)), steps)
    return model.bound(x[:10_000], y[:10_000]).numpy() / rows, seconds


def gpflow_steps(rows, steps):
    import gpflow
    import tensorflow as tf

    x, y, (variance, scales, noise, inputs) = problem(rows)
    model = gpflow.models.SVGP(
        gpflow.kernels.SquaredExponential(variance, scales),
        gpflow.likelihoods.Gaussian(noise),
        inputs,
        num_data=rows,
    )
    gpflow.set_trainable(model.q_mu, False)
    gpflow.set_trainable(model.q_sqrt, False)
    natural, adam = gpflow.optimizers.NaturalGradient(0.1), tf.keras.optimizers.Adam(RATE)

    @tf.function
    def step(x, y):
        natural.minimize(lambda: model.training_loss((x, y)), [(model.q_mu, model.q_sqrt)])
        with tf.GradientTape() as tape:
            loss = model.training_loss((x, y))
        adam.apply_gradients(
            zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables, strict=True)
        )
        return loss

    parts = iter(batches(x, y[:, None], steps + 2))
    _, seconds = timed_twice(lambda: step(*map(tf.constant, next(parts))).numpy(), steps)
    return model.elbo((x[:10_000], y[:10_000, None])).numpy() / rows, seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5, help="times that a bound is computed (5)")
    parser.add_argument("--steps", type=int, default=50, help="steps of mini-batches (50)")
    parser.add_argument("--most", type=int, default=1_000_000, help="rows of the last measurement (1,000,000); 0: none")
    asked = parser.parse_args()
    print(machine(), flush=True)
    other = version("gpflow")
    print_row("", "toolkit", f"GPflow {other}" if other else "(no GPflow here)", "ratio", "target")
    for rows in (10_000, 100_000):
        bound, seconds, memory = apart(toolkit_bound, rows, NUM_INDUCING, asked.repeats)
        row = [f"bound and gradient, N = {rows:,}, M = {NUM_INDUCING}", told(seconds, memory)]
        if other:
            theirs, others, peak = apart(gpflow_bound, rows, NUM_INDUCING, asked.repeats)
            row += [told(others, peak), f"{seconds[0] / others[0]:.2f}", "<= 1"]
            if abs(bound / theirs - 1) > 1e-6:
                raise SystemExit(f"the bounds differ: {bound} and {theirs}.")
        print_row(*row)
    bound, seconds = apart(toolkit_steps, 100_000, asked.steps)
    row = [f"a step, batch of {BATCH_SIZE}, M = {NUM_INDUCING}", told(seconds)]
    if other:
        theirs, others = apart(gpflow_steps, 100_000, asked.steps)
        row += [told(others), f"{seconds[0] / others[0]:.2f}", "<= 1"]
        if abs(bound - theirs) > 1e-6:
            raise SystemExit(f"the bounds a row after {asked.steps} steps differ: {bound} and {theirs}.")
    print_row(*row)
    if asked.most:
        _, seconds, memory = apart(toolkit_bound, asked.most, 500, 1, 0)
        print_row(f"bound and gradient, N = {asked.most:,}, M = 500", told(seconds, memory), "", "", "<= 2048 MB")


def told(seconds, memory=None):
    """Wall and processor seconds, and megabytes."""
    text = f"{seconds[0]:.3g} s, CPU {seconds[1]:.3g}"
    return text if memory is None else f"{text}, {memory:.0f} MB"


if __name__ == "__main__":
    main()
