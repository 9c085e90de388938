import inspect

from toolkit.data.translation import load
from toolkit.settings.translation import Translations


def test_the_readers_arguments():
    assert Translations(seed=3).reading() == {"source": "embedded", "max_words": 30, "held_out": 0.2, "seed": 3}
    assert Translations().reading().keys() == inspect.signature(load).parameters.keys()
