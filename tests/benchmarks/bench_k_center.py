"""Speed and memory of choosing examples by k-centre beside scikit-activeml, and of passes with dropout.

  ./run benchmarks tests/benchmarks/bench_k_center.py [--other=ENVIRONMENT/bin/python] [--queries=100,1000]
  python3.11 -m venv ENVIRONMENT; ENVIRONMENT/bin/pip install scikit-activeml==1.0.1    the other side

Greedy k-centre of 50,000 points of 512 features, 1,000 of them labelled: both sides choose the same points. Memory is
the process' peak, and what of it came since the points were there. Then how many images a network passes in a second
with its dropout on, 25 passes: our function, which computes what lies before the dropout once, beside the usual loop
over `model(images, training=True)`, which also has batch normalization learn from them. Each side has a process of its
own, on the CPU; times are wall seconds and, in parentheses, those of the processor. A ratio below 1 means that the
toolkit takes less.
"""

import argparse
import json
import os
import pathlib
import subprocess
import tempfile
import time

from measuring import apart, machine, peak_megabytes, print_row, timed_twice

FEATURES, LABELLED = 512, 1000
PASSES, IMAGES, SIDE = 25, 512, 32

OTHER = """
import json, resource, sys, time
import numpy as np
from skactiveml.pool import CoreSet

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

path, labelled, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
points = np.load(path)
y = np.full(len(points), np.nan)
y[:labelled] = 0
before, wall, processor = peak(), time.perf_counter(), time.process_time()
rows = CoreSet(random_state=0).query(points, y, batch_size=count)
found = {"wall": time.perf_counter() - wall, "processor": time.process_time() - processor}
print(json.dumps(found | {"rows": rows.tolist(), "peak": peak(), "added": peak() - before}))
"""


def write_points(path, number):
    """Features as they are after ReLU, float32."""
    import numpy as np

    np.save(path, np.maximum(np.random.default_rng(0).standard_normal((number, FEATURES), "float32"), 0))


def ours(path, labelled, count):
    import numpy as np

    from toolkit.methods.k_center import k_center_greedy

    points = np.load(path)
    k_center_greedy(points[:100], points[100:200], 2)  # the mathematical library starts
    before, wall, processor = peak_megabytes(), time.perf_counter(), time.process_time()
    rows = k_center_greedy(points[labelled:], points[:labelled], count).rows + labelled
    found = {"wall": time.perf_counter() - wall, "processor": time.process_time() - processor}
    return found | {"rows": rows.tolist(), "peak": peak_megabytes(), "added": peak_megabytes() - before}


def theirs(python, path, labelled, count):
    command = [python, "-c", OTHER, path, str(labelled), str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": ""})
    if done.returncode:
        raise SystemExit(f"{python} with scikit-activeml fails:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def passes(architecture, way, repeats):
    """Seconds of 25 passes over the images: wall and processor."""
    import keras
    import numpy as np

    from toolkit.methods.dropout_passes import dropout_passes
    from toolkit.models.image_classifier import image_classifier

    keras.utils.set_random_seed(0)
    if architecture == "vgg11":
        model = image_classifier("vgg11", (SIDE, SIDE, 3), 10, width=16)
    else:
        model = image_classifier(architecture, (SIDE, SIDE, 3), 10)
        features = keras.layers.Dropout(0.5)(model.get_layer("logits").input)
        model = keras.Model(model.input, keras.layers.Dense(10, name="last")(features))
    images = np.random.default_rng(0).uniform(0, 255, (IMAGES, SIDE, SIDE, 3)).astype("float32")
    if way == "ours":
        run = dropout_passes(model, PASSES)
        return timed_twice(lambda: run(images), repeats, warm_up=1)[1]
    import tensorflow as tf

    once = tf.function(lambda part: model(part, training=True))
    parts = [tf.constant(images[start : start + 256]) for start in range(0, IMAGES, 256)]
    return timed_twice(lambda: [np.asarray(once(part)) for part in parts * PASSES], repeats, warm_up=1)[1]


def show(what, wall, processor, others=None, words=""):
    """A row of seconds, wall (and processor), of one side or both."""
    row = [what, f"{wall:.2f} ({processor:.2f}) s{words}"]
    if others is not None:
        row += [f"{others[0]:.2f} ({others[1]:.2f}) s", f"{wall / others[0]:.2f}"]
    print_row(*row)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--other", help="a Python with scikit-activeml")
    parser.add_argument("--points", type=int, default=50_000, help="points in all (50000)")
    parser.add_argument("--queries", default="100,1000", help="how many points to choose (100,1000)")
    parser.add_argument("--repeats", type=int, default=3, help="repeats of the passes (3)")
    asked = parser.parse_args()
    print(machine(), flush=True)
    print_row("", "toolkit", "scikit-activeml" if asked.other else "(no scikit-activeml here)", "ratio")
    with tempfile.TemporaryDirectory() as folder:
        path = str(pathlib.Path(folder, "points.npy"))
        # In a process of its own: a child's peak memory counts from this one's.
        apart(write_points, path, asked.points)
        for count in map(int, asked.queries.split(",")):
            found = apart(ours, path, LABELLED, count)
            other = theirs(asked.other, path, LABELLED, count) if asked.other else None
            what = f"k-centre, {asked.points:,} x {FEATURES}, {count:,} chosen"
            show(what, found["wall"], found["processor"], other and (other["wall"], other["processor"]))
            memory = [f"{found['peak']:.0f} MB, {found['added']:.0f} of it since"]
            if other:
                memory += [f"{other['peak']:.0f} MB, {other['added']:.0f} of it since"]
                memory += [f"{found['added'] / max(other['added'], 1):.2f}"]
                if found["rows"] != other["rows"]:
                    first = next(place for place in range(count) if found["rows"][place] != other["rows"][place])
                    raise SystemExit(f"The choices differ from the {first + 1}th on.")
            print_row("  memory", *memory)
    print_row(f"{PASSES} passes over {IMAGES} images", "toolkit", "model(training=True)", "ratio")
    for architecture in ("resnet20", "vgg11"):
        wall, processor = apart(passes, architecture, "ours", asked.repeats)
        others = apart(passes, architecture, "usual", asked.repeats)
        show(architecture, wall, processor, others)
        print_row("  images x passes a second", f"{PASSES * IMAGES / wall:,.0f}", f"{PASSES * IMAGES / others[0]:,.0f}")


if __name__ == "__main__":
    main()
