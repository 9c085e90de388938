"""Photos to the class of each pixel: DeepLab, atrous convolution with a pyramid of rates and a dense CRF, 2015 to 2018.

LargeFOV, v2, v3 or v3+ on VGG or a ResNet; a fully connected CRF then draws labels to the image's edges.

  python -m recipes.segmentation                                          all phases on scenes made of a seed
  python -m recipes.segmentation --mode=sample --images=one.jpg,two.jpg   the shipped model (road scenes) on your files
  python -m recipes.segmentation --workdir=runs/own --data=folder:FOLDER --image_size=180 --crop_size=180x240
  python -m recipes.segmentation --workdir=runs/own --mode=tune_crf       the CRF's numbers, searched on validation
  python -m recipes.segmentation --workdir=runs/voc --data=voc:FOLDER --backbone=resnet50 --weights=imagenet ...

Here: HERE

Paper: PASCAL VOC 2012, test, mean IoU: v2 79.7 %, v3 85.7 %, v3+ 89.0 %; of v2 on the validation images the CRF makes
76.35 to 77.69 %.

The flags of the papers' own trainings are in docs/recipes/segmentation.md.

Differs from the papers: one loss for the sum of scales (v2 has one more for each); batch normalization learns in the
backbone too, unless --frozen_normalization.
"""

import numpy as np

from toolkit import data, files, layers, losses, methods, metrics, models, serving, settings, training, visualize
from toolkit.lazy import keras
from toolkit.settings import other, setting

PAPER = {"v2": 79.7, "v3": 85.7, "v3+": 89.0}  # mean IoU on VOC 2012, test, percent


@settings.recipe
class Settings(settings.Masks, settings.Schedule, settings.Devices, settings.MaskExport):
    variant: str = setting("v3+", "of DeepLab", choices=("large_fov", "v2", "v3", "v3+"))
    backbone: str = setting("resnet18", "vgg11 to 19, resnet8 to 152, resnet18v2 to 152v2", paper="resnet101")
    width: int | None = setting(16, "filters of its first convolution", paper="64", minimum=1, maximum=512)
    filters: int = setting(64, "of the pyramid and the decoder", paper="256", minimum=1, maximum=4096)
    output_stride: int = setting(
        8, "the image's height over that of the last features: 8, 16 or 32", paper="16, 8", minimum=1, maximum=32
    )
    rates: str = setting("3,6,12", "of the pyramid; empty: the paper's", paper="6,12,18 at 16, twice that at 8")
    weights: str = setting(
        "",
        "the backbone's to begin with: imagenet; a file of Keras weights; or the workdir of an image_classification",
        changeable=True,
        path=True,
    )
    frozen_normalization: bool = setting(False, "the backbone's normalization stays as --weights brought it")
    class_weights: str = setting(
        "none",
        "of the loss: balanced: the median class's pixels over the class's own; root: the square root of that",
        choices=("none", "root", "balanced"),
    )
    smallest_scale: float = setting(0.5, "of training images", paper="0.5", minimum=0.1, maximum=1.0)
    largest_scale: float = setting(2.0, "of training images", paper="2, 1.5", minimum=1.0, maximum=8.0)
    flip: bool = setting(True, "mirror training images half of the time; and look at the mirror image in testing")
    color: float = setting(0.2, "largest change of brightness, contrast, saturation", minimum=0.0, maximum=1.0)
    scales: str = setting("0.5,0.75,1", "of test images", paper="0.5,0.75,1", changeable=True, maximum=100)
    fusion: str = setting("mean", "of the scales", paper="max", choices=("max", "mean"), changeable=True)
    crf: bool = setting(True, "a dense CRF follows in testing", changeable=True)
    crf_iterations: int = setting(10, "of mean field", paper="10", minimum=1, maximum=1000, changeable=True)
    crf_position_stddev: float | None = setting(
        None, "pixels; left out, as those below: as --mode=tune_crf found it, else 50", minimum=0.1, maximum=1e4,
        paper="30 to 100", changeable=True,
    )  # fmt: skip
    crf_color_stddev: float | None = setting(
        None, "grey levels; else 5", paper="3 to 6", minimum=0.1, maximum=1e3, changeable=True
    )
    crf_bilateral_weight: float | None = setting(
        None, "of the kernel of both; else 4", paper="3 to 6", minimum=0.0, maximum=1e3, changeable=True
    )
    crf_images: int = setting(
        20, "validation images of --mode=tune_crf", paper="100", minimum=1, maximum=1_000_000, changeable=True
    )
    images: str = setting("", "of --mode=sample: files to segment, between commas", changeable=True)
    weight_decay: float = other(5e-4, paper="5e-4")
    learning_rate: float = other(0.05, paper="0.007")
    schedule: str = other("poly", paper="poly")
    epochs: int = 15
    batch_size: int = 16

    def check(self) -> None:
        numbers(self.scales, "scales", float)
        numbers(self.rates, "rates", int)
        if self.frozen_normalization and not self.weights:
            raise ValueError("--frozen_normalization is for --weights, which bring what is frozen.")


def numbers(text, flag, kind):
    """Those between commas, as a tuple."""
    try:
        found = tuple(kind(word) for word in text.split(",")) if text else ()
    except ValueError:
        found = (0,)
    if any(not 0 < number < 1e4 for number in found) or (flag == "scales" and not found):
        raise ValueError(f"--{flag}={text}: expected numbers over 0 between commas.")
    return found


def load(s):
    """`data.masks.Masks`, their batches (image, labels)."""
    if s.weights not in ("", "imagenet"):
        files.binary.check(s.weights, "--weights=imagenet, a .keras or .weights.h5 file, or a workdir")
    augmentation = data.masks.Augmentation(**s.only("smallest_scale", "largest_scale", "flip", "color"))
    return data.masks.load(augmentation=augmentation, batch_size=s.batch_size, **s.reading())


def network(s, class_names, weights=None):
    return models.deeplab.deeplab(
        s.variant,
        s.backbone,
        class_names=class_names,
        rates=numbers(s.rates, "rates", int) or None,
        weights=weights,
        **s.only("output_stride", "width", "filters", "frozen_normalization"),
    )


def compiled(model, s, pixels, steps_per_epoch):
    power = {"none": 0.0, "root": 0.5, "balanced": 1.0}[s.class_weights]
    weights = losses.pixel_cross_entropy.balancing(pixels) ** power if power else None
    how = s.only("epochs", "warmup_epochs", "decay_rate", "decay_epochs")
    rate = training.schedules.step_size(s.schedule, s.learning_rate, steps_per_epoch=steps_per_epoch, **how)
    model.compile(
        training.schedules.decaying_optimizer(s.optimizer, rate, **s.only("momentum", "weight_decay")),
        loss=losses.PixelCrossEntropy(weights),
        metrics=[keras.metrics.MeanIoU(len(pixels), name="mean_iou", ignore_class=255, sparse_y_pred=False)],
    )


def train(run):
    s, images = run.settings, run.data
    with run.scope():
        begun = run.has("model")  # what a checkpoint holds need not be looked for again
        folder = bool(s.weights) and files.binary.expanded(s.weights).is_dir()
        model = network(s, images.class_names, s.weights if s.weights and not (begun or folder) else None)
        if folder and not begun:
            models.pretrained.transfer(run.load(workdir=s.weights), model)
        if not s.weights:
            model.get_layer("standardize").adapt(*images.statistics())
        compiled(model, s, images.counts["train"], run.num_steps(images.splits.train) // s.epochs)
    shown, predict = list(images.examples("validation", 3)), one_scale(run, model)

    def pictures():
        return {"training/segmented": overlays(shown, predict, images.class_names)}

    plateau = training.plateau.plateau
    callbacks = [plateau(model, s.learning_rate, patience=s.patience)] if s.schedule == "plateau" else []
    splits = images.splits
    run.fit(
        model, splits.train, splits.validation, monitor="mean_iou", mode="max", pictures=pictures, callbacks=callbacks
    )


def trained(run):
    """The network, and the classes, which it keeps."""
    model = run.load()
    return model, model.get_layer("class_names").names


def one_scale(run, model):
    return methods.segmentation.predictor(model, image_size=run.settings.image_size)


def several_scales(run, model):
    s = run.settings
    how = {"image_size": s.image_size, "scales": numbers(s.scales, "scales", float)}
    return methods.segmentation.predictor(model, flip=s.flip, fusion=s.fusion, **how)


CRF = {"position_stddev": 50.0, "color_stddev": 5.0, "bilateral_weight": 4.0}
# What is tried in turn: the paper's ranges, and somewhat beyond.
GRIDS = {
    "bilateral_weight": (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0),
    "color_stddev": (2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 12.0),
    "position_stddev": (10.0, 20.0, 30.0, 50.0, 70.0, 100.0),
}


def crf_numbers(run):
    """Those of the flags, else those that were found, else the defaults."""
    found = {name: float(value) for name, value in run.load("crf").items()} if run.has("crf") else CRF
    given = {name: getattr(run.settings, f"crf_{name}") for name in CRF}
    return {name: found[name] if value is None else value for name, value in given.items()}


def dense_crf(run, at, num_classes):
    return methods.segmentation.sharpened(layers.DenseCRF(run.settings.crf_iterations, **at), num_classes)


def overlays(examples, predict, names):
    images, labels = zip(*examples, strict=True)
    predictions = [predict(image).argmax(-1) for image in images]
    return visualize.segmentation.overlays(images, labels, predictions, names)


def tune_crf(run):
    """Searches the CRF's numbers on validation images, and keeps them for the other phases."""
    model, names = trained(run)
    images, predict = run.data.for_classes(names, str(run.workdir)), several_scales(run, model)
    examples = [(image, labels, predict(image)) for image, labels in images.examples("validation", run.settings.crf_images)]

    def score(at):
        apply, counted = dense_crf(run, at, len(names)), 0
        for image, labels, logits in examples:
            predicted = apply(image, logits).argmax(-1)
            counted = counted + metrics.segmentation.pixel_confusion(labels, predicted, len(names), ignored=255)
        found = metrics.segmentation.segmentation(counted)["mean_iou_percent"]
        print(f"  {', '.join(f'{name} {value:g}' for name, value in at.items())}: mean IoU {found:.2f} %", flush=True)
        return found

    def searched():
        return methods.segmentation.search(score, CRF, GRIDS, rounds=2)[0]

    found = run.compute(searched, stage="crf")
    print("  found:", ", ".join(f"--crf_{name}={float(value):g}" for name, value in found.items()))


def evaluate(run):
    s, (model, names) = run.settings, trained(run)
    images, several = run.data.for_classes(names, str(run.workdir)), several_scales(run, model)
    ways = {"one scale": lambda image, _, predict=one_scale(run, model): predict(image)}
    ways["scales and mirror image"] = lambda image, _: several(image)
    if s.crf:
        ways["and CRF"] = dense_crf(run, crf_numbers(run), len(names))
    widths = range(1, 21)
    counted = methods.segmentation.measure(images.examples("test"), ways, len(names), widths=widths)
    found = {}
    for end, way in zip(("", "_with_scales", "_with_crf"), counted, strict=False):
        figures = metrics.segmentation.segmentation(counted[way].matrix)
        figures["trimap_accuracy_of_3_pixels_percent"] = 100 * counted[way].trimap_accuracy[2]
        found |= {name.replace("_percent", f"{end}_percent"): value for name, value in figures.items()}
    found["parameters"] = sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)
    paper = {"voc_test_mean_iou_with_crf_percent": PAPER[s.variant]} if s.variant in PAPER else None
    run.report(found, paper=paper)
    first, last = counted["one scale"], list(counted)[-1]
    iou = metrics.segmentation.intersection_over_union
    for name, share, better in zip(names, iou(first.matrix), iou(counted[last].matrix), strict=True):
        print(f"  {files.names.printable(name):<20} {100 * share:6.1f} %, {last} {100 * better:6.1f} %")
    bars = visualize.segmentation.iou_bars(iou(first.matrix), names, other=(last, iou(counted[last].matrix)))
    run.picture("iou", bars)
    curves = {way: each.trimap_accuracy for way, each in counted.items()}
    run.picture("trimap", visualize.segmentation.trimap_curves(curves, widths))
    run.picture("segmented", overlays(list(images.examples("test", 6)), several, names))


def sample(run):
    """Masks of files, or of test images, as pictures over the images and as palette PNGs of the classes' numbers."""
    s = run.settings
    if not s.images and not run.has("model"):
        raise ValueError("--mode=sample of the shipped model is for files of yours: --images=one.jpg,two.jpg.")
    model, names = trained(run)
    if s.images:
        paths, images = zip(*data.images.files.read_whole_named(s.images), strict=True)
    else:
        found = run.data_if_there("test images; --images=one.jpg,two.jpg names others")
        if found is None:
            return
        images, _ = zip(*found.for_classes(names, str(run.workdir)).examples("test", 8), strict=True)
        paths = [f"test_image_{number}" for number in range(len(images))]
    several, crf = several_scales(run, model), dense_crf(run, crf_numbers(run), len(names))
    found = []
    for path, image in zip(paths, images, strict=True):
        logits = several(image)
        found.append((crf(image, logits) if s.crf else logits).argmax(-1))
        shares = metrics.segmentation.shares(found[-1], names)
        print(f"  {files.names.printable(path)}: {shares}")
    titles = [files.names.printable(str(path)) for path in paths]
    run.picture("sample", visualize.segmentation.examples(images[:32], found[:32], names, titles=titles[:32]))


def export(run):
    s, (model, names), images = run.settings, trained(run), run.data_to_measure()
    if images is not None:
        images = images.for_classes(names, str(run.workdir))
    examples = data.masks.noise() if images is None else images.examples
    sizes = [data.images.files.parse_size(size, "export_sizes") for size in s.export_sizes.split(",") if size]
    numbers_of_crf = crf_numbers(run)
    served = serving.segmenter.segmenter(
        model,
        test=examples("test", s.max_measured),
        train=examples("train"),
        sizes=sizes or data.masks.usual_sizes(next(examples("test", 1))[0]),
        working_size=working_size(s, images),
        crf=layers.LocalCRF(**numbers_of_crf),
    )
    run.export(served, data=s.data, description=f"DeepLab {s.variant}: photos to the class of each pixel.")


def check_data(run):
    found = data.masks.report.examine(run.data, batch_size=run.settings.batch_size)
    run.check(found.report, lambda: {"masks": visualize.segmentation.examples(*found.examples)})


if __name__ == "__main__":
    training.main(Settings, load, train, evaluate, sample, export, checks=(check_data,), apart=(tune_crf,))
