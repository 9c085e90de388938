"""Dense CRF beside pydensecrf2, in C++: time, processor time and memory over image sizes; and the phone's CRF.

  ./run benchmarks tests/benchmarks/bench_crf.py [--repeats=5] [--turns=3]
  .venv/bin/pip install -e ".[pydensecrf]"    the other side, which pip compiles: it needs a C++ compiler

A photograph of scikit-learn's at three sizes, 11 labels of random unaries, 10 iterations, two pairs of kernels: the
usual ones of pydensecrf (80 pixels, 13 grey levels) and finer ones of the paper (60 pixels, 5 grey levels). Each side
has a process of its own, and they take turns; a figure is the median of all. Memory is what an image adds to a process
that has done a small one. The phone's CRF is compared with the dense one on unaries that know something: six bands of
the image's light, true in 6 of 10 pixels; its .tflite has one thread. Agreement with pydensecrf2 is a test:
tests/layers/test_dense_crf.py.
"""

import argparse
import os
import pathlib
import statistics
import tempfile
import time

import numpy as np
from measuring import apart, machine, peak_megabytes, print_row, timed, version

SIZES = ((240, 180), (480, 360), (960, 720))
KERNELS = ((80.0, 13.0), (60.0, 5.0))
NUM_CLASSES, NUM_ITERATIONS = 11, 10


def photograph(size):
    from PIL import Image
    from sklearn.datasets import load_sample_image

    return np.array(Image.fromarray(load_sample_image("china.jpg")).resize(size))


def logits(image, kind):
    random = np.random.default_rng(0)
    if kind == "random":
        return np.log(random.dirichlet(np.ones(NUM_CLASSES), image.shape[:2])).astype("float32")
    light = image.mean(axis=2)
    bands = np.digitize(light, np.quantile(light, np.linspace(0, 1, 7)[1:-1]))
    seen = np.where(random.random(bands.shape) < 0.6, bands, random.integers(0, NUM_CLASSES, bands.shape))
    return np.log(0.3 / NUM_CLASSES + 0.7 * np.eye(NUM_CLASSES, dtype="float32")[seen])


def measured(infer, logits, image, repeats):
    """Seconds and processor seconds of each call, and by how many megabytes the image made the process grow."""
    infer(*(np.ascontiguousarray(x[:32, :32]) for x in (logits, image)))
    before, found = peak_megabytes(), []
    for _ in range(1 + repeats):
        wall, processor = time.perf_counter(), time.process_time()
        infer(logits, image)
        found.append((time.perf_counter() - wall, time.process_time() - processor))
    return found[1:], peak_megabytes() - before


def toolkit_crf(size, kernel, repeats):
    import tensorflow as tf

    from toolkit.layers import DenseCRF

    image = photograph(size)
    unaries = logits(image, "random")
    layer = DenseCRF(NUM_ITERATIONS, position_stddev=kernel[0], color_stddev=kernel[1], bilateral_weight=10.0)
    layer.build((1, None, None, NUM_CLASSES), (1, None, None, 3))
    specs = [tf.TensorSpec((1, None, None, each), "float32") for each in (NUM_CLASSES, 3)]
    found = tf.function(layer.call, input_signature=specs)
    return measured(lambda *given: found(*(x[None].astype("float32") for x in given)).numpy(), unaries, image, repeats)


def compiled_crf(size, kernel, repeats):
    from pydensecrf import densecrf

    def infer(unaries, image):
        height, width, _ = image.shape
        field = densecrf.DenseCRF2D(width, height, NUM_CLASSES)
        field.setUnaryEnergy(np.ascontiguousarray(-unaries.reshape(-1, NUM_CLASSES).T))
        field.addPairwiseGaussian(sxy=3, compat=3)
        field.addPairwiseBilateral(sxy=kernel[0], srgb=kernel[1], rgbim=image, compat=10)
        return np.array(field.inference(NUM_ITERATIONS))

    image = photograph(size)
    return measured(infer, logits(image, "random"), image, repeats)


def phone_crf(size, repeats):
    """Seconds of the .tflite on one thread, its megabytes, and how many labels are those of DenseCRF."""
    import tensorflow as tf

    from toolkit import export
    from toolkit.layers import DenseCRF, LocalCRF

    image = photograph(size)
    given = {"logits": logits(image, "known")[None], "image": image[None].astype("float32")}
    how = {"position_stddev": 80.0, "color_stddev": 13.0, "bilateral_weight": 10.0}
    layer = LocalCRF(**how)
    exact = tf.function(DenseCRF(NUM_ITERATIONS, **how))(*given.values()).numpy().argmax(-1)
    layer.build(*(x.shape for x in given.values()))
    traced = export.trace(
        export.signature(lambda **x: {"found": layer(**x)}, **{name: (x.shape, "float32") for name, x in given.items()})
    )
    with tempfile.TemporaryDirectory() as folder:
        saved, path = pathlib.Path(folder, "saved_model"), pathlib.Path(folder, "crf.tflite")
        export.save_traced(saved, {"run": traced})
        export.convert_to_tflite(saved, path, ["run"])
        call = export.tflite_caller(path, 1)
        seconds = timed(lambda: call("run", **given), repeats, 1)
        found = call("run", **given)["found"].argmax(-1)
        return statistics.median(seconds), path.stat().st_size / 1e6, (found == exact).mean()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--turns", type=int, default=3)
    asked = parser.parse_args()
    print(machine())
    both = version("pydensecrf2") is not None
    if not both:
        print("pydensecrf2 is not installed: our side alone (see --help)")
    print_row("", "toolkit", "pydensecrf2", "ratio")
    for kernel in KERNELS:
        for size in SIZES:
            sides = ([], []) if both else ([],)
            for _ in range(asked.turns):
                for side, function in zip(sides, (toolkit_crf, compiled_crf), strict=False):
                    side.append(apart(function, size, kernel, asked.repeats))
            name = f"{size[0]} x {size[1]}, {kernel[0]:.0f} pixels, {kernel[1]:.0f} grey levels"
            for what, place in (("ms", 0), ("ms of processor", 1)):
                calls = [[call[place] for times, _ in side for call in times] for side in sides]
                print_values(f"{name}, {what}", [1e3 * statistics.median(each) for each in calls])
            print_values(f"{name}, MB", [statistics.median(memory for _, memory in side) for side in sides])
    for size in SIZES[:2]:
        seconds, megabytes, same = apart(phone_crf, size, asked.repeats)
        print_row(f"{size[0]} x {size[1]}, LocalCRF, .tflite on one thread, ms", f"{1e3 * seconds:.0f}")
        print_row(f"{size[0]} x {size[1]}, LocalCRF, labels of DenseCRF, %", f"{100 * same:.1f}")
        print_row(f"{size[0]} x {size[1]}, LocalCRF, .tflite, MB", f"{megabytes:.2f}")


def print_values(what, values):
    texts = [f"{value:.0f}" for value in values]
    print_row(what, *texts, *([f"{values[0] / values[1]:.2f}"] if len(values) == 2 else []))


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    main()
