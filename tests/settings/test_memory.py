import inspect

from toolkit.layers.memory import Memory as Layer
from toolkit.settings.memory import Memory


def test_the_layers_arguments_and_the_papers_values():
    found = Memory().memory()
    assert found == {"memory_size": 8192, "key_size": 128, "num_neighbors": 256, "margin": 0.1, "age_noise": 8.0}
    arguments = inspect.signature(Layer).parameters
    assert found.keys() <= arguments.keys()
    assert all(found[name] == each.default for name, each in arguments.items() if name in ("margin", "age_noise"))
