import json

import numpy as np
import pytest
from PIL import Image

from tests.data.factors import published
from toolkit.data import factors
from toolkit.metrics.factor_codes import FactorCodes


def everything(batches):
    images, rows = zip(*batches.dataset(num_epochs=1).as_numpy_iterator(), strict=True)
    return np.concatenate(images), np.concatenate(rows)


@pytest.fixture
def small(tmp_path):
    published.dsprites(tmp_path / "a.npz")
    return str(tmp_path / "a.npz")


def test_all_images_are_trained_on_with_their_factors(small):
    found = factors.load(small, batch_size=20)
    images, rows = everything(found.splits.train)
    assert images.dtype == np.float32 and rows.dtype == np.int32 and found.splits.train.steps_per_epoch == 5
    np.testing.assert_array_equal(images, found.images.images(rows))
    numbers = found.images.numbers(rows)
    assert sorted(numbers) == list(range(96)) != list(numbers)
    parts = [everything(part)[1] for part in (found.splits.validation, found.splits.test)]
    assert [len(part) for part in parts] == [32, 32] and len({tuple(row) for part in parts for row in part}) == 64


def test_combinations_are_held_out(small):
    found = factors.load(small, batch_size=20, held_out=0.2, seed=1)
    parts = [everything(getattr(found.splits, split))[1] for split in ("train", "validation", "test")]
    assert [len(part) for part in parts] == [58, 19, 19] and len({tuple(row) for part in parts for row in part}) == 96
    assert (
        factors.load(small, batch_size=20, held_out=0.2, seed=2).numbers["test"].tolist()
        != found.numbers["test"].tolist()
    )


def test_of_several_images_of_a_combination_each_is_trained_on(tmp_path):
    published.norb(tmp_path)
    found = factors.load(f"small_norb:{tmp_path}", batch_size=50, held_out=0.25)
    images, rows = everything(found.splits.train)
    assert len(images) == 12 * 4 and len({image.tobytes() for image in images}) == 48
    assert len({tuple(row) for row in rows}) == 12 and found.splits.train.peek()[0].shape == (48, 64, 64, 1)


@pytest.mark.parametrize("variant", ["color", "noisy", "scream"])
def test_what_a_variant_adds_is_another_in_each_epoch_and_the_same_after_a_resume(tmp_path, variant):
    Image.fromarray(published.noise(0, 40, 50, 3)).save(tmp_path / "scream.png")
    how = {"variant": variant, "scream": str(tmp_path / "scream.png") if variant == "scream" else ""}
    if variant == "scream":  # the picture has fewer than 64 rows
        with pytest.raises(ValueError, match="scream.png has 50 x 40 pixels"):
            factors.load("embedded:sprites:3x1x1x1x3", batch_size=5, **how)
    published.dsprites(tmp_path / "a.npz")
    found = factors.load(str(tmp_path / "a.npz"), batch_size=96, **how)
    assert found.images.image_shape == (8, 10, 3)
    first, second = found.splits.train.take(1).dataset(num_epochs=2).as_numpy_iterator()
    (again,) = found.splits.train.take(1).dataset(start_step=1, num_epochs=2).as_numpy_iterator()
    np.testing.assert_array_equal(second[0], again[0])
    order = [np.argsort(found.images.numbers(rows)) for _, rows in (first, second)]
    assert (first[0][order[0]] != second[0][order[1]]).any(axis=(1, 2, 3)).mean() > 0.9
    plain = factors.load(str(tmp_path / "a.npz"), batch_size=96).images.images(first[1])[..., 0] == 1
    if variant == "noisy":
        assert (first[0][plain] == 1).all() and (first[0][~plain] < 1).all()


def test_metrics_ask_for_images_by_their_factors():
    found = factors.load("embedded:sprites", batch_size=64, variant="noisy").images
    random = np.random.default_rng(0)
    source = FactorCodes(lambda rows: found.images(rows, random).reshape(len(rows), -1)[:, ::500], found.factor_sizes)
    rows = source.sample(3, 4)
    codes = source.codes(rows)
    assert codes.shape == (3, 4, 25) and (codes != source.codes(rows)).any()


def test_contents_tell_images_apart(small):
    def contents(source=small, **how):
        return factors.load(source, batch_size=20, **how).contents

    assert json.loads(json.dumps(contents())) == contents() != contents("embedded:sprites:2x2x3x2x4")
    assert contents()["factors"] == {"shape": 2, "scale": 2, "orientation": 3, "x": 2, "y": 4}
    assert contents(variant="color")["variant"] == "color" != contents()["variant"] == "plain"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"batch_size": 0}, "--batch_size=0: expected 1 or more"),
        ({"batch_size": 100_000_000}, "A batch of --batch_size=100000000 images of 64 x 64 x 1 would take"),
        ({"held_out": 0.5}, "--held_out=0.5: expected a share"),
        ({"variant": "colour"}, "--variant=colour: expected one of plain, color, noisy, scream"),
        ({"variant": "scream"}, "name both, or neither"),
        ({"scream": "a.png"}, "name both, or neither"),
        ({"source": "dsprite:a.npz"}, "no reader 'dsprite'.*Did you mean 'dsprites'"),
    ],
)
def test_what_cannot_be_asked_for(wrong, told):
    with pytest.raises(ValueError, match=told):
        factors.load(**{"source": "embedded:sprites", "batch_size": 2, **wrong})


def test_variants_are_of_grey_images(tmp_path):
    published.shapes3d(tmp_path / "a.h5")
    with pytest.raises(ValueError, match="--variant=color is of grey images; those of --data=.*a.h5 are in colour"):
        factors.load(str(tmp_path / "a.h5"), batch_size=2, variant="color")
