"""Priors over codes: VQ-VAE, van den Oord et al. 2017 (1711.00937), and VQ-VAE-2, Razavi et al. 2019 (1906.00446).

Learns what codes of a trained VQ-VAE follow one another, of several levels what finer ones go with coarse ones, and so
draws new images of a class.

  python -m recipes.vqvae_image && python -m recipes.codes_prior          a VQ-VAE of digits, then all phases here
  python -m recipes.codes_prior --mode=sample --classes=3,7 --num_samples=32
  python -m recipes.vqvae2 && python -m recipes.codes_prior --workdir=runs/priors --data=runs/vqvae2       two levels
  python -m recipes.codes_prior --workdir=runs/priors --mode=sample --keep=0.25 --judge=runs/classifier
  python -m recipes.codes_prior --workdir=runs/cifar10_prior --data=runs/cifar10 --kernel_size=3 --batch_size=64 \
      --epochs=6 --images=keras:cifar10 --num_judged=2000

Here: CIFAR-10 on two levels (--data of vqvae2), 42 minutes: 7.19 bits a top code and 6.71 a bottom one, 7.07 and 6.56
of training images; distances 7.1 drawn, 4.2 the quarter that the judge knows best, 3.7 decoded, 20.9 uniform;
precision 91 %, recall 45 and 43 %. On one level, 19 minutes: 6.68 bits a code, 5.77 a dimension; distances 8.4 drawn,
4.5 decoded, 22.6 uniform; 27 % of drawn images are taken for their class. Out of the box: digits, 16 codes of 128
each, seeds 0 to 2, two minutes on two busy cores: 3.50 to 3.82 bits a code, 7 if all were alike probable; by the
features of the shipped classifier drawn images are 0.14 to 0.15 from real ones, decoded ones 0.04, those of codes
drawn uniformly 1.7 to 2.3.

Paper: VQ-VAE's samples are pictures, without a number; VQ-VAE-2's priors of ImageNet 256 x 256 take 3.40 nats a code of
training images at the top and 3.45 at the bottom, 3.41 and 3.45 of others.

Differs from the paper: sizes that two cores train in minutes (the paper's are in each help).
"""

import pathlib

import numpy as np

from toolkit import data, generation, methods, models, serving, settings, training, visualize
from toolkit.lazy import keras
from toolkit.settings import other, setting


@settings.recipe
class Settings(
    settings.CodePrior, settings.FallingAdam, settings.Devices, settings.ImageSampling, settings.MeasuredExport
):
    data: str = setting("runs/vqvae_image", "workdir of a VQ-VAE, whose --mode=codes has encoded its data", path=True)
    batch_size: int = 32
    epochs: int = other(15, more="of each level's prior")
    num_samples: int = 40


def load(s):
    """`data.codes.Codes`, their batches {"codes", "label", "length"}."""
    codes = data.codes.load(pathlib.Path(s.data) / "codes", **s.only("batch_size", "seed"))
    if codes.facts.get("autoencoder") != "image":
        raise ValueError(
            f"--data={s.data}: its codes are not of images. The recipe of its VQ-VAE has a prior of its own."
        )
    return codes


def network(s, codes, number):
    """The prior of one level, told the codes of those above it."""
    shapes = models.code_levels.map_shapes(codes.levels)
    how = s.only("filters", "num_blocks", "kernel_size", "num_context_blocks", "dropout")
    how["class_names"] = codes.label_names if s.condition == "label" else ()
    how |= {"num_maps": number, "context_size": shapes[number - 1]} if number else {}
    if (s.prior or ("pixelsnail" if len(shapes) > 1 else "pixelcnn")) == "pixelcnn":
        return models.pixelcnn.pixelcnn(*shapes[number], codes.num_codes, head_filters=s.head_filters, **how)
    how |= s.only("num_heads", "num_output_blocks") | {"attention_every": 0 if number else s.attention_every}
    return models.pixelsnail.pixelsnail(*shapes[number], codes.num_codes, **how)


def stages(autoencoder):
    """A stage for each level: "model" for the top, those below it are named as their level is."""
    return ["model", *models.vqvae2.level_names(autoencoder)[1:]]


def train(run):
    s, codes = run.settings, run.data
    autoencoder = run.load(workdir=s.data)
    data.codes.check_codebook(codes, np.asarray(models.vqvae2.embeddings(autoencoder)), s.data)
    labels, priors = np.arange(20) % max(1, len(codes.label_names)), []
    for number, stage in enumerate(stages(autoencoder)):
        falling = training.step_sizes.falling(s.learning_rate, run.num_steps(codes.splits.train))
        with run.scope(stage):
            prior = network(s, codes, number)
            methods.code_likelihood.compiled(prior, keras.optimizers.Adam(falling, global_clipnorm=1.0))
        priors = [*priors, prior]
        splits = codes.splits.map(methods.code_likelihood.pairs(prior, codes.levels))

        drawer = generation.image_drawing.ImageDrawer(priors, autoencoder)

        def pictures(drawer=drawer):
            return {"training/samples": beside(drawer, drawer.draw(labels, seed=s.seed), labels)}

        how = {"network": {"prior": prior} | ({} if number else {"autoencoder": autoencoder}), "stage": stage}
        run.fit(prior, splits.train, splits.validation, monitor="bits_per_code", pictures=pictures, **how)


def trained(run):
    """The priors, from the top, and the VQ-VAE whose codes they draw."""
    found = run.load()
    lower = map(run.load, stages(found["autoencoder"])[1:])
    return [found["prior"], *lower], found["autoencoder"]


def beside(drawer, images, labels):
    names = drawer.class_names
    return visualize.images.grid(images, [names[label] for label in labels] if names else (), columns=10)


def evaluate(run):
    s, (priors, autoencoder), codes = run.settings, trained(run), run.data
    sizes, found = [np.prod(shape) for shape in codes.levels], {}
    # Of as many training images as there are others.
    for name, batches in (("", codes.splits.test), ("training_", codes.splits.train)):
        how = {"levels": codes.levels, "num_batches": codes.splits.test.steps_per_epoch}
        bits = [methods.code_likelihood.measured(prior, batches, **how) for prior in priors]
        found[f"{name}bits_per_code"] = np.average(bits, weights=sizes)
        if len(bits) > 1:
            levels = models.vqvae2.level_names(autoencoder)
            found |= {f"{name}bits_per_code_of_{level}": each for level, each in zip(levels, bits, strict=True)}
    found["bits_per_code_of_uniform_codes"] = np.log2(codes.num_codes)
    num_dims, reconstruction = np.prod(autoencoder.input_shape[1:]), codes.facts["test_reconstruction_nats"] / np.log(2)
    for name, bits in (("", found["bits_per_code"]), ("_with_uniform_codes", np.log2(codes.num_codes))):
        found[f"bits_per_dim{name}"] = (reconstruction + bits * sum(sizes)) / num_dims
    run.report(found | (judged(run, priors, autoencoder) if s.images else {}))


def judge_of(run):
    shipped = training.shipping.shipped("image_classification")
    return methods.image_judge.ImageJudge(run.load(workdir=run.settings.judge or shipped))


def judged(run, priors, autoencoder):
    """How near drawn images come to real test images, as a classifier sees both, and what it takes them for."""
    s, codes, (side, _, channels), judge = run.settings, run.data, autoencoder.input_shape[1:], judge_of(run)
    real = data.images.load(s.images, image_size=side, batch_size=100, channels=channels, seed=s.seed)
    real.for_classes(codes.label_names, f"the codes in {s.data}")
    drawer = generation.image_drawing.ImageDrawer(priors, autoencoder)
    test = codes.splits.test.spread(s.num_judged).arrays()
    labels, number = test["label"], len(test["label"])
    judge.compare(block for block, _ in real.blocks("test", number))
    how = {"temperature": s.temperature, "seed": s.seed}
    quality = generation.sample_quality.sample_quality(drawer, judge, labels, codes.label_names, **how)
    decoded, names = drawer.decode(test["codes"]), [codes.label_names[label] for label in labels]
    seen = judge.look(decoded)
    found = judge.measures(seen, "decoded") | quality.measures
    found |= judge.measures(drawer.draw_uniform(number, seed=s.seed), "uniform_codes")
    if len(quality.kept) > 1:
        found["class_seen_in_decoded_percent"] = judge.accuracy(seen, names)
        rows = [(share, images[np.unique(its, return_index=True)[1]]) for share, (images, its) in quality.kept.items()]
        rows = [(f"the {share:.0%} seen best", images) if share < 1 else ("drawn", images) for share, images in rows]
        run.picture("kept", visualize.images.beside(rows, most=10))
    run.picture("precision_recall", visualize.charts.curves(quality.curves, "recall, %", "precision, %"))
    found |= copies(run, judge, real, quality.kept[1.0][0], decoded)
    if s.score_epochs:
        parts = [
            [np.concatenate(each) for each in zip(*real.blocks(part, number), strict=True)]
            for part in ("train", "test")
        ]
        how = {"num_classes": len(real.class_names), "epochs": s.score_epochs, "seed": s.seed}
        found |= methods.classification_accuracy_score.beside_real(quality.kept[1.0], *parts, **how)
    return found


def copies(run, judge, real, drawn, decoded):
    """How far drawn images are from the nearest training ones, beside decoded test images, which can be no copies."""
    blocks, found = real.blocks("train", len(real.parts["train"].labels)), {}
    nearest = judge.nearest(np.concatenate([drawn, decoded]), (block for block, _ in blocks))
    for name, images, which in (("drawn", drawn, slice(len(drawn))), ("decoded", decoded, slice(len(drawn), None))):
        found[f"distance_to_training_of_{name}"] = nearest.distances[which].mean()
        rows = [(name, images[:10]), ("nearest of training", nearest.images[which][:10])]
        run.picture(f"nearest_to_{name}", visualize.images.beside(rows, most=10))
    return found


def sample(run):
    s, drawer = run.settings, generation.image_drawing.ImageDrawer(*trained(run))
    names = drawer.class_names
    asked = [word.strip() for word in s.classes.split(",") if word.strip()]
    for name in asked:
        if name not in names:
            raise ValueError(
                f"--classes={s.classes}: the prior never saw {name!r}; it knows {', '.join(names) or 'none'}."
            )
    labels = [names.index(name) for name in asked] or list(range(max(1, len(names))))
    labels, how = np.resize(labels, s.num_samples), {"temperature": s.temperature, "seed": s.sample_seed}
    if s.keep < 1:
        if not names:
            raise ValueError(f"--keep={s.keep}: the prior knows no classes, by which a classifier could choose.")
        judge = judge_of(run)
        images, _, labels = generation.classifier_rejection.drawn_and_kept(
            lambda many: drawer.draw(many, **how),
            judge.look,
            labels,
            (s.keep,),
            looked_for=judge.labels([names[label] for label in labels]),
            class_names=judge.class_names,
        )[s.keep]
    else:
        images = drawer.draw(labels, **how)
    run.picture("samples", beside(drawer, images, labels))
    run.picture("uniform_codes", visualize.images.grid(drawer.draw_uniform(20, seed=s.sample_seed), columns=10))


def export(run):
    s, (priors, autoencoder), codes = run.settings, trained(run), run.data_to_measure()
    test = codes.splits.test.spread(s.max_measured).arrays() if codes else {"codes": (), "label": ()}
    served = serving.code_maps.code_maps(
        priors,
        autoencoder,
        label_names=models.pixelcnn.class_names(priors[0]),
        measured=list(zip(test["codes"], test["label"], strict=True)),
        seed=s.seed,
    )
    run.export(served, data=s.data, description=__doc__.splitlines()[0])


if __name__ == "__main__":
    training.main(Settings, load, train, evaluate, sample, export)
