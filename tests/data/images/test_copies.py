import numpy as np

from toolkit.data.images import copies
from toolkit.data.images.store import Store


def test_shares():
    random = np.random.default_rng(0)
    train = random.integers(0, 256, (700, 4, 4, 3)).astype("uint8")
    part = np.concatenate([train[600:630], 255 - train[:60], np.full((10, 4, 4, 3), 7, "uint8")])
    train[5] = 7  # of one colour, as ten of the others are: no copies
    others = {"test": Store(part, np.arange(100)), "none": Store(part, np.arange(0))}
    whole = Store(train, np.arange(700))
    assert copies.shares(whole, others) == {"test": 0.3, "none": 0}
    assert copies.shares(whole.subset(np.arange(600)), others) == {"test": 0, "none": 0}


def test_what_is_nearly_of_one_colour_is_not():
    images = np.full((3, 20, 20, 3), 9, "uint8")
    images[1, 3, 4, 1] = 8
    assert [digest is None for digest in copies.digests(images)] == [True, False, True]
