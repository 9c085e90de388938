import numpy as np
import pytest

from tests.data.factors import published
from toolkit.data import factors
from toolkit.data.factors.report import examine


def test_sprites():
    found = examine(factors.load("embedded:sprites:3x2x2x8x8", batch_size=30), batch_size=30)
    sections = found.report.sections
    assert sections["images"]["combinations"]["train"] == 768 and sections["batches"]["steps_in_an_epoch"] == 26
    assert found.report.refusal == "" and sections["images"]["images_of_a_combination"] == 1
    assert {name: len(images) for name, images in found.moved.items()} == {
        "shape": 3,
        "scale": 2,
        "orientation": 2,
        "x": 8,
        "y": 8,
    }
    # An x further right moves the sprite right and nothing else.
    columns = [np.average(np.arange(64), weights=image[:, :, 0].sum(axis=0)) for image in found.moved["x"]]
    rows = [np.average(np.arange(64), weights=image[:, :, 0].sum(axis=1)) for image in found.moved["x"]]
    assert (np.diff(columns) > 1).all() and np.ptp(rows) < 0.5


def constructed(pixels):
    """Two factors of four values; `pixels` makes of both an image of 8 x 8."""
    places = np.arange(16)[:, None]
    images = factors.factor_images.FactorImages(
        ("row", "column"), (4, 4), lambda numbers: np.stack([pixels(*divmod(int(n), 4)) for n in numbers]), places
    )
    numbers = {split: np.arange(16) for split in ("train", "validation", "test")}
    batches = [factors.loading._batches(images, numbers[split], 4, 0, split == "train") for split in numbers]
    return factors.Factors(factors.loading.Splits(*batches), images, numbers)


def test_a_factor_that_cannot_be_seen_is_told():
    def of_the_row(row, column):
        return np.full((8, 8, 1), 0, "uint8") + np.uint8(np.arange(8)[:, None, None] == 2 * row) * np.uint8(255)

    report = examine(constructed(of_the_row), batch_size=4).report
    assert report.sections["factors"]["changes_that_are_not_seen_%"] == {"row": 0, "column": 100}
    assert [change for change in report.changes if "changes of column by one value" in change and "100 %" in change]
    assert not report.refusal


def test_images_of_one_colour_and_images_that_are_all_the_same():
    report = examine(
        constructed(lambda row, column: np.full((8, 8, 1), 16 * row + column, "uint8")), batch_size=4
    ).report
    assert report.sections["images"]["of_one_colour_%"] == 100 and "of one colour" in report.changes[-1]
    report = examine(constructed(lambda row, column: np.zeros((8, 8, 1), "uint8")), batch_size=4).report
    assert "No factor changes a pixel" in report.refusal


@pytest.mark.parametrize("seed", [0, 1])
def test_what_is_looked_at_is_decided_by_the_seed_alone(tmp_path, seed):
    published.dsprites(tmp_path / "a.npz")
    found = [examine(factors.load(str(tmp_path / "a.npz"), batch_size=9), batch_size=9, seed=seed) for _ in range(2)]
    assert found[0].report == found[1].report
