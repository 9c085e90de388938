import numpy as np

from toolkit.data.images import copies
from toolkit.data.images.store import Store


def test_share():
    random = np.random.default_rng(0)
    train = random.integers(0, 256, (700, 4, 4, 3)).astype("uint8")
    part = np.concatenate([train[600:630], 255 - train[:60], np.full((10, 4, 4, 3), 7, "uint8")])
    train[5] = 7  # of one colour, as ten of the others are: no copies
    stores = Store(part, np.arange(100)), Store(train, np.arange(700))
    assert copies.share(*stores) == 0.3
    assert copies.share(stores[0], stores[1].subset(np.arange(600))) == 0
    assert copies.share(Store(part, np.arange(0)), stores[1]) == 0
