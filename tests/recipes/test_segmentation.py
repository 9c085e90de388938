import dataclasses
import json
import shutil
from unittest import mock

import keras
import numpy as np
import pytest
from PIL import Image

from recipes import segmentation as recipe
from tests.resume import check_resumes
from toolkit import models, training
from toolkit.export.interpreter import tflite_caller

TINY = {
    "data": "embedded:40:32",
    "backbone": "resnet8",
    "width": 16,
    "filters": 8,
    "rates": "1,2",
    "epochs": 2,
    "batch_size": 8,
    "max_measured": 3,
    "crf_images": 2,
    "crf_iterations": 2,
}


def a_run(workdir, **how):
    return training.Run(recipe.Settings(workdir=str(workdir), **(TINY | how)), "segmentation", load=recipe.load)


def photos(folder, sizes=((20, 30), (26, 22))):
    """Dark photos with a bright box, which is class 1; their borders are ignored."""
    random = np.random.default_rng(0)
    for split, number in (("train", 12), ("val", 4)):
        for kind in ("images", "masks"):
            (folder / split / kind).mkdir(parents=True)
        for i in range(number):
            height, width = sizes[i % len(sizes)]
            mask = np.zeros((height, width), "uint8")
            mask[4:12, 5 + i : 13 + i] = 1
            image = (random.integers(0, 60, (height, width, 3)) + 150 * mask[..., None]).astype("uint8")
            mask[0] = 7
            Image.fromarray(image).save(folder / split / "images" / f"{i}.png")
            Image.fromarray(mask).save(folder / split / "masks" / f"{i}.png")
    (folder / "class_names.txt").write_text("ground\nbox\n")
    return folder


@pytest.mark.parametrize("crf", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_all_phases(tmp_path, capsys, monkeypatch, crf):
    fit = mock.create_autospec(training.Run.fit, side_effect=training.Run.fit)
    monkeypatch.setattr(training.Run, "fit", fit)
    run = a_run(tmp_path, crf=crf, rates="1,30", export_sizes="" if crf else "32x32")
    for phase in (recipe.train, recipe.evaluate, recipe.sample, recipe.export, recipe.check_data):
        phase(run)
    found = json.loads((tmp_path / "metrics.json").read_text())
    for end in ("", "_with_scales", "_with_crf")[: 2 + crf]:
        assert 0 <= found[f"mean_iou{end}_percent"] <= found[f"pixel_accuracy{end}_percent"] <= 100
    pictures = {str(path.relative_to(tmp_path / "pictures")) for path in (tmp_path / "pictures").rglob("*.png")}
    assert pictures >= {
        "iou.png",
        "trimap.png",
        "segmented.png",
        "sample.png",
        "training/segmented.png",
        "data/masks.png",
    }
    for path in (tmp_path / "masks").iterdir():
        with Image.open(path) as mask:
            assert mask.mode == "P" and mask.size == (32, 32)
    card = json.loads((tmp_path / "export" / "card.json").read_text())
    assert card["classes"][:2] == ["background", "circle"]
    kinds, sizes = ("", "_sharp") if crf else ("",), ("", "_16x16") if crf else ("",)
    assert set(card["signatures"]) == {f"segment{kind}{size}" for kind in kinds for size in sizes}
    # The file says what Keras says.
    model = run.load()
    predict, call = recipe.one_scale(run, model), tflite_caller(tmp_path / "export" / "model.tflite")
    for image, _ in run.data.examples("test", 3):
        expected = predict(image).argmax(-1)
        assert np.mean(call("segment", image=image[None])["labels"][0] == expected) > 0.995
    # At one scale the classes' overlaps are those of what it says; the network was given the images' mean, and the
    # weights of the greatest overlap.
    pairs = [(labels, predict(image).argmax(-1)) for image, labels in run.data.examples("test")]
    true, told = (np.stack(each)[..., None] == np.arange(len(card["classes"])) for each in zip(*pairs, strict=True))
    both, either = ((combined).sum(axis=(0, 1, 2)) for combined in (true & told, true | told))
    assert found["mean_iou_percent"] == pytest.approx(100 * np.mean((both / either)[either > 0]))
    assert np.ravel(model.get_layer("standardize").mean) == pytest.approx(run.data.statistics()[0], abs=1e-3)
    assert (fit.call_args.kwargs["monitor"], fit.call_args.kwargs["mode"]) == ("mean_iou", "max")
    printed = capsys.readouterr().out
    assert "IoU" in printed and "--rates: of 30 a 1 x 1 convolution is left in images of (32, 32)" in printed


@pytest.mark.parametrize(("class_weights", "power"), [("none", 0), ("root", 0.5), ("balanced", 1)])
def test_classes_weigh_as_asked_and_what_is_ignored_is_not_counted(class_weights, power):
    model = keras.Sequential([keras.Input((1, 4, 2)), keras.layers.Rescaling(1.0)])
    recipe.compiled(model, recipe.Settings(workdir="w", class_weights=class_weights), [40, 10], 1)
    labels, logits = np.array([[[0, 0, 1, 255]]]), np.array([[[[2.0, 0], [0, 1], [0, 3], [9, 9]]]])
    found = model.evaluate(logits, labels, verbose=0, return_dict=True)
    weights = np.array([25 / 40, 25 / 40, 25 / 10]) ** power  # the median over their own
    losses = np.log1p(np.exp([-2.0, 1.0, -3.0]))
    assert found["loss"] == pytest.approx((weights * losses).sum() / weights.sum(), rel=1e-5)
    assert found["mean_iou"] == pytest.approx((1 / 2 + 1 / 2) / 2)


def test_scales_mirror_and_fusion_are_handed_on(tmp_path, monkeypatch):
    predictor = mock.Mock()
    monkeypatch.setattr(recipe.methods.segmentation, "predictor", predictor)
    recipe.several_scales(a_run(tmp_path, scales="0.5,2", flip=True, fusion="max", image_size=24), "model")
    predictor.assert_called_once_with("model", image_size=24, scales=(0.5, 2.0), flip=True, fusion="max")


@pytest.mark.slow
def test_a_search_for_the_crf_is_kept_and_a_flag_overrides_it(tmp_path, monkeypatch):
    run = a_run(tmp_path, epochs=1, steps_per_epoch=1)
    recipe.train(run)
    grids = {"bilateral_weight": (2.0, 3.0), "color_stddev": (9.0,)}
    monkeypatch.setattr(recipe, "GRIDS", grids)
    recipe.tune_crf(run)
    found = recipe.crf_numbers(run)
    assert found["bilateral_weight"] in (2.0, 3.0, 4.0) and found["position_stddev"] == 50.0
    monkeypatch.setattr(recipe, "GRIDS", {"bilateral_weight": (99.0,)})
    recipe.tune_crf(run)
    assert recipe.crf_numbers(run) == found, "found once, kept"
    run.close()
    again = training.Run(dataclasses.replace(run.settings, crf_color_stddev=7.0), "segmentation", load=recipe.load)
    assert recipe.crf_numbers(again) == {**found, "color_stddev": 7.0}


@pytest.mark.slow
def test_photos_of_unlike_sizes_with_an_ignored_number(tmp_path):
    folder = photos(tmp_path / "photos")
    how = {"data": f"folder:{folder}", "ignored": "7", "image_size": 24, "crop_size": "24x32", "held_out": 0.2}
    run = a_run(
        tmp_path / "run", **how, epochs=12, batch_size=4, class_weights="balanced", export_sizes="20x30", crf=False
    )
    for phase in (recipe.train, recipe.evaluate, recipe.export):
        phase(run)
    found = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert found["mean_accuracy_percent"] > 75
    run.close()
    paths = [folder / "val" / "images" / f"{i}.png" for i in (0, 1)]
    again = dataclasses.replace(run.settings, images=",".join(map(str, paths)))
    recipe.sample(training.Run(again, "segmentation", load=recipe.load))
    for number, path in enumerate(paths):
        with Image.open(tmp_path / "run" / "masks" / f"{number:02}_{path.stem}.png") as mask, Image.open(path) as image:
            assert mask.size == image.size and set(np.unique(mask)) <= {0, 1}
    # Where the data is gone, the model is exported all the same.
    shutil.rmtree(folder)
    run = training.Run(dataclasses.replace(run.settings, export_sizes=""), "segmentation", load=recipe.load)
    recipe.export(run)
    card = json.loads((tmp_path / "run" / "export" / "card.json").read_text())
    assert card["classes"] == ["ground", "box"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "how",
    [
        {"variant": "v3", "precision": "mixed_float16", "class_weights": "root", "schedule": "plateau"},
        {"variant": "v2", "precision": "mixed_bfloat16", "optimizer": "adam", "learning_rate": 0.001},
        {"variant": "large_fov", "backbone": "vgg11", "rates": "", "width": 4, "fusion": "max"},
    ],
    ids=lambda how: how["variant"],
)
def test_other_settings_train(tmp_path, how):
    run = a_run(tmp_path, **how, epochs=1, steps_per_epoch=3)
    recipe.train(run), recipe.evaluate(run)
    assert np.isfinite(json.loads((tmp_path / "metrics.json").read_text())["mean_iou_percent"])


@pytest.mark.slow
def test_resumes_inside_the_second_epoch(tmp_path):
    check_resumes(lambda workdir: a_run(workdir, checkpoint_minutes=0.0), recipe.train, tmp_path, cuts=(5,))


@pytest.mark.slow
def test_backbone_of_another_training_frozen(tmp_path):
    run = a_run(tmp_path / "first", epochs=1, steps_per_epoch=1)
    recipe.train(run)
    theirs = run.load()
    run.close()
    how = {"weights": str(tmp_path / "first"), "frozen_normalization": True, "variant": "v3", "learning_rate": 1e-6}
    run = a_run(tmp_path / "second", **how, epochs=1, steps_per_epoch=1, weight_decay=0.0)
    recipe.train(run)
    ours = run.load()
    same = [layer for layer in ours.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert len(same) > 5
    for layer in same:
        for weight, expected in zip(layer.get_weights(), theirs.get_layer(layer.name).get_weights(), strict=True):
            np.testing.assert_array_equal(weight, expected, err_msg=layer.name)
    kernels = [layer.get_weights()[0] for layer in (ours.get_layer("stem"), theirs.get_layer("stem"))]
    np.testing.assert_allclose(*kernels, atol=1e-4)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"scales": ""}, "--scales must be one number or more"),
        ({"scales": "1,x"}, "--scales must be numbers over 0 between commas"),
        ({"rates": "6,-1"}, "--rates must be numbers over 0 between commas"),
        ({"crop_size": "64"}, "--crop_size must be HEIGHTxWIDTH"),
        ({"export_sizes": "64x64,9"}, "--export_sizes must be HEIGHTxWIDTH"),
        ({"ignored": "256x"}, "--ignored must be numbers of 0 to 255"),
        ({"frozen_normalization": True}, "--frozen_normalization is for --weights"),
        ({"crop_size": "9999x9999"}, "billion pixels; at most 1 is allowed"),
    ],
)
def test_bad_settings(how, told):
    with pytest.raises(ValueError, match=told):
        recipe.Settings(workdir="w", **how)


def test_what_cannot_be_trained_is_said_before(tmp_path):
    with pytest.raises(FileNotFoundError, match="--weights=none: expected imagenet, a file of Keras weights"):
        recipe.train(a_run(tmp_path / "weights", weights="none", data="folder:nowhere"))
    with pytest.raises(ValueError, match="--images=one.jpg,two.jpg"):
        recipe.sample(training.Run(recipe.Settings(workdir=str(tmp_path / "s")), load=recipe.load, stand_in=tmp_path))


def test_batch_normalization_inside_layers_is_synchronized_too():
    model = models.deeplab.deeplab("v3", "resnet8", (32, 32, 3), 3, width=4)
    models.image_blocks.synchronize(model)
    found = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]
    assert len(found) > 10 and all(layer.synchronized for layer in found)
