import dataclasses
import json
import types
from unittest import mock

import numpy as np
import pytest
from PIL import Image

from recipes import vqvae2 as recipe
from tests.resume import check_resumes
from toolkit import data, methods, training

TINY = {
    "data": "embedded:200",
    "units": 8,
    "residual_units": 8,
    "num_residual_blocks": 1,
    "num_embeddings": 16,
    "embedding_dim": 4,
    "epochs": 1,
    "max_measured": 3,
    "num_samples": 3,
}


def a_run(workdir, **how):
    return training.Run(recipe.Settings(workdir=str(workdir), **(TINY | how)), "vqvae2", load=recipe.load)


def test_all_phases(tmp_path, monkeypatch):
    whole, measured = [], methods.image_codes.measured
    monkeypatch.setattr(methods.image_codes, "measured", lambda *given: whole.append(given) or measured(*given))
    run = a_run(tmp_path)
    for phase in (recipe.train, recipe.evaluate, recipe.codes, recipe.sample, recipe.export, recipe.check_data):
        phase(run)
    found = json.loads((tmp_path / "metrics.json").read_text())
    assert found["bits_per_dim"] - found["reconstruction_bits_per_dim"] == pytest.approx((4 + 16) * 4 / 256)
    assert (found["bits_of_top_codes_per_image"], found["bits_of_bottom_codes_per_image"]) == (16, 64)
    assert found["squared_error"] < found["squared_error_of_top"]
    assert found["training_squared_error"] == pytest.approx(found["squared_error"], rel=0.2)
    assert found["training_squared_error"] != found["squared_error"]
    # Of training images two numbers are kept, and no more is measured.
    assert len(whole) == 1
    seen = run.data.splits.train.take(run.data.splits.test.steps_per_epoch).dataset(num_epochs=1)
    for name in ("squared_error", "reconstruction_bits_per_dim"):
        assert found[f"training_{name}"] == pytest.approx(measured(run.load(), seen)[name], rel=1e-5)
    for level in ("top", "bottom"):
        assert 1 < found[f"codebook_{level}_perplexity"] <= 16
        assert 0 < found[f"codebook_{level}_usage_percent"] <= 100
    pictures = {str(path.relative_to(tmp_path / "pictures")) for path in (tmp_path / "pictures").rglob("*.png")}
    shown = {"reconstructions", "training/reconstructions", "exchanged", "uniform_codes", "data/classes"}
    assert pictures >= {f"{name}.png" for name in (*shown, "codebook_top", "codebook_bottom")}
    # The codes on disk are those of the images, both levels in a row, with their classes and what they take.
    codes, model = data.codes.load(tmp_path / "codes", batch_size=32), run.load()
    data.codes.check_codebook(codes, np.asarray(recipe.models.vqvae2.embeddings(model)), "here")
    images, labels = run.data.splits.test.arrays()
    kept = codes.splits.test.arrays()
    top, bottom = recipe.models.vqvae2.codes(model, images)
    assert codes.levels == ((2, 2), (4, 4))
    # Exchanged are the codes of one level, those of the other stay; what is left out is no code at all.
    decoded, (top, bottom) = recipe.models.vqvae2.decoded, (np.asarray(top), np.asarray(bottom))
    exchanged = dict(recipe.exchanged(model, images[:3]))
    for name, mixed in (("top", [top[[1, 2, 0]], bottom[:3]]), ("bottom", [top[:3], bottom[[1, 2, 0]]])):
        np.testing.assert_allclose(exchanged[name], decoded(model, mixed), atol=1e-3, err_msg=name)
    with mock.patch.object(recipe.visualize.images, "beside") as beside:
        recipe.reconstructions(model, images[:3])
    rows = beside.call_args.args[0]
    for row, known in ((2, [top[:3], None]), (4, [top[:3], bottom[:3]])):
        np.testing.assert_allclose(rows[row][1], decoded(model, known), atol=1e-3)
    np.testing.assert_array_equal(kept["codes"][:, :4], np.reshape(top, (-1, 4)))
    np.testing.assert_array_equal(kept["codes"][:, 4:], np.reshape(bottom, (-1, 16)))
    np.testing.assert_array_equal(kept["label"], labels)
    nats = found["reconstruction_bits_per_dim"] * 256 * np.log(2)
    assert codes.facts["test_reconstruction_nats"] == pytest.approx(nats, rel=1e-4)
    card = json.loads((tmp_path / "export" / "card.json").read_text())
    assert set(card["signatures"]) == {"encode", "decode"}
    assert card["codes_bottom"] == {"shape": [4, 4], "number": 16}
    measured = np.stack(list(run.data.examples("test", 3))).astype("float32")
    error = np.mean((np.asarray(decoded(model, recipe.models.vqvae2.codes(model, measured))) - measured) ** 2)
    assert card["measured"]["model.tflite"]["squared_error"] == pytest.approx(error, rel=1e-3)
    # One's own files, of any size.
    Image.fromarray(np.full((40, 30, 3), 200, "uint8")).save(tmp_path / "mine.png")
    run.close()
    settings = dataclasses.replace(run.settings, images=str(tmp_path / "mine.png"))
    recipe.sample(training.Run(settings, "vqvae2", load=recipe.load))
    assert (tmp_path / "pictures" / "your_images.png").exists()


def test_which_level_carries_the_class(tmp_path, monkeypatch):
    """A level that is all of an image carries it, one that changes nothing does not."""
    run = a_run(tmp_path, judge="a classifier's workdir")
    known = {image.tobytes(): label for image, label in zip(*run.data.splits.test.arrays(), strict=True)}

    class Judge:
        def __init__(self, network):
            self.labels = lambda names: np.array([int(name) for name in names])

        def look(self, images):
            labels = [known[np.asarray(image, "float32").tobytes()] for image in images]
            return types.SimpleNamespace(probabilities=np.eye(10)[labels])

    monkeypatch.setattr(recipe.methods.image_judge, "ImageJudge", Judge)
    monkeypatch.setattr(run, "load", lambda workdir=None: None)
    levels = lambda _, images: [("top", np.roll(images, -1, axis=0)), ("bottom", images)]  # noqa: E731
    monkeypatch.setattr(recipe, "exchanged", levels)
    found = recipe.carried(run, None)
    assert found == {"class_carried_by_top_percent": 100.0, "class_carried_by_bottom_percent": 0.0}


@pytest.mark.slow
@pytest.mark.parametrize(
    "how",
    [
        {"precision": "mixed_float16", "num_codebooks": 2, "channels": 3},
        {"precision": "mixed_bfloat16", "codebook_momentum": 0.0},
        {"num_levels": 3, "num_residual_blocks": 0},
    ],
    ids=lambda how: next(iter(how.values())),
)
def test_other_settings_train(tmp_path, how):
    run = a_run(tmp_path, **how)
    for phase in (recipe.train, recipe.evaluate, recipe.codes, recipe.sample):
        phase(run)
    found = json.loads((tmp_path / "metrics.json").read_text())
    assert np.isfinite(found["bits_per_dim"])
    assert found["codebook_top_usage_percent"] > 0


@pytest.mark.slow
def test_resumes_inside_the_second_epoch(tmp_path):
    def start(workdir):
        return a_run(workdir, checkpoint_minutes=0.0, epochs=2, steps_per_epoch=3)

    check_resumes(start, recipe.train, tmp_path, cuts=(5,))


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"channels": 2}, "--channels=2: expected 1, grey, or 3, in colour"),
        ({"image_size": 36}, "--image_size=36 is no multiple of 8, by which --num_levels=2 divide it"),
        ({"image_size": 24, "num_levels": 3}, "--image_size=24 is no multiple of 16, by which --num_levels=3"),
        ({"num_levels": 4}, "num_levels"),
        ({"num_codebooks": 3}, "--embedding_dim=4 is no multiple of --num_codebooks=3"),
    ],
)
def test_settings_that_do_not_go_together(tmp_path, how, told):
    with pytest.raises(ValueError, match=told):
        recipe.Settings(workdir=str(tmp_path), **(TINY | how))
