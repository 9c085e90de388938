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

import numpy as np

from toolkit import data, files, losses, methods, metrics, models, serving, settings, training, visualize
from toolkit.lazy import keras
from toolkit.settings import other, setting

# All of losses.margin but zero_one, from which nothing is learned.
MARGINS = "perceptron l1_hinge smoothed_l1_hinge modified_huber dwd_margin l2_margin l2_hinge sigmoid logit_margin exp"


@settings.recipe
class Settings(
    settings.Images,
    settings.NamedImages,
    settings.Augmentation,
    settings.Mixing,
    settings.ImageNetwork,
    settings.Schedule,
    settings.Devices,
    settings.ImageExport,
):
    loss: str = setting(
        "cross_entropy", "or a margin loss, one class against the others", choices=("cross_entropy", *MARGINS.split())
    )
    label_smoothing: float = setting(0.0, "of the cross-entropy", paper="Inception v3: 0.1", minimum=0.0, maximum=1.0)
    auxiliary_weight: float = setting(
        0.3,
        "weight of the auxiliary heads' losses, of networks that have such heads; 0: no heads",
        paper="0.3",
        minimum=0.0,
        maximum=100.0,
    )
    weight_decay: float = other(5e-4, paper="5e-4, 1e-4")
    learning_rate: float = other(0.1, paper="0.1, 0.01")
    epochs: int = 15
    batch_size: int = 64

    def check(self) -> None:
        if self.label_smoothing and (self.loss != "cross_entropy" or self.label_smoothing >= 1):
            raise ValueError(f"--label_smoothing={self.label_smoothing} is for --loss=cross_entropy, and less than 1.")

    @property
    def size(self) -> int:
        found = self.image_size or self.embedded_size
        return found or models.image_classifier.published_shape(self.architecture)[0]


def augmentation(s):
    return data.images.Augmentation(**s.changes())


def load(s):
    """`data.images.Images`, their batches (image, label)."""
    # What cannot be built is said before data is read.
    if s.weights not in ("", "imagenet"):
        files.binary.check(s.weights, "--weights=imagenet, or a .keras or .weights.h5 file")
    models.image_classifier.check_size(s.architecture, s.size, s.stem or "auto")
    if s.mix_layers:
        methods.ManifoldMixup(network(s, ("one", "other")), s.mix_layers)
    how = s.only("batch_size", "seed", "held_out", "skip_corrupt")
    return data.images.load(s.data, image_size=s.size, augmentation=augmentation(s), **how)


def network(s, class_names, weights=None):
    """A dict of logits, the auxiliary heads' too where they are asked for and there."""
    return models.image_classifier.trainee(
        s.architecture,
        s.size,
        class_names,
        weights=weights,
        auxiliary=bool(s.auxiliary_weight),
        synchronized=s.strategy != "single",
        width=s.width,
        stem=s.stem or "auto",
    )


def learner(model, s, steps_per_epoch):
    """What `fit` trains: the network itself, or what mixes inside it."""
    if s.loss == "cross_entropy":
        loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=s.label_smoothing)
    else:
        loss = losses.margin.get(s.loss)
        loss = losses.SoftLabelLoss(loss) if s.mixup or s.cutmix else loss
    learns = model
    if s.mix_layers:
        learns = methods.ManifoldMixup(model, s.mix_layers, s.mixup, s.mix_per_example, s.seed)
    measured = [keras.metrics.CategoricalAccuracy("top_1")]
    if model.output["logits"].shape[-1] > 5:
        measured.append(keras.metrics.TopKCategoricalAccuracy(5, "top_5"))
    how = s.only("epochs", "warmup_epochs", "decay_rate", "decay_epochs")
    rate = training.schedules.step_size(s.schedule, s.learning_rate, steps_per_epoch=steps_per_epoch, **how)
    learns.compile(
        training.schedules.decaying_optimizer(s.optimizer, rate, **s.only("momentum", "weight_decay")),
        loss=dict.fromkeys(model.output, loss),
        loss_weights={name: 1.0 if name == "logits" else s.auxiliary_weight for name in model.output},
        metrics={"logits": measured},
    )
    return learns


def train(run):
    s, images = run.settings, run.data
    with run.scope():
        # What a checkpoint holds need not be looked for again.
        model = network(s, images.class_names, s.weights if s.weights and not run.has("model") else None)
        if not s.weights:  # which bring the statistics that they were trained with
            model.get_layer("standardize").adapt(*images.statistics())
        learns = learner(model, s, run.num_steps(images.splits.train, epochs=1))
    plateau = training.plateau.plateau
    callbacks = [plateau(learns, s.learning_rate, patience=s.patience)] if s.schedule == "plateau" else []
    classifier, splits = models.image_classifier.classifier(model), images.one_hot(model.output)
    batches = splits.train
    if s.mixes_images:
        batches = batches.map(data.images.Mixing(s.mixup, s.cutmix, s.mix_per_example), seed=s.seed)
    shown, labels = next(images.blocks("validation", 8))

    def pictures():
        return {
            "training/filters": visualize.images.filters(methods.classification.first_kernels(model)),
            "training/grad_cam": grad_cam_picture(classifier, shown, labels, images.class_names),
        }

    run.fit(learns, batches, splits.validation, network=model, pictures=pictures, callbacks=tuple(callbacks))


def trained(run):
    """The trained network without auxiliary heads, and its classes, which it keeps."""
    model = run.load()
    return models.image_classifier.classifier(model), model.get_layer("class_names").names


def grad_cam_picture(classifier, images, labels, names):
    """What in each image speaks for the class that it is taken for."""
    maps = methods.classification.evidence(classifier, images)
    probabilities = methods.classification.probabilities(classifier, images)
    return visualize.classification.explained(images, maps, probabilities, names, labels)


# Top-5 accuracy of the papers' entries on ImageNet, top-1 of the narrow ResNets on CIFAR-10.
IMAGENET = {"alexnet": 83.6, "zfnet": 88.3, "vgg16": 92.7, "vgg19": 92.7, "googlenet": 93.3, "resnet152": 96.4}
CIFAR10 = {"resnet20": 91.25, "resnet32": 92.49, "resnet44": 92.83, "resnet56": 93.03, "resnet110": 93.57}
PAPER = {name: {"imagenet_top_5_accuracy_percent": share} for name, share in IMAGENET.items()}
PAPER |= {name: {"cifar10_top_1_accuracy_percent": share} for name, share in CIFAR10.items()}


def evaluate(run):
    classifier, names = trained(run)
    images, calibrated = run.data.for_classes(names, str(run.workdir)), run.settings.loss == "cross_entropy"
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


def sample(run):
    s = run.settings
    if not s.images and not run.has("model"):
        raise ValueError("--mode=sample of the shipped model is for files of yours: --images=one.jpg,two.png.")
    classifier, names = trained(run)
    run.picture("filters", visualize.images.filters(methods.classification.first_kernels(classifier)))
    if s.images:
        (paths, shown), labels = data.images.read_named(s.images, s.size, augmentation=augmentation(s)), None
    else:
        images = run.data_if_there("test images; --images=one.jpg,two.png names others")
        if images is None:
            return
        shown, labels = next(images.for_classes(names, str(run.workdir)).blocks("test", 16))
        paths = [f"test image {number}" for number in range(len(shown))]
    for path, row in zip(paths, methods.classification.probabilities(classifier, shown), strict=True):
        print(f"  {files.names.printable(path)}: {methods.classification.best_classes(row, names)}")
    run.picture("grad_cam", grad_cam_picture(classifier, shown[:32], labels, names))


def export(run):
    s, (classifier, names), images = run.settings, trained(run), run.data_to_measure()
    parts = images.for_classes(names, str(run.workdir)).parts if images else data.images.labelled.noise(s.size)
    served = serving.image_classifier.image_classifier(
        classifier,
        test=(parts["test"].store, parts["test"].labels),
        train=parts["train"].store,
        stored_size=augmentation(s).stored_size(s.size),
        exported_size=s.exported_size,
        max_measured=s.max_measured,
        calibrated=s.loss == "cross_entropy",
    )
    run.export(served, data=s.data, description=f"{s.architecture}: images to classes.")


def margin_losses(run):
    """All margin losses: what is known of each, and their curves."""
    print(losses.margin_overview.described())
    agreement = np.linspace(-2.5, 2.5, 501).astype("float32")
    curves = losses.margin_overview.curves(agreement)
    run.picture("margin_losses", visualize.margin_losses.margin_losses(agreement, *curves))


def check_data(run):
    found = data.images.report.examine(run.data, batch_size=run.settings.batch_size)
    run.check(found.report, lambda: {"classes": visualize.images.examples(found.examples)})


if __name__ == "__main__":
    training.main(Settings, load, train, evaluate, sample, export, untrained=(check_data, margin_losses))
