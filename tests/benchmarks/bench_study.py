"""What the runner of a study costs over bare trainings, and what several processes save.

  ./run benchmarks tests/benchmarks/bench_study.py [--seeds=8] [--epochs=2]

Small models of the study of disentanglement (dense layers, 192 sprites), three objectives and some seeds. Bare: the
same trainings and evaluations one after the other, in one process, each with a run of its own. Both in seconds of
the processor, from the study's begin to its last row. Then the whole command by either engine, by the clock: each
worker imports TensorFlow.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile
import time

from measuring import apart, machine, print_row

OBJECTIVES = ("beta_vae", "beta_tcvae", "dip_vae_i")
TINY = {"data": "embedded:sprites:3x2x2x4x4", "network": "dense", "units": 4, "num_points": 500, "num_trees": 200}


def cells(seeds):
    return [{"objective": name, "strength": 4.0, "seed": seed} for name in OBJECTIVES for seed in range(seeds)]


def whole(inner, **_):
    from recipes import disentanglement as recipe

    recipe.train(inner)
    recipe.evaluate(inner)
    return inner.metrics()


def a_run(folder, epochs, **how):
    from recipes import disentanglement as recipe
    from toolkit import training

    settings = recipe.Settings(workdir=folder, epochs=epochs, **TINY, **how)
    return training.Run(settings, "disentanglement", load=recipe.load)


def first(folder, epochs):
    """What is imported and traced at the first time is no part of either."""
    run = a_run(f"{folder}/first", epochs)
    whole(run)
    run.close()


def bare(folder, seeds, epochs):
    first(folder, epochs)
    began, found = time.process_time(), []
    for number, cell in enumerate(cells(seeds)):
        run = a_run(f"{folder}/{number}", epochs, **cell)
        found.append(whole(run))
        run.close()
    return time.process_time() - began, [row["negative_elbo_nats"] for row in found]


def here(folder, seeds, epochs):
    first(folder, epochs)
    run = a_run(f"{folder}/study", epochs)
    began = time.process_time()
    rows = run.study("cells", cells(seeds), whole)
    return time.process_time() - began, [row["negative_elbo_nats"] for row in rows]


def command(folder, engine, seeds, epochs):
    flags = [f"--{name}={value}" for name, value in TINY.items()] + [f"--epochs={epochs}", f"--num_seeds={seeds}"]
    flags += [f"--objectives={','.join(OBJECTIVES)}", "--num_strengths=1", f"--engine={engine}", f"--workdir={folder}"]
    began = time.perf_counter()
    words = [sys.executable, "-m", "recipes.disentanglement", "--mode=study", *flags]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout[-1000:] + done.stderr[-3000:])
    return time.perf_counter() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=2)
    asked = parser.parse_args()
    print(machine(), flush=True)
    count = len(cells(asked.seeds))
    with tempfile.TemporaryDirectory() as folder:
        print_row("", "study", "bare", "ratio")
        theirs, bounds = apart(bare, f"{folder}/bare", asked.seeds, asked.epochs)
        ours, found = apart(here, f"{folder}/here", asked.seeds, asked.epochs)
        if found != bounds:
            raise SystemExit(f"the models differ: {bounds} and {found}.")
        print_row(f"{count} models in one process", f"{ours:.1f} s", f"{theirs:.1f} s", f"{ours / theirs:.3f}", "1.05")
        print_row("", "processes", "here", "ratio")
        times = [
            command(pathlib.Path(folder, f"by_{each}"), each, asked.seeds, asked.epochs)
            for each in ("processes", "here")
        ]
        print_row(f"{count} models, whole command", *(f"{each:.1f} s" for each in times), f"{times[0] / times[1]:.2f}")


if __name__ == "__main__":
    main()
