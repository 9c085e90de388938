"""Speed and memory of influence functions beside pyDVL, and how they grow with weights and training examples.

  ./run benchmarks tests/benchmarks/bench_influence.py [--pydvl=ENVIRONMENT/bin/python] [--repeats=3]
  python3.11 -m venv ENVIRONMENT; ENVIRONMENT/bin/pip install pydvl==0.10.0 torch    the other side

The influence of 1,000 training examples, scikit-learn's digits, on 10 others: the same network, weights and damping,
and the same scores. A time is that of a whole answer, systems and scores, after one that is not counted; ours has its
derivatives traced once. Memory is the process' peak, and what of it came since the data was read. Each side has a
process of its own, on the CPU. A ratio below 1 means that the toolkit takes less.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile

from measuring import apart, machine, peak_megabytes, print_row, timed

TOLERANCE, BATCH_SIZE = 1e-5, 250  # divides the examples: pyDVL averages over batches
# Units, solver, and damping by which the Hessian is positive definite.
NETWORKS = {
    "logistic regression, 650 weights": ((), "cg", 0.05),
    "the same, exact Hessian": ((), "exact", 0.05),
    "network of 64 units, 4,810 weights": ((64,), "cg", 0.05),
    "network of 512 units, 38,410 weights": ((512,), "cg", 0.05),
    "network of 256 and 256 units, 85,002 weights": ((256, 256), "cg", 0.5),
}


def digits():
    import numpy as np
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    return (x[order] / 16).astype("float32"), y[order].astype("int64")


def network(units, x, y):
    """Dense layers with tanh between them, trained for a while."""
    import keras

    keras.utils.set_random_seed(0)
    hidden = [keras.layers.Dense(each, "tanh") for each in units]
    model = keras.Sequential([keras.Input((x.shape[1],)), *hidden, keras.layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(3e-3), loss)
    model.fit(x, y, batch_size=50, epochs=30, verbose=0)
    return model, loss


def write_task(folder, units, solver, damping, repeats):
    """Trains the network, and writes down all that the other side needs."""
    import numpy as np

    x, y = digits()
    model, _ = network(units, x[:1000], y[:1000])
    weights = {f"weights_{index}": each for index, each in enumerate(model.get_weights())}
    settings = {"damping": damping, "tolerance": TOLERANCE, "batch_size": BATCH_SIZE, "repeats": repeats}
    settings |= {"solver": solver, "x": x[:1000], "y": y[:1000], "queries": x[1000:1010], "answers": y[1000:1010]}
    np.savez(pathlib.Path(folder, "task.npz"), **settings, **weights)


def toolkit_side(folder):
    import keras
    import numpy as np

    from toolkit.methods.influence import Influence

    with np.load(pathlib.Path(folder, "task.npz")) as file:
        task = {name: file[name] for name in file.files}
    weights = [task[f"weights_{index}"] for index in range(sum(name.startswith("weights") for name in task))]
    hidden = [keras.layers.Dense(kernel.shape[1], "tanh") for kernel in weights[:-2:2]]
    model = keras.Sequential([keras.Input((64,)), *hidden, keras.layers.Dense(10)])
    model.set_weights(weights)
    loss, how = keras.losses.SparseCategoricalCrossentropy(from_logits=True), {"damping": float(task["damping"])}
    how |= {"solver": str(task["solver"]), "batch_size": BATCH_SIZE}
    how |= {"tolerance": TOLERANCE} if how["solver"] == "cg" else {}
    train, queries = (task["x"], task["y"]), (task["queries"], task["answers"])
    start, influence = peak_megabytes(), Influence(model, loss, train, **how)

    def answer():
        influence.inverse.__dict__.pop("spectrum", None)  # the exact eigenvectors are found anew
        return influence.of_removing(queries)

    scores, seconds = answer(), timed(answer, int(task["repeats"]), warm_up=0)
    return scores, seconds, start, peak_megabytes()


def growth(units, num_examples, iterations):
    """Seconds and memory of ten systems of so many iterations and their scores."""
    import keras
    import numpy as np

    from toolkit.methods.influence import Influence

    random = np.random.default_rng(0)
    x, y = random.standard_normal((num_examples, 64)).astype("float32"), random.integers(0, 10, num_examples)
    layers = [keras.layers.Dense(units, "tanh"), keras.layers.Dense(10)]
    model = keras.Sequential([keras.Input((64,)), *layers])
    loss, start = keras.losses.SparseCategoricalCrossentropy(from_logits=True), peak_megabytes()
    how = {"damping": 1.0, "batch_size": BATCH_SIZE, "tolerance": 0.0, "max_iterations": iterations}
    influence = Influence(model, loss, (x, y), **how)
    seconds = timed(lambda: influence.top((x[:10], y[:10])), 3, warm_up=1)
    return influence.num_weights, statistics.median(seconds), peak_megabytes() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pydvl", default="", help="the Python of an environment that has pyDVL; none: ours alone")
    parser.add_argument("--repeats", type=int, default=3, help="answers that are timed (3)")
    asked = parser.parse_args()
    print(machine(), flush=True)
    print_row("1,000 examples, 10 queries", "toolkit", "pyDVL" if asked.pydvl else "(no --pydvl)", "ratio")
    for name, (units, solver, damping) in NETWORKS.items():
        with tempfile.TemporaryDirectory() as folder:
            apart(write_task, folder, units, solver, damping, asked.repeats)
            scores, seconds, start, peak = apart(toolkit_side, folder)
            row = [name, f"{statistics.median(seconds):.3f} s, {peak:.0f} MB (+{peak - start:.0f})"]
            if asked.pydvl:
                row += other_side(asked.pydvl, folder, name, scores, statistics.median(seconds))
            print_row(*row)
    print_row("10 queries, 10 iterations", "seconds", "megabytes more")
    for units, count in [(64, 1000), (256, 1000), (1024, 1000), (4096, 1000), (256, 2000), (256, 4000), (256, 8000)]:
        num_weights, median, memory = apart(growth, units, count, 10)
        print_row(f"{num_weights:,} weights, {count:,} examples", f"{median:.3f}", f"{memory:.0f}")


def other_side(python, folder, name, scores, median):
    import numpy as np

    script = pathlib.Path(__file__).with_name("influence_in_pytorch.py")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run([python, script, folder], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr[-2000:]}")
    took, others = json.loads(done.stdout.splitlines()[-1]), np.load(pathlib.Path(folder, "scores.npy"))
    error = np.linalg.norm(scores - others) / np.linalg.norm(others)
    if error > 1e-3:
        raise SystemExit(f"{name}: the scores differ by {error:.1e} of their size.")
    other, start, peak = statistics.median(took["seconds"]), took["start_megabytes"], took["peak_megabytes"]
    return [
        f"{other:.3f} s, {peak:.0f} MB (+{peak - start:.0f})",
        f"{median / other:.2f}",
        f"scores within {error:.0e}",
    ]


if __name__ == "__main__":
    main()
