"""DeepLab v3+ beside the same in PyTorch, and beside keras-hub's segmenter where that is installed.

  ./run benchmarks tests/benchmarks/bench_segmentation.py                     everything, on an idle machine
  ./run python tests/benchmarks/bench_segmentation.py --sizes=small --steps=5 --repeats=2

Small: ResNet-18 of width 32, images of 180 x 240, 11 classes, a step of 8. Large: ResNet-50, 513 x 513, 21 classes, a
step of 2. Output stride 16 in both. A step is SGD with momentum on the cross-entropy of each pixel; then one image is
segmented, Keras' model as a tf.function and PyTorch in inference mode.

The toolkit and PyTorch begin from the same weights: their logits must agree before anything is timed, and their first
losses in training. PyTorch is tried in both orders in memory, the channels second and last. keras-hub's segmenter is
another network: on a ResNet-50 of output stride 32, its pyramid not separable, no convolution of 3 x 3 in the decoder,
and 256 channels enlarged to the image's size before the last convolution; on 512 x 512, as it must be divisible.

Each side has a process of its own that sees as many cores as --threads. Sides are measured in turns, --repeats times:
the figure is the least of the medians, wall time and in brackets the processor's, which other programs disturb less.
Ratios are of times and of peak memory, below 1 where ours is less.
"""

import argparse
import os
import pathlib
import statistics
import tempfile

import numpy as np
from bench_images import MEAN, SCALE, relative_difference, start_pytorch, start_tensorflow
from measuring import apart, machine, peak_megabytes, print_row, timed_twice, version

SIZES = {"small": ("resnet18", 32, 180, 240, 11, 8), "large": ("resnet50", 64, 513, 513, 21, 2)}
ORDERS = {"PyTorch": False, "PyTorch, channels last": True}  # of an image in memory
TOLERANCE = 1e-3  # of logits and of losses
LEARNING_RATE = 1e-3


def batch(size, count=None):
    """float32 images, 0 to 255, and the class of each pixel."""
    _, _, height, width, num_classes, most = SIZES[size]
    random = np.random.default_rng(0)
    shape = (count or most, height, width)
    return random.uniform(0, 255, (*shape, 3)).astype("float32"), random.integers(0, num_classes, shape)


# The toolkit, and keras-hub. ------------------------------------------------------------------------------------------


def toolkit_network(size):
    """The same weights in each process; no normalization is left as it begins, so that a wrong copy shows."""
    from toolkit.models.deeplab import deeplab

    backbone, width, *sides, num_classes, _ = SIZES[size]
    model = deeplab("v3+", backbone, (*sides, 3), num_classes, width=width)
    model.get_layer("standardize").adapt([MEAN] * 3, [SCALE] * 3)
    model.get_layer("pyramid_dropout").rate = 0.0
    random = np.random.default_rng(0)
    for variable in model.weights:
        if variable.name in ("gamma", "moving_variance"):
            variable.assign(random.uniform(0.5, 1.5, variable.shape))
        elif variable.name in ("beta", "moving_mean", "bias"):
            variable.assign(random.normal(0, 0.1, variable.shape))
    return model


def write_weights(size, folder, threads):
    """Weights layer by layer and logits, for PyTorch; the number of trainable weights."""
    start_tensorflow(threads)
    from toolkit.models.pretrained import in_order

    model = toolkit_network(size)
    layers = []
    for layer in in_order(model):
        if layer.name == "pyramid":
            layers += [each for branch in (*layer.branches, layer.pooled, layer.mix) for each in branch]
        else:
            layers.append(layer)
    arrays = {
        f"{number:03}/{variable.name}": _as_convolution(layer, np.asarray(variable))
        for number, layer in enumerate(layers)
        for variable in layer.weights
    }
    np.savez(pathlib.Path(folder, "weights.npz"), **arrays)
    np.save(pathlib.Path(folder, "logits.npy"), model(batch(size, 1)[0], training=False).numpy())
    return sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)


def _as_convolution(layer, array):
    """PyTorch's depthwise convolution has groups of one channel."""
    return array.swapaxes(2, 3) if "Depthwise" in type(layer).__name__ and array.ndim == 4 else array


def hub_network(size):
    import keras_hub

    _, _, height, width, num_classes, _ = SIZES[size]
    encoder = keras_hub.models.ResNetBackbone(
        [64], [7], [64, 128, 256, 512], [3, 4, 6, 3], [1, 2, 2, 2], "bottleneck_block", image_shape=(None, None, 3)
    )
    backbone = keras_hub.models.DeepLabV3Backbone(
        encoder, "P5", 8, [6, 12, 18], "P2", 48, image_shape=(height // 32 * 32, width // 32 * 32, 3)
    )
    return keras_hub.models.DeepLabV3ImageSegmenter(backbone, num_classes)


def keras_side(size, network, steps, threads):
    """First losses; times of a step and of one image; peak memory of the training."""
    tf, keras = start_tensorflow(threads)
    from toolkit import training

    training.phases.keep_freed_memory()
    images, labels = batch(size)
    model = network(size)
    height, width = model.input.shape[1:3]
    images, labels = images[:, :height, :width], labels[:, :height, :width]
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(LEARNING_RATE, momentum=0.9), loss)
    losses, step = timed_twice(lambda: float(model.train_on_batch(images, labels)), steps)
    memory = peak_megabytes()
    segment, image = tf.function(lambda image: model(image, training=False)), tf.constant(images[:1])
    return losses[:3], step, timed_twice(lambda: segment(image).numpy(), 3 * steps)[1], memory


# PyTorch. -------------------------------------------------------------------------------------------------------------


def pytorch_network(size, folder):
    import images_in_pytorch
    import segmentation_in_pytorch

    layers = {}
    with np.load(pathlib.Path(folder, "weights.npz")) as file:
        for key in file.files:
            layers.setdefault(key.partition("/")[0], {})[key.partition("/")[2]] = file[key]
    backbone, width, *_, num_classes, _ = SIZES[size]
    model = segmentation_in_pytorch.network(backbone, width, num_classes)
    return images_in_pytorch.take(model, layers.values())


def pytorch_difference(size, folder, threads):
    """Largest difference of the logits, as a share of the largest; the number of trainable weights."""
    torch = start_pytorch(threads)
    import images_in_pytorch

    model = pytorch_network(size, folder).eval()
    with torch.inference_mode():
        logits = model(images_in_pytorch.as_images(batch(size, 1)[0], False)).permute(0, 2, 3, 1).numpy()
    difference = relative_difference(logits, np.load(pathlib.Path(folder, "logits.npy")))
    return difference, sum(p.numel() for p in model.parameters() if p.requires_grad)


def pytorch_side(size, channels_last, folder, steps, threads):
    torch = start_pytorch(threads)
    import images_in_pytorch

    model = images_in_pytorch.in_order_of(pytorch_network(size, folder), channels_last)
    images, labels = batch(size)
    images, labels = images_in_pytorch.as_images(images, channels_last), torch.from_numpy(labels)
    optimizer = torch.optim.SGD(model.parameters(), LEARNING_RATE, momentum=0.9)

    def train():
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    losses, step = timed_twice(train, steps)
    memory, image = peak_megabytes(), images[:1]
    model.eval()
    with torch.inference_mode():
        return losses[:3], step, timed_twice(lambda: model(image).numpy(), 3 * steps)[1], memory


# The rows. ------------------------------------------------------------------------------------------------------------


def measure(size, asked, folder):
    sides = {"toolkit": (keras_side, size, toolkit_network, asked.steps, asked.threads)}
    weights = apart(write_weights, size, folder, asked.threads)
    if version("torch"):
        difference, theirs = apart(pytorch_difference, size, folder, asked.threads)
        print(f"{size}: {weights:,} trainable weights; logits differ from PyTorch's by {difference:.1e} of the largest")
        if weights != theirs or not difference < TOLERANCE:
            raise SystemExit(f"{size}: not the same network; PyTorch's has {theirs:,} trainable weights")
        for order, channels_last in ORDERS.items():
            sides[order] = (pytorch_side, size, channels_last, folder, asked.steps, asked.threads)
    if version("keras-hub") and size == "large":
        sides["keras-hub"] = (keras_side, size, hub_network, asked.steps, asked.threads)
    found = {side: [] for side in sides}
    for _ in range(asked.repeats):
        for side, (function, *inputs) in sides.items():
            found[side].append(apart(function, *inputs))
            print_rows(size, side, found)


def print_rows(size, side, found):
    """What this turn gave for a side, beside the least of the toolkit's until now."""
    losses, ours = found[side][-1][0], found["toolkit"]
    if side in ORDERS and not np.allclose(losses, ours[0][0], rtol=TOLERANCE):
        raise SystemExit(f"{size}: the first losses differ: {ours[0][0]} and in {side} {losses}")
    for what, place in (("training step", 1), ("one image", 2)):
        text = "{:.4g} ({:.4g})".format(*(1e3 * seconds for seconds in least(found[side], place)))
        ratio = [a / b for a, b in zip(least(ours, place), least(found[side], place), strict=True)]
        ratio = "{:.2f} ({:.2f})".format(*ratio) if side != "toolkit" else ""
        print_row(f"{size}, {what}, ms, turn {len(found[side])}: {side}", text, ratio)
    most = statistics.median(result[3] for result in found[side])
    ratio = f"{statistics.median(result[3] for result in ours) / most:.2f}" if side != "toolkit" else ""
    print_row(f"{size}, peak MB of the training: {side}", f"{most:.0f}", ratio)


def least(results, place):
    """The least wall time and the least processor time of the turns."""
    return np.min([result[place] for result in results], axis=0).tolist()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default=",".join(SIZES), help=f"of {', '.join(SIZES)}, between commas")
    parser.add_argument("--steps", type=int, default=5, help="training steps of a turn; three times as many images")
    parser.add_argument("--repeats", type=int, default=3, help="turns")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="cores of each side")
    asked = parser.parse_args()
    unknown = set(asked.sizes.split(",")) - set(SIZES)
    if unknown or min(asked.steps, asked.repeats, asked.threads) < 1:
        parser.error(f"expected --sizes of {', '.join(SIZES)}, and --steps, --repeats and --threads of 1 or more.")
    print(f"{machine()}; {asked.threads} used")
    print_row("wall (processor)", "ms or MB", "toolkit's to it")
    for size in asked.sizes.split(","):
        with tempfile.TemporaryDirectory() as folder:
            measure(size, asked, folder)


if __name__ == "__main__":
    main()
