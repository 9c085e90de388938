"""Photos to the class of each pixel: DeepLab, atrous convolution with a pyramid of rates and a dense CRF, 2015 to 2018.

Says of each pixel what it belongs to: LargeFOV, v2, v3 or v3+ on VGG or a ResNet; a fully connected CRF then draws the
labels to the image's edges.

  python -m recipes.segmentation                                          all phases on scenes made of a seed
  python -m recipes.segmentation --mode=sample --images=one.jpg,two.jpg   the shipped model (road scenes) on your files
  python -m recipes.segmentation --workdir=runs/own --data=folder:FOLDER --image_size=180 --crop_size=180x240
  python -m recipes.segmentation --workdir=runs/own --mode=tune_crf       the CRF's numbers, searched on validation
  python -m recipes.segmentation --workdir=runs/voc --data=voc:FOLDER --crop_size=513x513 --backbone=resnet50 \
      --width=64 --filters=256 --rates= --output_stride=16 --weights=imagenet --learning_rate=0.007

Here: CamVid at 240 x 180, v3+ on a narrow ResNet-18 (0.78 million weights), 100 epochs, 52 minutes of one core's
time: mean IoU 57.8 % of 101 validation images at their own size; with scales and mirror image 59.1, and CRF 59.5 %.

Paper: PASCAL VOC 2012, test, mean IoU: v2 79.7 %, v3 85.7 %, v3+ 89.0 %; of v2 on the validation images the CRF makes
76.35 to 77.69 %.

The flags of the papers' own trainings are in docs/recipes/segmentation.md.

Differs from the papers: v2 learns from one scale at a time, not from three that are fused; with several devices each
takes the mean loss of its own pixels.
"""

import pathlib

import numpy as np

from toolkit import data, files, layers, losses, methods, models, serving, settings, training, visualize
from toolkit.lazy import keras
from toolkit.settings import other, setting

PAPER = {"v2": 79.7, "v3": 85.7, "v3+": 89.0}  # mean IoU on VOC 2012, test, percent


@settings.recipe
class Settings(
    settings.Masks,
    settings.NamedImages,
    settings.MaskAugmentation,
    settings.SegmentationNetwork,
    settings.DenseCRF,
    settings.Schedule,
    settings.Devices,
    settings.MaskExport,
):
    class_weights: str = setting(
        "root",
        "of the classes in the loss: balanced: the median class's pixels over the class's own; root: its square root",
        choices=("none", "root", "balanced"),
    )
    scales: str = setting(
        "0.75,1,1.25",
        "sizes in which test images are looked at, as factors",
        paper="0.5,0.75,1; v3: 0.5 to 1.75",
        changeable=True,
        maximum=100,
    )
    fusion: str = setting(
        "mean",
        "how what is seen at the scales becomes one",
        paper="max, mean",
        choices=("max", "mean"),
        changeable=True,
    )
    weight_decay: float = other(5e-4, paper="5e-4")
    learning_rate: float = other(0.05, paper="0.007")
    schedule: str = other("poly", paper="poly")
    epochs: int = 25
    batch_size: int = 16

    def check(self) -> None:
        if not settings.numbers(self.scales, "scales"):
            raise ValueError("--scales must be one number or more, between commas.")


def load(s):
    """`data.masks.Masks`, their batches (image, labels)."""
    if s.weights not in ("", "imagenet") and not files.binary.exists(files.binary.expanded(s.weights)):
        raise FileNotFoundError(f"--weights={s.weights}: expected imagenet, a file of Keras weights, or a workdir.")
    changes = data.masks.Augmentation(**s.changes())
    return data.masks.load(augmentation=changes, batch_size=s.batch_size, **s.reading())


def network(s, class_names, weights=None):
    return models.deeplab.deeplab(class_names=class_names, weights=weights, **s.network())


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
    s, images, splits = run.settings, run.data, run.data.splits
    begun = run.has("model")  # what a checkpoint holds need not be looked for again
    folder = bool(s.weights) and files.binary.expanded(s.weights).is_dir()
    with run.scope():
        model = network(s, images.class_names, s.weights if s.weights and not (begun or folder) else None)
        if folder and not begun:
            models.pretrained.transfer(run.load(workdir=s.weights), model)
        if not s.weights:  # which bring the statistics that they were trained with
            model.get_layer("standardize").adapt(*images.statistics())
        if s.strategy != "single":
            models.image_blocks.synchronize(model)
        compiled(model, s, images.counts["train"], run.num_steps(splits.train, epochs=1))
    for rate in models.deeplab.useless_rates(model, *images.crop_size):
        print(f"  --rates: of {rate} a 1 x 1 convolution is left in images of {images.crop_size}.", flush=True)
    shown, predict = list(images.examples("validation", 3)), one_scale(run, model)
    plateau = training.plateau.plateau
    run.fit(
        model,
        splits.train,
        splits.validation,
        monitor="mean_iou",
        mode="max",
        pictures=lambda: {"training/segmented": overlays(shown, predict, images.class_names)},
        callbacks=(plateau(model, s.learning_rate, patience=s.patience),) if s.schedule == "plateau" else (),
    )


def trained(run):
    """The network, and the classes, which it keeps."""
    model = run.load()
    return model, model.get_layer("class_names").names


def one_scale(run, model):
    return methods.segmentation.predictor(model, image_size=run.settings.image_size)


def several_scales(run, model):
    s = run.settings
    how = {"image_size": s.image_size, "scales": settings.numbers(s.scales, "scales")}
    return methods.segmentation.predictor(model, flip=s.flip, fusion=s.fusion, **how)


def crf_numbers(run):
    found = run.load("crf") if run.has("crf") else {}
    return run.settings.crf_numbers({name: float(value) for name, value in found.items()})


def dense_crf(run, num_classes, **how):
    """A way to go on from logits, its numbers those that are given, or found, or the papers'."""
    crf = layers.DenseCRF(run.settings.crf_iterations, **(how or crf_numbers(run)))
    return methods.segmentation.sharpened(crf, num_classes)


def overlays(examples, predict, names):
    images, labels = zip(*examples, strict=True)
    return visualize.segmentation.overlays(images, labels, [predict(image).argmax(-1) for image in images], names)


# What --mode=tune_crf tries in turn: the paper's ranges, and somewhat beyond.
GRIDS = {
    "bilateral_weight": (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0),
    "color_stddev": (2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 12.0),
    "position_stddev": (10.0, 20.0, 30.0, 50.0, 70.0, 100.0),
}


def tune_crf(run):
    """Searches the CRF's numbers on validation images, and keeps them for the other phases."""
    s, (model, names) = run.settings, trained(run)
    images, several = run.data.for_classes(names, str(run.workdir)), several_scales(run, model)

    def searched():
        examples = [(*pair, several(pair[0])) for pair in images.examples("validation", s.crf_images)]

        def score(at):
            found = methods.segmentation.mean_iou(examples, dense_crf(run, len(names), **at), len(names))
            print(f"  {', '.join(f'{name} {value:g}' for name, value in at.items())}: {found:.2f} %", flush=True)
            return found

        return methods.segmentation.search(score, s.crf_numbers({}), GRIDS, rounds=2)[0]

    found = run.compute(searched, stage="crf")
    print("  found:", " ".join(f"--crf_{name}={float(value):g}" for name, value in found.items()))


def evaluate(run):
    s, (model, names) = run.settings, trained(run)
    images, one, several = (
        run.data.for_classes(names, str(run.workdir)),
        one_scale(run, model),
        several_scales(run, model),
    )
    ways = {"one scale": lambda image, _: one(image), "scales and mirror image": lambda image, _: several(image)}
    if s.crf:
        ways["and CRF"] = dense_crf(run, len(names))
    counted = methods.segmentation.measure(
        images.examples("test"), ways, len(names), widths=range(1, 21), total=len(images.parts["test"])
    )
    found = {}
    for way, end in zip(counted, ("", "_with_scales", "_with_crf"), strict=False):
        found |= {name.replace("_percent", f"{end}_percent"): value for name, value in counted[way].figures.items()}
    found["parameters"] = sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)
    run.report(found, paper={"voc_test_mean_iou_percent": PAPER[s.variant]} if s.variant in PAPER else None)
    (first, *_, last), shares = counted, {way: each.iou for way, each in counted.items()}
    for name, before, after in zip(names, shares[first], shares[last], strict=True):
        print(f"  {files.names.printable(name):<20} IoU {100 * before:6.1f} %, {last} {100 * after:6.1f} %")
    run.picture("iou", visualize.segmentation.iou_bars(shares[first], names, other=shares[last], series=(first, last)))
    curves = {way: each.trimap_accuracy for way, each in counted.items()}
    run.picture("trimap", visualize.segmentation.trimap_curves(curves, range(1, 21)))
    run.picture("segmented", overlays(images.examples("test", 6), several, names))


def sample(run):
    """Masks of files, or of test images: a picture, and palette PNGs of the classes' numbers."""
    s = run.settings
    if not s.images and not run.has("model"):
        raise ValueError("--mode=sample of the shipped model is for files of yours: --images=one.jpg,two.jpg.")
    model, names = trained(run)
    if s.images:
        named = [(files.names.printable(path), image) for path, image in data.images.files.read_whole_named(s.images)]
    else:
        test = run.data_if_there("test images; --images=one.jpg,two.jpg names others")
        if test is None:
            return
        pairs = test.for_classes(names, str(run.workdir)).examples("test", 8)
        named = [(f"test image {number}", image) for number, (image, _) in enumerate(pairs)]
    several, crf, masks = several_scales(run, model), dense_crf(run, len(names)), []
    for number, (name, image) in enumerate(named):
        logits = several(image)
        masks.append((crf(image, logits) if s.crf else logits).argmax(-1).astype("uint8"))
        print(f"  {name}: {methods.segmentation.in_words(masks[-1], names)}", flush=True)
        colors = visualize.segmentation.palette(len(names))
        run.mask(f"{number:02}_{pathlib.PurePath(name).stem}", masks[-1], colors)
    titles, images = zip(*named[:32], strict=True)
    run.picture("sample", visualize.segmentation.examples(images, masks[:32], names, titles=titles))


def export(run):
    s, (model, names), images = run.settings, trained(run), run.data_to_measure()
    examples = data.masks.noise if images is None else images.for_classes(names, str(run.workdir)).examples
    size = next(iter(examples("test", 1)))[1].shape
    served = serving.segmenter.segmenter(
        model,
        test=examples("test", s.max_measured),
        max_measured=s.max_measured,
        train=examples("train", 50),
        sizes=s.exported_sizes or [size, tuple(-(-side // 2) for side in size)],
        working_size=s.image_size and tuple(round(side * s.image_size / min(size)) for side in size),
        crf=layers.LocalCRF(**crf_numbers(run)) if s.crf else None,
    )
    run.export(served, data=s.data, description=f"DeepLab {s.variant}: photos to the class of each pixel.")


def check_data(run):
    found = data.masks.report.examine(run.data, batch_size=run.settings.batch_size)
    images, masks = zip(*found.examples, strict=True)
    run.check(found.report, lambda: {"masks": visualize.segmentation.examples(images, masks, found.class_names)})


if __name__ == "__main__":
    training.main(Settings, load, train, evaluate, sample, export, untrained=(check_data,), apart=(tune_crf,))
