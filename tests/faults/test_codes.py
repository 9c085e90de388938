"""The codes that a VQ-VAE has written, each of their files damaged in every way."""

import pathlib

import numpy as np
import pytest

from tests.faults.hostile import DAMAGES, check_answer, table
from toolkit.data import codes

FILES = (codes.HEAD, "train.tfrecord")


def written(folder: pathlib.Path) -> pathlib.Path:
    random = np.random.default_rng(0)
    parts = {split: [(random.integers(0, 9, (20, 4, 4)), random.integers(0, 2, 20), None)] for split in codes.SPLITS}
    codes.write(folder / "codes", parts, shape=(4, 4), num_codes=9, codebook="abc", label_names=["cat", "dog"])
    return folder / "codes"


def read(folder):
    codes.load(folder, batch_size=4).splits.train.peek()


def test_good_codes_are_read(tmp_path):
    check_answer(lambda: read(written(tmp_path)), [], "works")


@pytest.mark.parametrize(
    "name, damage", table((f"{name}: {damage}", name, damage) for name in FILES for damage in DAMAGES)
)
def test_damaged(name, damage, tmp_path):
    folder = written(tmp_path)
    DAMAGES[damage](folder / name)
    check_answer(lambda: read(folder), [name, str(folder)])
