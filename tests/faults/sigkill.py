"""Kills a recipe with SIGKILL at random moments, starts it again, and compares its end with an undisturbed run.

  ./run python tests/faults/sigkill.py --kills=30 --seed=0

A third of the kills come during steps, a third while a checkpoint is being written, the others during evaluation,
pictures and export. After each, whatever the folder shows under its final name must be whole. In the end all weights,
the optimiser's state, the metrics, the pictures and what the `.tflite` computes must be the undisturbed run's, bit for
bit. It exits with 1 where they are not, and with 2 where it does not get through in --minutes.
"""

import argparse
import itertools
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import numpy as np
from PIL import Image

FLAGS = {
    "handwriting_prediction": ["--data=embedded:60", "--units=8", "--num_layers=1", "--epochs=9"],
    "segmentation": ["--data=embedded:40:32", "--backbone=resnet8", "--filters=8", "--rates=1,2", "--epochs=5"]
    + ["--nocrf", "--export_sizes=32x32", "--max_measured=4"],
    "wavenet": ["--data=embedded:0.5:2", "--window=1000", "--num_layers=3", "--filters=8", "--skip_filters=8"]
    + ["--epochs=5", "--judge_epochs=1", "--num_judged=2", "--max_seconds=0.05", "--max_measured=2", "--num_samples=2"],
    "wavenet_phonemes": ["--data=embedded:0.5:2", "--window=1000", "--num_layers=3", "--filters=8", "--skip_filters=8"]
    + ["--epochs=5", "--max_measured=2"],
    "vqvae_image": ["--data=embedded:200", "--units=8", "--residual_units=8", "--num_embeddings=16", "--epochs=5"]
    + ["--embedding_dim=4", "--max_measured=2", "--num_samples=2"],
    "vqvae2": ["--data=embedded:200", "--units=8", "--residual_units=8", "--num_embeddings=16", "--epochs=5"]
    + ["--embedding_dim=4", "--max_measured=2", "--num_samples=2"],
    "vqvae_sound": ["--data=embedded:0.5:2", "--window=1024", "--num_layers=3", "--filters=8", "--skip_filters=8"]
    + ["--num_embeddings=32", "--embedding_dim=8", "--encoder_filters=8", "--epochs=5", "--judge_epochs=1"]
    + ["--prior_layers=2", "--prior_filters=8", "--prior_window=16", "--prior_epochs=1", "--seconds=0.1"]
    + ["--num_judged=2", "--max_seconds=0.05", "--max_measured=2", "--num_samples=2"],
    "vqvae_video": ["--data=embedded:sprites:30", "--units=8", "--residual_units=8", "--num_embeddings=16"]
    + [
        "--epochs=5",
        "--embedding_dim=4",
        "--filters=8",
        "--num_blocks=2",
        "--prior_epochs=1",
        "--max_measured=2",
        "--num_samples=2",
    ]
    + ["--image_size=16", "--num_frames=8"],
    "sigma_vae": ["--data=embedded:200", "--network=dense", "--units=1", "--latent_size=3", "--epochs=5"]
    + ["--max_measured=2", "--num_samples=2", "--num_judged=8"],
    "local_errors": ["--data=embedded:200", "--width=4", "--units=8", "--decoder_size=64", "--epochs=5", "--cutout=4"]
    + ["--max_measured=2"],
    "mixup_study": ["--data=embedded:200", "--image_size=8", "--units=8", "--method=manifold", "--epochs=9"]
    + ["--max_measured=2"],
    # Two optimizers.
    "disentanglement": ["--data=embedded:sprites:3x2x2x4x4", "--objective=factor_vae", "--network=dense", "--units=1"]
    + ["--latent_size=3", "--discriminator_units=4", "--epochs=3", "--num_points=100", "--num_trees=100"]
    + ["--max_measured=2", "--num_samples=2"],
    # Arrays that are computed as one step, then batches; predictions in place of samples.
    "sparse_gp": [
        "--data=embedded:wave:200",
        "--method=batches",
        "--num_inducing=8",
        "--max_iterations=5",
        "--epochs=5",
    ]
    + ["--start_rows=50", "--num_splits=2", "--max_measured=2"],
    "rare_translation": ["--data=embedded:80", "--units=4", "--embedding_size=4", "--memory_size=200", "--key_size=4"]
    + ["--num_neighbors=8", "--epochs=5", "--max_measured=2", "--num_samples=2"],
    # Rounds of a search that is over long before the last: what kills is the checkpoint of each.
    "influence": ["--num_train=200", "--iterations=5", "--epochs=300", "--num_examples=2", "--num_shown=2"]
    + ["--max_measured=2"],
    # Rounds: five networks in each, then a choice that is kept as arrays.
    "active_learning": ["--data=embedded:200", "--image_size=8", "--units=8", "--query_strategy=qbc", "--epochs=2"]
    + ["--initial_size=20", "--query_size=10", "--num_rounds=3", "--max_measured=2"],
    # A memory beside the weights, then a second network without one.
    "rare_events": ["--data=embedded:glyphs:30", "--image_size=8", "--filters=2", "--key_size=4", "--memory_size=64"]
    + ["--norotations", "--num_neighbors=8", "--epochs=3", "--num_episodes=4", "--export_slots=8", "--max_measured=2"]
    + ["--held_out=0.2"],
    # Two levels: a network of codes for each, one after the other.
    "codes_prior": ["--filters=8", "--num_blocks=2", "--num_heads=2", "--num_context_blocks=1", "--kernel_size=3"]
    + ["--num_output_blocks=1", "--epochs=4", "--max_measured=2", "--num_samples=2"],
}
NEEDS = {"codes_prior": "vqvae2"}  # the recipe whose workdir is its --data
ALWAYS = ["--batch_size=8", "--checkpoint_minutes=0"]
KINDS = ["step", "checkpoint", "step", "checkpoint", "step", "evaluate", "checkpoint", "sample", "export", "export"]
ORDER = ["step", "checkpoint", "evaluate", "sample", "predict", "export"]  # steps and checkpoints are in the training


class Moments:
    """Waits for moments in the life of one process."""

    def __init__(self, process, workdir, end):
        self.process, self.workdir, self.end = process, workdir, end

    def wait(self, seen):
        """Until `seen()`; False where the process ended before."""
        while not seen():
            if self.process.poll() is not None:
                return False
            if time.monotonic() > self.end:
                self.process.kill()
                raise TimeoutError
        return True

    def new_checkpoint(self):

        def stamp():
            kept = list((self.workdir / "checkpoints").rglob("latest.npz"))
            return max((path.stat().st_mtime_ns for path in kept), default=0)

        before = stamp()
        return self.wait(lambda: time.sleep(0.005) or stamp() != before)

    def writing(self):
        """Until a checkpoint is being written, by this process and not by one that was killed before."""
        checkpoints = self.workdir / "checkpoints"
        before = set(checkpoints.rglob(".*.npz.*.tmp"))
        return self.wait(lambda: set(checkpoints.rglob(".*.npz.*.tmp")) - before)

    def phase(self, name):
        return self.wait(lambda: time.sleep(0.005) or f": {name}\n" in self.workdir.with_suffix(".log").read_text())


def undisturbed(recipe, workdir):
    """Runs to the end; returns how many seconds each phase took, so that kills are spread over all of it."""
    process, begun = start(recipe, workdir), {}
    while process.poll() is None:
        time.sleep(0.05)
        log = workdir.with_suffix(".log").read_text()
        for name in ORDER:
            if f": {name}\n" in log:
                begun.setdefault(name, time.monotonic())
    if process.returncode:
        sys.exit(workdir.with_suffix(".log").read_text())
    begun["end"] = time.monotonic()
    names = [name for name in (*ORDER, "end") if name in begun]
    return {name: begun[after] - begun[name] for name, after in itertools.pairwise(names)}


def start(recipe, workdir):
    with open(workdir.with_suffix(".log"), "w") as log:
        flags = [*FLAGS[recipe], *ALWAYS] + [f"--data={workdir.parent / 'data'}"] * (recipe in NEEDS)
        command = [sys.executable, "-m", f"recipes.{recipe}", f"--workdir={workdir}", *flags]
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)


def check_whole(workdir):
    """Whatever lies under a final name can be read to its end."""
    for path in workdir.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(workdir).parts)
        if hidden or not path.is_file():
            continue
        if path.suffix == ".npz":
            with np.load(path) as file:
                for key in file.files:
                    file[key]
        elif path.suffix == ".json":
            json.loads(path.read_text())
        elif path.suffix == ".png":
            with Image.open(path) as picture:
                picture.load()
    if (workdir / "export").exists():
        names = {path.name for path in (workdir / "export").iterdir()}
        assert names >= {"card.json", "card.md", "model.tflite", "saved_model"}, f"half an export: {names}"


def same(whole, cut):
    """Names what differs between two runs' folders."""
    wrong = []
    for name in sorted(path.relative_to(whole) for path in (whole / "checkpoints").rglob("*.npz")):
        with np.load(whole / name) as a, np.load(cut / name) as b:
            if a.files != b.files:
                wrong.append(str(name))
            wrong += [f"{name}: {key}" for key in a.files if not np.array_equal(a[key], b[key])]
    if (whole / "metrics.json").read_text() != (cut / "metrics.json").read_text():
        wrong.append("metrics.json")
    for path in sorted((whole / "pictures").rglob("*.png")):
        if not np.array_equal(np.asarray(Image.open(path)), np.asarray(Image.open(cut / path.relative_to(whole)))):
            wrong.append(str(path.relative_to(whole)))
    a, b = (run_tflite(folder / "export" / "model.tflite") for folder in (whole, cut))
    return wrong + [f"model.tflite: {key}" for key in a if not np.array_equal(a[key], b[key])]


def run_tflite(path):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path))
    # Of those that draw noise of their own, the one that is given it.
    name = min(interpreter.get_signature_list(), key=lambda name: (not name.endswith("_from_noise"), name))
    runner = interpreter.get_signature_runner(name)
    rng = np.random.default_rng(0)
    inputs = {}
    for name, detail in sorted(runner.get_input_details().items()):
        values = rng.uniform(0.05, 0.95, detail["shape"])
        inputs[name] = (values if detail["dtype"] == np.float32 else values * 90 + 32).astype(detail["dtype"])
    return runner(**inputs)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="handwriting_prediction", choices=FLAGS)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=20.0)
    asked = parser.parse_args()
    chance, end = random.Random(asked.seed), time.monotonic() + 60 * asked.minutes
    kinds = sorted((KINDS * asked.kills)[: asked.kills], key=ORDER.index)
    # Steps and checkpoints in any order, while there are some left to be killed in; then what comes after the training.
    training = [kind for kind in kinds if kind in ("step", "checkpoint")]
    chance.shuffle(training)
    kinds[: len(training)] = training
    with tempfile.TemporaryDirectory() as folder:
        whole, cut = pathlib.Path(folder, "whole"), pathlib.Path(folder, "cut")
        if asked.recipe in NEEDS:
            undisturbed(NEEDS[asked.recipe], pathlib.Path(folder, "data"))
        seconds = undisturbed(asked.recipe, whole)
        # A recipe without a phase is killed in its evaluation instead.
        kinds = [kind if kind in ("step", "checkpoint", *seconds) else "evaluate" for kind in kinds]
        killed = mid_write = 0
        for number, kind in enumerate(kinds, 1):
            process = start(asked.recipe, cut)
            moments = Moments(process, cut, end)
            try:
                if kind == "checkpoint":
                    alive = moments.writing()
                elif kind == "step":
                    alive = moments.new_checkpoint()
                    time.sleep(chance.uniform(0, 0.1))
                else:
                    phase = kind if kind in seconds else "predict"  # where nothing is sampled
                    alive = moments.phase(phase)
                    time.sleep(chance.uniform(0, 0.7 * seconds[phase]))
            except TimeoutError:
                print(f"not through after {asked.minutes} minutes")
                sys.exit(2)
            process.kill()
            code = process.wait()
            left = [path.name for path in cut.rglob(".*") if path.name.endswith((".tmp", ".new", ".old"))]
            mid_write += bool(left)
            killed += code == -9
            print(
                f"{number:3} of {len(kinds)}: {kind:<10} {'killed' if code == -9 else f'ended with {code}'} {left}",
                flush=True,
            )
            if not alive and code:
                sys.exit(cut.with_suffix(".log").read_text())
            check_whole(cut)
        if start(asked.recipe, cut).wait():
            sys.exit(cut.with_suffix(".log").read_text())
        check_whole(cut)
        wrong = same(whole, cut)
        stale = [path.name for path in cut.rglob(".*") if path.name.endswith((".tmp", ".new", ".old"))]
        print(f"{mid_write} of {len(kinds)} kills came while a file was being written; left behind at the end: {stale}")
        print("different: " + ", ".join(wrong) if wrong else "the end is bit for bit that of the undisturbed run")
        if killed < len(kinds) or not mid_write:
            print(f"only {killed} of {len(kinds)} processes were still there to be killed: use another --seed")
        sys.exit(bool(wrong or stale or killed < len(kinds) or not mid_write))


if __name__ == "__main__":
    main()
