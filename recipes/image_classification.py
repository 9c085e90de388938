"""Images to classes: AlexNet, ZFNet, VGG, GoogLeNet, ResNet, Inception v2 to v4 and Inception-ResNet, 2012 to 2016.

Says what is in an image; trained with cross-entropy or a margin loss.

  python -m recipes.image_classification                                   all phases on scikit-learn's digits
  python -m recipes.image_classification --mode=sample --images=one.jpg,two.png      the shipped model on your files
  python -m recipes.image_classification --workdir=runs/own --data=folder:FOLDER --architecture=resnet50 \
      --weights=imagenet --learning_rate=0.01
  python -m recipes.image_classification --workdir=runs/hinge --loss=l2_hinge
  python -m recipes.image_classification --mode=margin_losses              all margin losses: a table and a picture

Here: CIFAR-10, ResNet-20, 7 epochs, 30 minutes on two cores: 79.9 % of the test images right, 81.0 % with their
mirror images. Out of the box, 2 minutes: the digits, six runs: 97.5 to 99.4 % of 359 test images.

Paper: CIFAR-10, ResNet-20, 164 epochs: 91.25 %. ImageNet, top-5 error of the entries: AlexNet 16.4 %, ZFNet 11.7, VGG
7.3, GoogLeNet 6.7, ResNet-152 3.6.

The flags of the papers' own trainings are in docs/recipes/image_classification.md.

Differs from the papers: shortcuts that change the channels are 1 x 1 convolutions everywhere; training images come from
the middle square; one crop is tested.
"""

import dataclasses
import functools
import inspect
import json
import pathlib
import re

import numpy as np

from toolkit import data, losses, methods, metrics, models, training, visualize
from toolkit.export import signature
from toolkit.lazy import keras
from toolkit.lazy import tensorflow as tf
from toolkit.training.plateau import plateau

# All of losses.margin but zero_one, from which nothing is learned.
MARGINS = (
    "perceptron",
    "l1_hinge",
    "smoothed_l1_hinge",
    "modified_huber",
    "dwd_margin",
    "l2_margin",
    "l2_hinge",
    "sigmoid",
    "logit_margin",
    "exp",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings(training.Settings):
    data: str = training.setting(
        "embedded", "images with a class: embedded, folder:FOLDER, keras:NAME, tfds:NAME or npz:FILE"
    )
    image_size: int = training.setting(
        0, "pixels of height and width; 0: 16 for embedded, else 32 or, of the larger networks, as published", minimum=0
    )
    held_out: float = training.setting(0.1, "share of the training images that validates, where no part does")
    skip_corrupt: bool = training.setting(False, "leave out files that cannot be read, and say which")
    architecture: str = training.setting(
        "resnet20",
        "alexnet, zfnet, vgg11 to 19, googlenet, inception_v2 to v4, inception_resnet_v2, resnet8 to 152, resnet18v2 "
        "to 152v2, plain18 to 56",
    )
    width: int = training.setting(0, "filters of the first convolution; 0: as published", minimum=0)
    stem: str = training.setting(
        "auto", "first layers; auto: small under 64 pixels", choices=("auto", "imagenet", "small")
    )
    weights: str = training.setting("", "to begin with: imagenet, or a file of Keras weights", changeable=True)
    auxiliary_weight: float = training.setting(
        0.3, "of the auxiliary heads' losses, where the network has such (paper: 0.3); 0: none", minimum=0.0
    )
    loss: str = training.setting(
        "cross_entropy", "or a margin loss, one class against the others", choices=("cross_entropy", *MARGINS)
    )
    label_smoothing: float = training.setting(0.0, "of the cross-entropy (Inception v3: 0.1)", minimum=0.0)
    crop: str = training.setting(
        "shift",
        "what is seen of a training image: shift: it, moved by up to an eighth; window: a square of a larger one, as "
        "in AlexNet; area: 8 to 100 % of that, as in GoogLeNet",
        choices=("none", "shift", "window", "area"),
    )
    flip: bool = training.setting(False, "training images are mirrored half of the time")
    color: float = training.setting(
        0.0, "largest change of brightness, contrast and saturation, as a share", minimum=0.0
    )
    lighting: float = training.setting(0.0, "standard deviation of AlexNet's change of light (paper: 0.1)", minimum=0.0)
    erasing: float = training.setting(0.0, "share of the training images with a part erased", minimum=0.0)
    optimizer: str = training.setting("sgd", "with momentum; or adam, rmsprop", choices=("sgd", "adam", "rmsprop"))
    momentum: float = training.setting(0.9, "of sgd and rmsprop (papers: 0.9)", minimum=0.0)
    weight_decay: float = training.setting(
        5e-4, "of kernels, for the loss of an example (papers: 5e-4, 1e-4)", minimum=0.0
    )
    epochs: int = training.setting(
        15, "passes over the training data; a larger number trains on", minimum=1, changeable=True, remembered=True
    )
    batch_size: int = training.setting(64, "images in a step", minimum=1)
    learning_rate: float = training.setting(
        0.1, "largest step size (papers: 0.1, 0.01)", minimum=0.0, changeable=True, remembered=True
    )
    schedule: str = training.setting(
        "cosine",
        "of the step size: cosine, to 0; steps: a tenth after 1/2 and 3/4; plateau: a tenth where validation stands "
        "still; exponential: --decay_rate each --decay_epochs; constant",
        choices=("cosine", "steps", "plateau", "exponential", "constant"),
    )
    warmup_epochs: float = training.setting(
        1.0, "epochs in which a cosine schedule rises", minimum=0.0, changeable=True
    )
    patience: int = training.setting(5, "epochs that --schedule=plateau waits", minimum=1, changeable=True)
    decay_rate: float = training.setting(0.96, "factor of --schedule=exponential", minimum=0.0, changeable=True)
    decay_epochs: float = training.setting(8.0, "epochs to each factor", minimum=0.0, changeable=True)
    images: str = training.setting("", "of --mode=sample: files to classify, between commas", changeable=True)
    export_size: str = training.setting(
        "", "HEIGHTxWIDTH of the exported model's images, which it resizes; empty: --image_size", changeable=True
    )
    max_measured: int = training.setting(
        1000, "test images that say what an exported file's accuracy is", minimum=1, changeable=True
    )
    note: str = training.setting("", "what the card of --mode=ship says of the training", changeable=True)

    def __post_init__(self):
        super().__post_init__()
        if not 0 < self.held_out < 0.5:
            raise ValueError(f"--held_out={self.held_out}: expected a share over 0 and under 0.5.")
        if self.label_smoothing and (self.loss != "cross_entropy" or self.label_smoothing >= 1):
            raise ValueError(f"--label_smoothing={self.label_smoothing} is for --loss=cross_entropy, and less than 1.")
        if self.momentum >= 1:
            raise ValueError(f"--momentum={self.momentum}: expected less than 1.")
        exported_size(self)

    @property
    def size(self):
        if self.image_size:
            return self.image_size
        if self.data.partition(":")[0] == "embedded":
            return 16
        shape = inspect.signature(models.image_classifier.builder(self.architecture)).parameters["input_shape"].default
        return shape[0]


def exported_size(s):
    """(height, width) that --export_size asks for; None: the network's own."""
    if not s.export_size:
        return None
    height, _, width = s.export_size.partition("x")
    if not (height.isdigit() and width.isdigit() and int(height) and int(width)):
        raise ValueError(f"--export_size={s.export_size}: expected HEIGHTxWIDTH in pixels, such as 480x640.")
    return int(height), int(width)


def augmentation(s):
    return data.images.Augmentation(crop=s.crop, flip=s.flip, color=s.color, lighting=s.lighting, erasing=s.erasing)


def stem_of(s):
    return {"auto": "small" if s.size < 64 else "imagenet"}.get(s.stem, s.stem)


def check_network(s):
    """Builds the network, narrow, which takes a second.

    Raises:
        ValueError: Where there is no such network, or its images are too small.
    """
    if s.weights not in ("", "imagenet") and not pathlib.Path(s.weights).expanduser().is_file():
        raise ValueError(f"--weights={s.weights}: expected imagenet or the path of a .keras or .weights.h5 file.")
    builder = models.image_classifier.builder(s.architecture)
    try:
        builder(input_shape=(s.size, s.size, 3), num_classes=2, stem=stem_of(s), width=4)
    except ValueError as error:
        if not re.search("negative|zero|empty", str(error)):
            raise
        raise ValueError(
            f"--image_size={s.size} is too small: {s.architecture} with --stem={stem_of(s)} leaves nothing of such an "
            "image. Give larger ones, or --stem=small."
        ) from error


@functools.cache
def images_of(s):
    """The images: `data.images.Images`, their batches (image, label)."""
    check_network(s)  # what cannot be built is said before data is read
    return data.images.load(
        s.data,
        image_size=s.size,
        batch_size=s.batch_size,
        seed=s.seed,
        held_out=s.held_out,
        augmentation=augmentation(s),
        skip_corrupt=s.skip_corrupt,
    )


def is_trained(run):
    """Whether the workdir holds a training; else its phases are about the shipped model."""
    return any(run.workdir.glob("checkpoints/model/*.npz"))


def class_names_of(run):
    """The trained network's classes, which its workdir or the shipped model's card holds."""
    path = run.path("classes.json") if is_trained(run) else run.exported / "card.json"
    return json.loads(path.read_text("utf-8"))["classes"]


def images_like(run, names):
    """The images, for a network that knows these classes."""
    images = images_of(run.settings)
    if list(images.class_names) != names:
        odd = sorted(set(images.class_names) ^ set(names))
        raise ValueError(
            f"--data={run.settings.data} has other classes than {run.settings.workdir} was trained on: "
            f"{', '.join(odd[:5]) or 'the order'}."
        )
    return images


def network(s, num_classes):
    """A dict of logits, the auxiliary heads' too where they are asked for and there."""
    known = inspect.signature(models.image_classifier.builder(s.architecture)).parameters
    auxiliary = {"auxiliary": True} if s.auxiliary_weight and "auxiliary" in known else {}
    model = models.image_classifier.image_classifier(
        s.architecture,
        (s.size, s.size, 3),
        num_classes,
        width=s.width or None,
        stem=stem_of(s),
        weights=s.weights or None,
        **auxiliary,
    )
    if s.strategy != "single":
        for layer in model.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.synchronized = True  # statistics of the whole batch, as on one device
    outputs = model.output if isinstance(model.output, dict) else {"logits": model.output}
    return keras.Model(model.input, outputs, name=model.name)


def loss(s):
    if s.loss == "cross_entropy":
        return keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=s.label_smoothing)
    return losses.margin.get(s.loss)


def step_size(s, per_epoch):
    first, num_steps = s.learning_rate, s.epochs * per_epoch
    schedules = keras.optimizers.schedules
    if s.schedule == "cosine":
        warmup = min(int(s.warmup_epochs * per_epoch), num_steps - 1)
        return schedules.CosineDecay(
            first / 25 if warmup else first,
            num_steps - warmup,
            warmup_target=first if warmup else None,
            warmup_steps=warmup,
        )
    if s.schedule == "steps":
        edges = [num_steps // 2, num_steps * 3 // 4]
        return schedules.PiecewiseConstantDecay(edges, [first, first / 10, first / 100])
    if s.schedule == "exponential":
        return schedules.ExponentialDecay(first, max(1, int(s.decay_epochs * per_epoch)), s.decay_rate, staircase=True)
    if s.schedule == "constant":  # not a number, which a checkpoint would keep, whatever a later command asks for
        return schedules.PiecewiseConstantDecay([1], [first, first])
    return first


def optimizer(s, per_epoch):
    rate = step_size(s, per_epoch)
    # Keras takes a share of the weight at each step; the papers' decay is part of the gradient, which momentum sums up.
    decay = s.weight_decay / (1 - s.momentum) if s.optimizer != "adam" else s.weight_decay
    if s.optimizer == "adam":
        made = keras.optimizers.AdamW(rate, weight_decay=decay)
    elif s.optimizer == "rmsprop":
        made = keras.optimizers.RMSprop(rate, rho=0.9, momentum=s.momentum, epsilon=1.0, weight_decay=decay or None)
    else:
        made = keras.optimizers.SGD(rate, momentum=s.momentum, weight_decay=decay or None)
    made.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return made


def compiled(model, s, per_epoch, jit_compile):
    num_classes = model.output["logits"].shape[-1]
    measured = [keras.metrics.CategoricalAccuracy("top_1")]
    if num_classes > 5:
        measured.append(keras.metrics.TopKCategoricalAccuracy(5, "top_5"))
    model.compile(
        optimizer(s, per_epoch),
        loss={name: loss(s) for name in model.output},
        loss_weights={name: 1.0 if name == "logits" else s.auxiliary_weight for name in model.output},
        metrics={"logits": measured},
        jit_compile=jit_compile,
    )


def as_fitted(names, num_classes):
    """Batches as `fit` takes them: one-hot targets for each head."""
    return lambda image, label: (image, dict.fromkeys(names, tf.one_hot(label, num_classes)))


def train(run):
    s, images = run.settings, images_of(run.settings)
    num_classes = len(images.class_names)
    with run.scope():
        # What a checkpoint holds need not be looked for again.
        model = network(dataclasses.replace(s, weights="") if is_trained(run) else s, num_classes)
        if not s.weights:  # which bring the statistics that they were trained with
            model.get_layer("standardize").adapt(*images.statistics())
        per_epoch = images.splits.train.steps_per_epoch
        compiled(model, s, min(s.steps_per_epoch or per_epoch, per_epoch), run.jit_compile)
    training.checkpoints.write_json(run.path("classes.json"), {"classes": list(images.class_names)})
    callbacks = [plateau(model, s.learning_rate, patience=s.patience)] if s.schedule == "plateau" else []
    shown, labels = next(images.blocks("validation", 8))
    classifier = logits_only(model)

    def pictures():
        return {
            "training/filters": filters_picture(model),
            "training/grad_cam": grad_cam_picture(classifier, shown, labels, images.class_names),
        }

    splits = images.splits.map(as_fitted(tuple(model.output), num_classes))
    run.fit(model, splits, pictures=pictures, callbacks=tuple(callbacks))


def logits_only(model):
    return keras.Model(model.input, model.output["logits"], name="classifier")


def trained(run, num_classes):
    # First weights are not looked for again: those that training has left are loaded.
    model = network(dataclasses.replace(run.settings, weights=""), num_classes)
    run.load(model)
    return model


def first_kernels(model):
    """The first convolution's, (height, width, in, out)."""
    return next(np.asarray(layer.kernel) for layer in model.layers if isinstance(layer, keras.layers.Conv2D))


def filters_picture(model):
    return visualize.images.filters(first_kernels(model)[..., :64])


def grad_cam_picture(classifier, images, labels, names):
    """What in each image speaks for the class that it is taken for."""
    images = np.asarray(images, "float32")
    level = max(layer.name for layer in classifier.layers if layer.name.startswith("level_"))
    probabilities = probabilities_of(classifier, images)
    maps = methods.grad_cam.grad_cam(classifier, images, level)
    taken = probabilities.argmax(axis=-1)
    titles = [f"{names[k]} {p[k]:.0%}" for k, p in zip(taken, probabilities, strict=True)]
    if labels is not None:
        titles = [
            title if k == right else f"{title} ({names[right]})"
            for title, k, right in zip(titles, taken, labels, strict=True)
        ]
    return visualize.images.heatmaps(images, maps, titles)


def probabilities_of(classifier, images):
    return np.asarray(keras.ops.softmax(classifier.predict_on_batch(np.asarray(images, "float32"))))


def predictions(classifier, batches, name):
    """Labels and probabilities of all images."""
    from tqdm import tqdm

    found = [
        (label, probabilities_of(classifier, image))
        for image, label in tqdm(
            batches.dataset(num_epochs=1).as_numpy_iterator(),
            name,
            batches.steps_per_epoch,
            unit="batch",
            mininterval=15,
        )
    ]
    return tuple(map(np.concatenate, zip(*found, strict=True)))


def evaluate(run):
    names = class_names_of(run)
    images, classifier = images_like(run, names), logits_only(trained(run, len(names)))
    labels, probabilities = predictions(classifier, images.splits.test, "test")
    count = len(labels)
    found = {}
    for k in (1, 5) if len(names) > 5 else (1,):
        share = metrics.top_k_accuracy.top_k_accuracy(labels, probabilities, k)
        low, high = metrics.top_k_accuracy.wilson_interval(round(share * count), count)
        found |= {f"top_{k}_accuracy_percent": 100 * share}
        found |= {f"top_{k}_accuracy_low_percent": 100 * low, f"top_{k}_accuracy_high_percent": 100 * high}
    if run.settings.flip:  # a part of the papers' testing of ten crops
        mirrored = images.splits.test.map(lambda image, label: (image[:, :, ::-1], label))
        both = probabilities + predictions(classifier, mirrored, "test, mirrored")[1]
        share = metrics.top_k_accuracy.top_k_accuracy(labels, both)
        found["top_1_accuracy_with_mirror_image_percent"] = 100 * share
    matrix = metrics.confusion_matrix.confusion_matrix(labels, probabilities.argmax(axis=-1), len(names))
    recalls = matrix.diagonal() / np.maximum(matrix.sum(axis=1), 1)
    found["lowest_accuracy_of_a_class_percent"] = 100 * recalls[matrix.sum(axis=1) > 0].min()
    if run.settings.loss == "cross_entropy":  # margin losses give scores, which are no probabilities
        error = metrics.calibration.expected_calibration_error(labels, probabilities)
        found["expected_calibration_error_percent"] = 100 * error
        found["negative_log_likelihood_nats"] = metrics.calibration.negative_log_likelihood(labels, probabilities)
        bins = metrics.calibration.reliability(labels, probabilities)
        run.picture("calibration", visualize.images.reliability(*bins, error))
    found["test_images"] = count
    found["parameters"] = parameters(classifier)
    run.report(found, paper=PAPER.get(run.settings.architecture))
    for right, taken, number in metrics.confusion_matrix.most_confused(matrix, 3):
        print(f"  {number} of {matrix[right].sum()} {names[right]} taken for {names[taken]}")
    run.picture("confusion", visualize.images.confusion(matrix, names))
    misclassified(run, images, labels, probabilities)


# Top-5 accuracy of the papers' entries on ImageNet, top-1 of the narrow ResNets on CIFAR-10.
PAPER = {
    "alexnet": {"imagenet_top_5_accuracy_percent": 83.6},
    "zfnet": {"imagenet_top_5_accuracy_percent": 88.3},
    "vgg16": {"imagenet_top_5_accuracy_percent": 92.7},
    "vgg19": {"imagenet_top_5_accuracy_percent": 92.7},
    "googlenet": {"imagenet_top_5_accuracy_percent": 93.3},
    "resnet152": {"imagenet_top_5_accuracy_percent": 96.4},
    "resnet20": {"cifar10_top_1_accuracy_percent": 91.25},
    "resnet32": {"cifar10_top_1_accuracy_percent": 92.49},
    "resnet44": {"cifar10_top_1_accuracy_percent": 92.83},
    "resnet56": {"cifar10_top_1_accuracy_percent": 93.03},
    "resnet110": {"cifar10_top_1_accuracy_percent": 93.57},
}


def parameters(model):
    """Trainable numbers."""
    return sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)


def misclassified(run, images, labels, probabilities, most=32):
    """The test images that the network is most wrongly sure of."""
    taken = probabilities.argmax(axis=-1)
    wrong = np.flatnonzero(taken != labels)
    if not len(wrong):
        return
    order = wrong[np.argsort(-probabilities[wrong, taken[wrong]])][:most]
    names = images.class_names
    titles = [f"{names[labels[i]]}: {names[taken[i]]} {probabilities[i, taken[i]]:.0%}" for i in order]
    shown = images.cut(images.parts["test"].read(order))
    run.picture("misclassified", visualize.images.grid(shown, titles, wrong=[True] * len(order)))


def sample(run):
    s = run.settings
    if not s.images and not is_trained(run):
        raise ValueError("--mode=sample of the shipped model is for files of yours: --images=one.jpg,two.png.")
    names = class_names_of(run)
    model = trained(run, len(names))
    classifier = logits_only(model)
    run.picture("filters", filters_picture(model))
    if s.images:
        paths = [pathlib.Path(name.strip()).expanduser() for name in s.images.split(",")]
        missing = [str(path) for path in paths if not path.is_file()]
        if missing:
            raise ValueError(f"--images: no such file: {', '.join(missing)}.")
        shown = np.stack([data.images.read(path, s.size, augmentation=augmentation(s)) for path in paths])
        labels = None
    else:
        shown, labels = next(images_like(run, names).blocks("test", 16))
        paths = [f"test image {number}" for number in range(len(shown))]
    probabilities = probabilities_of(classifier, shown)
    for path, row in zip(paths, probabilities, strict=True):
        best = np.argsort(-row)[:3]
        print(f"  {path}: " + ", ".join(f"{names[k]} {row[k]:.1%}" for k in best))
    run.picture("grad_cam", grad_cam_picture(classifier, shown, labels, names))


def fitted(image, s):
    """The middle square of images (batch, height, width, 3), as the data is read, in the network's size; a graph."""
    if tuple(image.shape[1:3]) == (s.size, s.size):
        return image  # cut already
    stored = augmentation(s).stored_size(s.size)
    factor = max(1, min(image.shape[1:3]) // stored)
    if factor > 1:  # means of whole blocks first: bilinear sampling alone would leave pixels out
        image = tf.nn.avg_pool2d(image, factor, factor, "VALID")
    shorter = min(image.shape[1:3])
    if shorter != stored:
        image = tf.image.resize(image, [round(side * stored / shorter) for side in image.shape[1:3]])
    top, left = ((side - s.size) // 2 for side in image.shape[1:3])
    return image[:, top : top + s.size, left : left + s.size]


def data_like(images, split, count, whole):
    """Single images and labels, evenly spaced over a split: as the network sees them, or whole, as they are kept."""
    part = images.parts[split]
    for i in np.linspace(0, len(part.rows) - 1, min(count, len(part.rows))).round().astype(int):
        kept = part.read(np.array([i]))
        yield (kept if whole else images.cut(kept))[0], part.labels[i]


def export(run):
    s, names = run.settings, class_names_of(run)
    images, model = images_like(run, names), logits_only(trained(run, len(names)))
    height, width = exported_size(s) or (s.size, s.size)
    num_best = min(5, len(names))

    def classify(image):
        probabilities = tf.nn.softmax(model(fitted(tf.cast(image, tf.float32), s)))
        best = tf.math.top_k(probabilities, num_best)
        return {"probabilities": probabilities, "classes": best.indices}

    def some(split, count):
        """Images in the exported size, and their labels."""
        for pixels, label in data_like(images, split, count, whole=(height, width) != (s.size, s.size)):
            if pixels.shape[:2] != (height, width):  # as a camera's frame would have it in its middle
                shorter = min(height, width)
                pixels = tf.image.resize_with_pad(tf.image.resize(pixels, (shorter, shorter)), height, width)
                pixels = np.clip(np.round(pixels), 0, 255).astype("uint8")
            yield {"image": pixels[None]}, label

    def measure(call):
        right = [
            int(call("classify", **given)["classes"][0, 0]) == label for given, label in some("test", s.max_measured)
        ]
        return {"top_1_accuracy_percent": 100 * float(np.mean(right)), "images": len(right)}

    example, _ = next(some("test", 1))
    run.export(
        {
            "classify": signature(
                classify,
                image=((1, height, width, 3), "uint8", "RGB, 0 to 255"),
                outputs={
                    "probabilities": "of each class" if s.loss == "cross_entropy" else "softmax of each class's score",
                    "classes": "the most probable ones' numbers, best first",
                },
            )
        },
        trackables=[model],
        examples={"classify": example},
        calibrate=({"classify": given} for given, _ in some("train", 200)),
        measure=measure,
        card={"data": s.data, "description": f"{s.architecture}: images to classes.", "classes": names},
    )


def ship(run):
    """Makes this run's model the one that comes with the code."""
    model = trained(run, len(class_names_of(run)))
    pictures = ["filters", "confusion", "calibration"]
    print("  written:", training.ship(run, model, pictures, curve="top_1", text=run.settings.note))


def benchmark(run):
    s, images = run.settings, images_of(run.settings)
    num_classes = len(images.class_names)
    with run.scope():
        model = network(dataclasses.replace(s, weights=""), num_classes)
        compiled(model, s, images.splits.train.steps_per_epoch, run.jit_compile)
    splits = images.splits.map(as_fitted(tuple(model.output), num_classes))
    batch = next(iter(splits.train.dataset()))
    size = len(batch[0])
    milliseconds = run.benchmark("training step", lambda: model.train_on_batch(*batch), per=f"batch of {size} images")
    print(f"  {size / milliseconds * 1e3:.0f} images a second in training")
    classifier = logits_only(model)
    for count in (1, size):
        run.benchmark(f"classifying {count}", lambda n=count: classifier.predict_on_batch(batch[0][:n]), per="batch")
    stream = iter(splits.train.dataset())
    milliseconds = run.benchmark(
        "reading and augmenting", lambda: next(stream)[0], per=f"batch of {size} images", repeats=30
    )
    print(f"  {size / milliseconds * 1e3:.0f} images a second are read")


def margin_losses(run):
    """All margin losses: what is known of each, and their curves."""
    for name, formula, derivative, properties in losses.margin.table():
        print(f"  {name:<18} {formula}\n  {'':<18} derivative {derivative}\n  {'':<18} {properties}")
    agreement = np.linspace(-2.5, 2.5, 501).astype("float32")
    made = {name: losses.margin.get(name) for name in losses.margin.LOSSES}
    values, derivatives = (
        {name: np.asarray(getattr(each, what)(agreement)) for name, each in made.items()}
        for what in ("value", "derivative")
    )
    run.picture("margin_losses", visualize.margin_losses.margin_losses(agreement, values, derivatives))


def check_data(run):
    s = run.settings
    found = data.images.examine(images_of(s), batch_size=s.batch_size)

    def pictures():
        shown = {name: each[:8] for name, each in list(found.examples.items())[:20]}
        titles = [name if i == 0 else "" for name, each in shown.items() for i in range(len(each))]
        return {"classes": visualize.images.grid(np.concatenate(list(shown.values())), titles)}

    run.check(found.report, pictures)


def serve_data(run):
    s, images = run.settings, images_of(run.settings)
    names = tuple(network(dataclasses.replace(s, weights=""), len(images.class_names)).output)
    run.serve(images.splits.map(as_fitted(names, len(images.class_names))))


if __name__ == "__main__":
    training.main(Settings, train, evaluate, sample, export, margin_losses, check_data, serve_data, benchmark, ship)
