from toolkit.settings.characters import Characters


def test_what_characters_are_asked_for():
    found = Characters(data="omniglot:a.zip,b.zip", rotations=False, seed=2).reading()
    assert found == {"source": "omniglot:a.zip,b.zip", "image_size": 28, "rotations": False, "held_out": 0.1, "seed": 2}
