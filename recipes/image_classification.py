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
import json
import pathlib

import numpy as np

from toolkit import data, losses, methods, metrics, models, serving, training, visualize
from toolkit.lazy import keras
from toolkit.training import schedules
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
        data.images.parse_size(self.export_size, "export_size")

    @property
    def size(self):
        if self.image_size:
            return self.image_size
        if self.data.partition(":")[0] == "embedded":
            return 16
        return models.image_classifier.published_shape(self.architecture)[0]


def augmentation(s):
    return data.images.Augmentation(crop=s.crop, flip=s.flip, color=s.color, lighting=s.lighting, erasing=s.erasing)


@functools.cache
def images_of(s):
    """The images: `data.images.Images`, their batches (image, label)."""
    # What cannot be built is said before data is read.
    if s.weights not in ("", "imagenet") and not pathlib.Path(s.weights).expanduser().is_file():
        raise ValueError(f"--weights={s.weights}: expected imagenet or the path of a .keras or .weights.h5 file.")
    models.image_classifier.check_size(s.architecture, s.size, s.stem)
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


def trained(run):
    """The trained network, or the shipped one, without auxiliary heads; and its classes, which it keeps."""
    classifier = models.image_classifier.classifier  # by now Keras knows the layers that a saved network names
    if is_trained(run):
        model = keras.saving.deserialize_keras_object(json.loads(run.path("network.json").read_text("utf-8")))
    else:
        model = keras.saving.load_model(run.exported / "model.keras")
    run.load(model)
    return classifier(model), model.get_layer("class_names").names


def images_like(run, names):
    """The images, for a network that knows these classes."""
    images = images_of(run.settings)
    images.check_classes(names, f"{run.settings.workdir} was trained on")
    return images


def network(s, class_names, weights=None):
    """A dict of logits, the auxiliary heads' too where they are asked for and there."""
    return models.image_classifier.trainee(
        s.architecture,
        s.size,
        class_names,
        width=s.width or None,
        stem=s.stem,
        weights=weights,
        auxiliary=bool(s.auxiliary_weight),
        synchronized=s.strategy != "single",
    )


def compiled(model, s, per_epoch, jit_compile):
    if s.loss == "cross_entropy":
        loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=s.label_smoothing)
    else:
        loss = losses.margin.get(s.loss)
    measured = [keras.metrics.CategoricalAccuracy("top_1")]
    if model.output["logits"].shape[-1] > 5:
        measured.append(keras.metrics.TopKCategoricalAccuracy(5, "top_5"))
    step_size = schedules.step_size(
        s.schedule,
        s.learning_rate,
        epochs=s.epochs,
        steps_per_epoch=per_epoch,
        warmup_epochs=s.warmup_epochs,
        decay_rate=s.decay_rate,
        decay_epochs=s.decay_epochs,
    )
    model.compile(
        schedules.decaying_optimizer(s.optimizer, step_size, momentum=s.momentum, weight_decay=s.weight_decay),
        loss=dict.fromkeys(model.output, loss),
        loss_weights={name: 1.0 if name == "logits" else s.auxiliary_weight for name in model.output},
        metrics={"logits": measured},
        jit_compile=jit_compile,
    )


def train(run):
    s, images = run.settings, images_of(run.settings)
    with run.scope():
        # What a checkpoint holds need not be looked for again.
        model = network(s, images.class_names, s.weights if s.weights and not is_trained(run) else None)
        if not s.weights:  # which bring the statistics that they were trained with
            model.get_layer("standardize").adapt(*images.statistics())
        architecture = keras.saving.serialize_keras_object(model)
        per_epoch = images.splits.train.steps_per_epoch
        compiled(model, s, min(s.steps_per_epoch or per_epoch, per_epoch), run.jit_compile)
    training.checkpoints.write_json(run.path("network.json"), architecture)
    callbacks = [plateau(model, s.learning_rate, patience=s.patience)] if s.schedule == "plateau" else []
    shown, labels = next(images.blocks("validation", 8))
    classifier = models.image_classifier.classifier(model)

    def pictures():
        return {
            "training/filters": filters_picture(model),
            "training/grad_cam": grad_cam_picture(classifier, shown, labels, images.class_names),
        }

    run.fit(model, images.one_hot(model.output), pictures=pictures, callbacks=tuple(callbacks))


def filters_picture(model):
    return visualize.images.filters(methods.classification.first_kernels(model))


def grad_cam_picture(classifier, images, labels, names):
    """What in each image speaks for the class that it is taken for."""
    maps = methods.classification.evidence(classifier, images)
    probabilities = methods.classification.probabilities(classifier, images)
    return visualize.classification.explained(images, maps, probabilities, names, labels)


def evaluate(run):
    classifier, names = trained(run)
    images, calibrated = images_like(run, names), run.settings.loss == "cross_entropy"
    test, mirrored = images.splits.test, None
    labels, probabilities = methods.classification.predictions(classifier, test.dataset(num_epochs=1), "test")
    if run.settings.flip:  # a part of the papers' testing of ten crops
        turned = test.map(lambda image, label: (image[:, :, ::-1], label)).dataset(num_epochs=1)
        _, mirrored = methods.classification.predictions(classifier, turned, "test, mirrored")
    found = metrics.classification.classification(labels, probabilities, mirrored=mirrored, calibrated=calibrated)
    found["test_images"] = len(labels)
    found["parameters"] = sum(int(np.prod(variable.shape)) for variable in classifier.trainable_variables)
    run.report(found, paper=PAPER.get(run.settings.architecture))
    if calibrated:
        bins = metrics.calibration.reliability(labels, probabilities)
        error = found["expected_calibration_error_percent"] / 100
        run.picture("calibration", visualize.classification.reliability(*bins, error))
    matrix = metrics.confusion_matrix.confusion_matrix(labels, probabilities.argmax(axis=-1), len(names))
    for line in metrics.confusion_matrix.confusions_in_words(matrix, names):
        print(f"  {line}")
    run.picture("confusion", visualize.classification.confusion(matrix, names))
    wrong = metrics.classification.most_wrong(labels, probabilities, 32)
    if len(wrong):
        shown = images.cut(images.parts["test"].store.read(wrong))
        figure = visualize.classification.misclassified(shown, labels[wrong], probabilities[wrong], names)
        run.picture("misclassified", figure)


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


def sample(run):
    s = run.settings
    if not s.images and not is_trained(run):
        raise ValueError("--mode=sample of the shipped model is for files of yours: --images=one.jpg,two.png.")
    classifier, names = trained(run)
    run.picture("filters", filters_picture(classifier))
    if s.images:
        (paths, shown), labels = data.images.read_named(s.images, s.size, augmentation=augmentation(s)), None
    else:
        shown, labels = next(images_like(run, names).blocks("test", 16))
        paths = [f"test image {number}" for number in range(len(shown))]
    for path, row in zip(paths, methods.classification.probabilities(classifier, shown), strict=True):
        print(f"  {path}: {methods.classification.best_classes(row, names)}")
    run.picture("grad_cam", grad_cam_picture(classifier, shown, labels, names))


def export(run):
    s, (classifier, names) = run.settings, trained(run)
    parts = images_like(run, names).parts
    served = serving.image_classifier.image_classifier(
        classifier,
        test=(parts["test"].store, parts["test"].labels),
        train=parts["train"].store,
        stored_size=augmentation(s).stored_size(s.size),
        exported_size=data.images.parse_size(s.export_size, "export_size"),
        max_measured=s.max_measured,
        calibrated=s.loss == "cross_entropy",
    ).arguments()
    card = {"data": s.data, "description": f"{s.architecture}: images to classes.", **served.pop("card")}
    run.export(served.pop("signatures"), **served, card=card)


def ship(run):
    """Makes this run's model the one that comes with the code."""
    pictures = ["filters", "confusion", "calibration"]
    print("  written:", training.ship(run, trained(run)[0], pictures, curve="top_1", text=run.settings.note))


def benchmark(run):
    s, images = run.settings, images_of(run.settings)
    with run.scope():
        model = network(s, images.class_names)
        compiled(model, s, images.splits.train.steps_per_epoch, run.jit_compile)
    splits = images.one_hot(model.output)
    batch = next(iter(splits.train.dataset()))
    size = len(batch[0])
    milliseconds = run.benchmark("training step", lambda: model.train_on_batch(*batch), per=f"batch of {size} images")
    print(f"  {size / milliseconds * 1e3:.0f} images a second in training")
    classifier = models.image_classifier.classifier(model)
    for count in (1, size):
        run.benchmark(f"classifying {count}", lambda n=count: classifier.predict_on_batch(batch[0][:n]), per="batch")
    stream = iter(splits.train.dataset())
    milliseconds = run.benchmark(
        "reading and augmenting", lambda: next(stream)[0], per=f"batch of {size} images", repeats=30
    )
    print(f"  {size / milliseconds * 1e3:.0f} images a second are read")


def margin_losses(run):
    """All margin losses: what is known of each, and their curves."""
    print(losses.margin_overview.described())
    agreement = np.linspace(-2.5, 2.5, 501).astype("float32")
    curves = losses.margin_overview.curves(agreement)
    run.picture("margin_losses", visualize.margin_losses.margin_losses(agreement, *curves))


def check_data(run):
    found = data.images.examine(images_of(run.settings), batch_size=run.settings.batch_size)
    run.check(found.report, lambda: {"classes": visualize.images.examples(found.examples)})


def serve_data(run):
    images = images_of(run.settings)
    run.serve(images.one_hot(network(run.settings, images.class_names).output))


if __name__ == "__main__":
    training.main(Settings, train, evaluate, sample, export, margin_losses, check_data, serve_data, benchmark, ship)
