"""Image networks and their input beside keras.applications, Keras' layers and PyTorch.

  ./run benchmarks tests/benchmarks/bench_images.py                     everything, on an idle machine
  ./run python tests/benchmarks/bench_images.py --networks=resnet20 --parts=training --steps=20
  ./run python tests/benchmarks/bench_images.py --parts=pipeline

Training: a step of SGD with momentum on the cross-entropy, on one batch. The toolkit and PyTorch begin from the same
weights; before anything is timed their logits must agree, and in training the first losses, but for VGG, where dropout
differs. keras.applications begins with weights of its own; its ResNet-50 has biases before the normalization, its VGG
no dropout, and ResNet-18 and -20 are not there. Memory is the process's peak. The first step is one of one image, on
all sides: with it come gradients and momentum, and TensorFlow's graph.

Classifying: Keras' model as a tf.function, the exported .tflite in float32 and int8 on one thread, in a process without
TensorFlow, and PyTorch in inference mode, on all threads and on one. PyTorch is tried in both orders in memory, the
channels second and last; the faster one is beside ours in the ratio.

Pipeline: files of 500 x 375 to 224 x 224, decoded for each batch (crop of 8 to 100 % of the middle square, flip,
colours), beside image_dataset_from_directory with RandomFlip, RandomCrop, RandomBrightness and RandomContrast (one
crop for all of a batch, whole pixels, no change of saturation), and a DataLoader with Pillow (crop of the whole image,
flip, colours). Arrays of 60,000 images of 32 x 32: padded, shifted, mirrored; PyTorch changes a batch at once.

Each side has a process of its own that sees as many cores as --threads; what is compared is measured in turns,
--repeats times, and the figure is the median of the medians. A ratio is one of times, below 1 where ours is faster.
"""

import argparse
import math
import os
import pathlib
import statistics
import sys
import tempfile
import time

import numpy as np
from measuring import apart, machine, peak_megabytes, timed, version

MEAN, SCALE = 127.5, 64.0  # of the pixels
LEARNING_RATE = 1e-5  # small enough for the losses of networks of random weights to fall, so that they can be compared
TOLERANCE = 1e-3  # of logits, as a share of the largest; of losses
# Side, classes, images in a training step, the name in keras.applications.
NETWORKS = {
    "resnet18": (224, 1000, 8, None),
    "resnet50": (224, 1000, 8, "ResNet50"),
    "vgg16": (224, 1000, 8, "VGG16"),
    "inception_v3": (299, 1000, 8, "InceptionV3"),
    "resnet20": (32, 10, 128, None),
}
PARTS = ("training", "inference", "pipeline")
COUNTS = (1, 8)  # images that are classified at once
ORDERS = {"PyTorch": False, "PyTorch, channels last": True}  # of an image in memory
SIDES = ("toolkit", "keras.applications", *ORDERS)
WARM_UP_BATCHES = 8  # at least what runs ahead on each side with few cores
CLASSES, FILES_SIZE, COLOR = 8, 224, 0.4  # of the files

# What both sides read, and how many cores they see. -------------------------------------------------------------------


def batch(name, count):
    """float32 images, 0 to 255, and labels."""
    side, num_classes, *_ = NETWORKS[name]
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (count, side, side, 3)).astype("float32")
    return images, random.integers(0, num_classes, count)


def take_cores(threads):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def start_tensorflow(threads):
    take_cores(threads)
    import keras
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    keras.utils.set_random_seed(0)
    return tf, keras


def start_pytorch(threads):
    take_cores(threads)
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    return torch


# Networks. ------------------------------------------------------------------------------------------------------------


def toolkit_network(name):
    """The same weights in each process; no normalization is left as it begins, so that a wrong copy shows."""
    from toolkit import models

    model = models.image_classifier.image_classifier(name, num_classes=NETWORKS[name][1])
    model.get_layer("standardize").adapt([MEAN] * 3, [SCALE] * 3)
    random = np.random.default_rng(0)
    for variable in model.weights:
        if variable.name in ("gamma", "moving_variance"):
            variable.assign(random.uniform(0.5, 1.5, variable.shape))
        elif variable.name in ("beta", "moving_mean", "bias"):
            variable.assign(random.normal(0, 0.1, variable.shape))
    return model


def application(name):
    """That of keras.applications."""
    import keras

    return getattr(keras.applications, NETWORKS[name][3])(weights=None, classifier_activation=None)


def write_weights(name, folder, threads):
    """The toolkit's weights in order and logits, for PyTorch; the number of trainable weights."""
    start_tensorflow(threads)
    from toolkit.models.pretrained import in_order

    model = toolkit_network(name)
    arrays = {
        f"{number:03}/{variable.name}": np.asarray(variable)
        for number, layer in enumerate(in_order(model))
        for variable in layer.weights
    }
    np.savez(pathlib.Path(folder, f"{name}.npz"), **arrays)
    np.save(pathlib.Path(folder, f"{name}_logits.npy"), model(batch(name, 4)[0], training=False).numpy())
    return sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)


def pytorch_network(name, folder):
    import images_in_pytorch

    layers = {}
    with np.load(pathlib.Path(folder, f"{name}.npz")) as file:
        for key in file.files:
            layers.setdefault(key.partition("/")[0], {})[key.partition("/")[2]] = file[key]
    return images_in_pytorch.take(images_in_pytorch.network(name, NETWORKS[name][1]), layers.values())


def pytorch_difference(name, folder, threads):
    """Largest difference of the logits, as a share of the largest; the number of trainable weights."""
    torch = start_pytorch(threads)
    import images_in_pytorch

    model = pytorch_network(name, folder).eval()
    with torch.inference_mode():
        logits = model(images_in_pytorch.as_images(batch(name, 4)[0], False)).numpy()
    difference = relative_difference(logits, np.load(pathlib.Path(folder, f"{name}_logits.npy")))
    return difference, sum(p.numel() for p in model.parameters() if p.requires_grad)


def relative_difference(values, expected):
    return float(np.abs(values - expected).max() / np.abs(expected).max())


# Training. ------------------------------------------------------------------------------------------------------------


def measured(step, images, labels, steps):
    """First losses, seconds of a step, peak memory, and what of it came with a step of one image and then of all.

    With the first step come the gradients and their momentum, on Keras' side also the graph.
    """
    before = peak_megabytes()
    losses, first, seconds = [step(images[:1], labels[:1])], peak_megabytes(), []
    for _ in range(steps + 2):
        start = time.perf_counter()
        losses.append(step(images, labels))
        seconds.append(time.perf_counter() - start)
    return losses[:4], statistics.median(seconds[2:]), peak_megabytes(), first - before, peak_megabytes() - first


def keras_training(name, is_toolkit, batch_size, steps, threads):
    tf, keras = start_tensorflow(threads)
    images, labels = batch(name, batch_size)
    if is_toolkit:
        from toolkit import training

        training.phases.keep_freed_memory()
        model = toolkit_network(name)
    else:
        model, images = application(name), (images - MEAN) / SCALE
    optimizer = keras.optimizers.SGD(LEARNING_RATE, momentum=0.9)
    if is_toolkit:
        training.optimizers.wait_for_gradients(optimizer)
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    optimizer.build(model.trainable_variables)
    signature = [tf.TensorSpec((None, *images.shape[1:]), "float32"), tf.TensorSpec((None,), "int64")]
    train_step = tf.function(lambda *given: model.train_step(given)["loss"], input_signature=signature)

    def step(*given):
        model.reset_metrics()  # the loss is the mean since then
        return float(train_step(*given))

    return measured(step, images, labels, steps)


def pytorch_training(name, channels_last, batch_size, steps, folder, threads):
    torch = start_pytorch(threads)
    import images_in_pytorch

    model = images_in_pytorch.in_order_of(pytorch_network(name, folder), channels_last)
    images, labels = batch(name, batch_size)
    images = images_in_pytorch.as_images(images, channels_last)
    step = images_in_pytorch.stepping(model, LEARNING_RATE)
    return measured(step, images, torch.from_numpy(labels), steps)


# Classifying. ---------------------------------------------------------------------------------------------------------


def export(name, folder, threads):
    """Writes the network in float32 and int8, a signature for each number of images; random weights, random images."""
    start_tensorflow(threads)
    from toolkit.export.int8 import quantize_to_int8
    from toolkit.export.saved_model import save_traced, trace
    from toolkit.export.signatures import signature
    from toolkit.export.tflite import convert_to_tflite

    model, side = toolkit_network(name), NETWORKS[name][0]
    signatures = {
        f"classify_{count}": signature(
            lambda image: {"logits": model(image, training=False)}, image=((count, side, side, 3), "float32")
        )
        for count in COUNTS
    }
    saved, exact = pathlib.Path(folder, f"{name}_saved_model"), pathlib.Path(folder, f"{name}.tflite")
    save_traced(saved, {key: trace(each) for key, each in signatures.items()}, [model])
    convert_to_tflite(saved, exact, signatures)
    typical = [{f"classify_{count}": {"image": batch(name, count)[0]}} for count in COUNTS]
    quantize_to_int8(exact, pathlib.Path(folder, f"{name}_int8.tflite"), typical)


def keras_inference(name, is_toolkit, calls, threads):
    """Number of images to seconds of a call."""
    tf, _ = start_tensorflow(threads)
    if is_toolkit:
        from toolkit import training

        training.phases.keep_freed_memory()
    model = toolkit_network(name) if is_toolkit else application(name)
    classify = tf.function(lambda images: model(images, training=False))
    found = {}
    for count in COUNTS:
        images = tf.constant(batch(name, count)[0])
        found[count] = statistics.median(timed(lambda images=images: classify(images).numpy(), calls))
    return found


def tflite_inference(name, calls, folder):
    """File to number of images to seconds; the float32 file's difference from Keras, int8's from float32."""
    take_cores(1)
    from toolkit.export.interpreter import tflite_caller

    found, logits = {}, {}
    for kind in ("", "_int8"):
        call = tflite_caller(pathlib.Path(folder, f"{name}{kind}.tflite"), 1)
        for count in COUNTS:
            key, images = f"classify_{count}", batch(name, count)[0]
            seconds = timed(lambda call=call, key=key, images=images: call(key, image=images), calls)
            found.setdefault(kind, {})[count] = statistics.median(seconds)
        logits[kind] = np.concatenate([call("classify_1", image=image[None])["logits"] for image in batch(name, 4)[0]])
    expected = np.load(pathlib.Path(folder, f"{name}_logits.npy"))
    return found, relative_difference(logits[""], expected), relative_difference(logits["_int8"], logits[""])


def pytorch_inference(name, calls, folder, threads):
    """Order in memory to number of images to seconds."""
    torch = start_pytorch(threads)
    import images_in_pytorch

    model, found = pytorch_network(name, folder).eval(), {}
    with torch.inference_mode():
        for order, channels_last in ORDERS.items():
            model = images_in_pytorch.in_order_of(model, channels_last)
            for count in COUNTS:
                images = images_in_pytorch.as_images(batch(name, count)[0], channels_last)
                seconds = timed(lambda model=model, images=images: model(images).numpy(), calls)
                found.setdefault(order, {})[count] = statistics.median(seconds)
    return found


# Pipeline. ------------------------------------------------------------------------------------------------------------


def write_files(folder, num_files):
    """JPEGs of 500 x 375: gradients, edges and noise, about as many bytes as a photograph has."""
    from PIL import Image

    random = np.random.default_rng(0)
    rows, columns = np.mgrid[:375, :500] / 375
    for number in range(num_files):
        place = pathlib.Path(folder, f"class_{number % CLASSES}", f"{number}.jpg")
        place.parent.mkdir(parents=True, exist_ok=True)
        slopes, waves = random.uniform(-1, 1, (2, 3)), random.uniform(5, 60, (3, 2))
        pixels = 128 + 100 * (slopes[0] * (rows[..., None] - 0.5) + slopes[1] * (columns[..., None] - 0.5))
        for frequency_down, frequency_right in waves:
            edges = np.sign(np.sin(frequency_down * rows + frequency_right * columns))[..., None]
            pixels = pixels + edges * random.uniform(-30, 30, 3)
        coarse = random.normal(0, 20, (47, 63, 1)).repeat(8, axis=0).repeat(8, axis=1)[:375, :500]
        pixels = pixels + coarse + random.normal(0, 6, (375, 500, 1))
        Image.fromarray(np.clip(pixels, 0, 255).astype("uint8")).save(place, quality=90)


def write_arrays(path):
    random = np.random.default_rng(0)
    arrays = {}
    for split, count in (("train", 60_000), ("test", 100)):
        arrays[f"x_{split}"] = random.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
        arrays[f"y_{split}"] = np.arange(count) % 10
    np.savez(path, **arrays)


def images_a_second(batches, num_batches, warm_up):
    """Of batches that are taken as fast as they come, with all that runs ahead."""
    iterator = iter(batches)
    for _ in range(warm_up):
        next(iterator)
    start, count = time.perf_counter(), 0
    for _ in range(num_batches):
        count += len(next(iterator)[0])
    return count / (time.perf_counter() - start)


def toolkit_files(folder, batch_size, num_batches, threads):
    start_tensorflow(threads)
    from toolkit import data

    data.images.store.MEMORY = 0  # streamed, as a large data set is
    augmentation = data.images.Augmentation(crop="area", flip=True, color=COLOR)
    images = data.images.load(
        f"folder:{folder}", image_size=FILES_SIZE, batch_size=batch_size, augmentation=augmentation
    )
    batches = images.splits.train.at_least(min(batch_size, images.splits.train.num_examples))
    return images_a_second(batches.dataset(), num_batches, WARM_UP_BATCHES)


def keras_files(folder, batch_size, num_batches, threads):
    tf, keras = start_tensorflow(threads)
    stored = round(FILES_SIZE / 0.875)
    dataset = keras.utils.image_dataset_from_directory(
        folder, image_size=(stored, stored), crop_to_aspect_ratio=True, batch_size=batch_size, seed=0, verbose=False
    )
    layers = keras.layers
    changed = keras.Sequential(
        [
            layers.RandomFlip("horizontal"),
            layers.RandomCrop(FILES_SIZE, FILES_SIZE),
            layers.RandomBrightness(COLOR),
            layers.RandomContrast(COLOR),
        ]
    )
    return keras_images_a_second(tf, dataset, changed, num_batches)


def keras_images_a_second(tf, dataset, changed, num_batches):
    dataset = dataset.repeat().map(
        lambda images, labels: (changed(images, training=True), labels), num_parallel_calls=tf.data.AUTOTUNE
    )
    return images_a_second(dataset.prefetch(tf.data.AUTOTUNE), num_batches, WARM_UP_BATCHES)


def pytorch_files(folder, batch_size, num_batches, threads):
    start_pytorch(threads)
    import images_in_pytorch

    paths = sorted(pathlib.Path(folder).glob("*/*.jpg"))
    labels = [int(path.parent.name.rpartition("_")[2]) for path in paths]
    batches = images_in_pytorch.batches_of_files(paths, labels, FILES_SIZE, COLOR, batch_size, threads)
    return images_a_second(batches, num_batches, WARM_UP_BATCHES)


def toolkit_arrays(path, batch_size, num_batches, threads):
    start_tensorflow(threads)
    from toolkit import data

    augmentation = data.images.Augmentation(crop="shift", flip=True)
    images = data.images.load(f"npz:{path}", image_size=32, batch_size=batch_size, augmentation=augmentation)
    return images_a_second(images.splits.train.dataset(), num_batches, WARM_UP_BATCHES)


def keras_arrays(path, batch_size, num_batches, threads):
    tf, keras = start_tensorflow(threads)
    with np.load(path) as file:
        images, labels = file["x_train"], file["y_train"]
    dataset = tf.data.Dataset.from_tensor_slices((images, labels)).shuffle(10_000, seed=0).batch(batch_size)
    layers = keras.layers
    changed = keras.Sequential(
        [layers.RandomFlip("horizontal"), layers.ZeroPadding2D(4), layers.RandomCrop(32, 32, dtype="float32")]
    )
    return keras_images_a_second(tf, dataset, changed, num_batches)


def pytorch_arrays(path, batch_size, num_batches, threads):
    start_pytorch(threads)
    import images_in_pytorch

    with np.load(path) as file:
        images, labels = file["x_train"], file["y_train"]
    batches = images_in_pytorch.batches_of_arrays(images, labels, batch_size)
    return images_a_second(batches, num_batches, WARM_UP_BATCHES)


# The tables. ----------------------------------------------------------------------------------------------------------


def in_turns(sides, repeats):
    """Each side's results: all are measured once, then again."""
    found = {side: [] for side in sides}
    for number in range(repeats):
        for side, (function, *inputs) in sides.items():
            say(f"  {number + 1} of {repeats}: {side}")
            found[side].append(apart(function, *inputs))
    return found


def say(text):
    print(text, file=sys.stderr, flush=True)


def middle(results, *keys):
    """The median over the repeats of one figure in the results."""
    if results is None:
        return None

    def figure(result):
        for key in keys:
            result = result[key]
        return result

    return statistics.median(map(figure, results))


def least(*numbers):
    return min((number for number in numbers if number is not None), default=None)


def shown(number, factor=1.0, form=".4g"):
    return "" if number is None else format(factor * number, form)


def times(number):
    return shown(number, 1e3)


def ratio(ours, theirs):
    return "" if theirs is None else f"{ours / theirs:.2f}"


def print_table(header, rows):
    print()
    for row in (header, ["---"] * len(header), *rows):
        print(f"| {' | '.join(row)} |", flush=True)


def check(name, folder, threads):
    """Writes the weights and compares the logits."""
    ours = apart(write_weights, name, folder, threads)
    if version("torch") is None:
        return
    difference, theirs = apart(pytorch_difference, name, folder, threads)
    print(f"{name}: {ours:,} trainable weights; logits differ from PyTorch's by {difference:.1e} of the largest")
    if ours != theirs or not difference < TOLERANCE:
        raise SystemExit(f"{name}: not the same network; PyTorch's has {theirs:,} trainable weights")


def training_row(name, asked, folder):
    size = asked.batch_size or NETWORKS[name][2]
    sides = {"toolkit": (keras_training, name, True, size, asked.steps, asked.threads)}
    if NETWORKS[name][3]:
        sides["keras.applications"] = (keras_training, name, False, size, asked.steps, asked.threads)
    for order, channels_last in ORDERS.items() if version("torch") else ():
        sides[order] = (pytorch_training, name, channels_last, size, asked.steps, folder, asked.threads)
    say(f"{name}, training, {size} images")
    found = in_turns(sides, asked.repeats)
    check_losses(name, {side: [losses for losses, *_ in results] for side, results in found.items()})
    seconds, *memory = ({side: middle(found.get(side), place) for side in SIDES} for place in (1, 2, 3, 4))
    ours, applied, *theirs = (seconds[side] for side in SIDES)
    row = [f"{name}, {size} images", times(ours), shown(size / ours, 1, ".1f")]
    row += [times(applied) or "not there", ratio(ours, applied), *map(times, theirs), ratio(ours, least(*theirs))]
    # With one order or the other, the one that is compared with.
    fastest = min(ORDERS, key=lambda order: seconds[order] or math.inf)
    compared = "toolkit", "keras.applications", fastest
    return [*row, *(" / ".join(shown(each[side], 1, ".0f") or "-" for side in compared) for each in memory)]


def check_losses(name, losses):
    """The first ones of the toolkit and PyTorch: all but the first say that gradients and momentum are the same."""
    if not all(math.isfinite(loss) for results in losses.values() for result in results for loss in result):
        raise SystemExit(f"{name}: a loss is not finite: {losses}")
    if name == "vgg16":
        return
    for order in (order for order in ORDERS if order in losses):
        for ours, theirs in zip(losses["toolkit"], losses[order], strict=True):
            # In float32 both sides' gradients of a ResNet-50 on two images are 2 % away from those in float64, whose
            # loss is the same to six digits: rounding decides at many a ReLU.
            allowed = [TOLERANCE * abs(loss) + 0.1 * abs(loss - theirs[0]) for loss in theirs]
            if any(abs(a - b) > most for a, b, most in zip(ours, theirs, allowed, strict=True)):
                raise SystemExit(f"{name}: the first losses differ: {ours} and in {order} {theirs}")


def inference_rows(name, asked, folder):
    apart(export, name, folder, asked.threads)
    sides = {
        "toolkit": (keras_inference, name, True, asked.steps, asked.threads),
        ".tflite": (tflite_inference, name, asked.steps, folder),
    }
    if NETWORKS[name][3]:
        sides["keras.applications"] = (keras_inference, name, False, asked.steps, asked.threads)
    if version("torch"):
        sides["PyTorch"] = (pytorch_inference, name, asked.steps, folder, asked.threads)
        sides["PyTorch, one thread"] = (pytorch_inference, name, asked.steps, folder, 1)
    say(f"{name}, classifying")
    found = in_turns(sides, asked.repeats)
    _, exact, int8 = found[".tflite"][0]
    print(f"{name}: .tflite's logits differ from Keras' by {exact:.1e} of the largest, int8's from these by {int8:.1e}")
    if not exact < TOLERANCE:
        raise SystemExit(f"{name}: the .tflite file is not the same network")
    for count in COUNTS:
        ours = middle(found["toolkit"], count)
        lite, small = (middle(found[".tflite"], 0, kind, count) for kind in ("", "_int8"))
        applied = middle(found.get("keras.applications"), count)
        theirs = [middle(found.get("PyTorch"), order, count) for order in ORDERS]
        alone = least(*(middle(found.get("PyTorch, one thread"), order, count) for order in ORDERS))
        yield [
            f"{name}, {count} at once",
            times(ours),
            times(applied) or "not there",
            ratio(ours, applied),
            *map(times, theirs),
            ratio(ours, least(*theirs)),
            times(lite),
            times(small),
            times(alone),
            " / ".join((ratio(lite, alone), ratio(small, alone))) if alone else "",
        ]


def pipeline_rows(asked, folder):
    files, arrays = pathlib.Path(folder, "files"), pathlib.Path(folder, "arrays.npz")
    apart(write_files, files, asked.files)
    apart(write_arrays, arrays)
    for what, place, size, num_batches, functions in (
        (f"files to {FILES_SIZE} x {FILES_SIZE}", files, 32, 1, (toolkit_files, keras_files, pytorch_files)),
        ("arrays of 32 x 32", arrays, 128, 10, (toolkit_arrays, keras_arrays, pytorch_arrays)),
    ):
        names = ("toolkit", "Keras", "PyTorch") if version("torch") else ("toolkit", "Keras")
        say(f"pipeline, {what}")
        how = (place, size, num_batches * asked.batches, asked.threads)
        found = in_turns({side: (each, *how) for side, each in zip(names, functions, strict=False)}, asked.repeats)
        ours, *others = (middle(found.get(side)) for side in ("toolkit", "Keras", "PyTorch"))
        row = [f"{what}, batches of {size}", shown(ours, 1, ",.0f")]
        for other in others:
            row += [shown(other, 1, ",.0f"), "" if other is None else f"{other / ours:.2f}"]
        yield row


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", default=",".join(NETWORKS), help=f"of {', '.join(NETWORKS)}, between commas")
    parser.add_argument("--parts", default=",".join(PARTS), help=f"of {', '.join(PARTS)}, between commas")
    parser.add_argument("--batch_size", type=int, default=0, help="images in a training step; 0: 8, ResNet-20: 128")
    parser.add_argument("--steps", type=int, default=5, help="training steps, and calls in classifying, of one turn")
    parser.add_argument("--repeats", type=int, default=3, help="turns")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="cores of each side")
    parser.add_argument("--files", type=int, default=400, help="files of the pipeline")
    parser.add_argument(
        "--batches", type=int, default=40, help="batches of files in a turn; ten times as many of arrays"
    )
    asked = parser.parse_args()
    asked.networks, asked.parts = asked.networks.split(","), asked.parts.split(",")
    for what, names, known in (("networks", asked.networks, NETWORKS), ("parts", asked.parts, PARTS)):
        if set(names) - set(known):
            parser.error(f"--{what}={','.join(names)}: expected some of {', '.join(known)}.")
    lowest = {"steps": 1, "repeats": 1, "threads": 1, "files": 5 * CLASSES, "batches": 1}
    for what, number in lowest.items():
        if getattr(asked, what) < number:
            parser.error(f"--{what}={getattr(asked, what)}: expected {number} or more.")
    return asked


def main():
    asked = arguments()
    print(f"{machine()}; {asked.threads} used")
    theirs = ["keras.applications", "ratio", "PyTorch", "PyTorch, channels last", "ratio"]
    header = ["training step, ms", "here", "images a second", *theirs]
    header += ["MB: here / keras.applications / PyTorch", "came with a step of one image", "and with all images"]
    lite = ["`.tflite`, 1 thread", "int8, 1 thread", "PyTorch, 1 thread", "ratios"]
    for name in asked.networks if set(asked.parts) - {"pipeline"} else ():
        with tempfile.TemporaryDirectory() as folder:
            check(name, folder, asked.threads)
            if "training" in asked.parts:
                print_table(header, [training_row(name, asked, folder)])
            if "inference" in asked.parts:
                print_table(["classifying, ms", "here", *theirs, *lite], inference_rows(name, asked, folder))
    if "pipeline" in asked.parts:
        with tempfile.TemporaryDirectory() as folder:
            rows = list(pipeline_rows(asked, folder))
        print_table(["images a second", "here", "Keras' layers", "ratio", "PyTorch", "ratio"], rows)


if __name__ == "__main__":
    main()
