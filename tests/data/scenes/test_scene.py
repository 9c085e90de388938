import numpy as np

from toolkit.data.scenes.scene import CLASSES, Object, Scene


def scene(*discs, side=40):
    """Discs (x, y, size), the nearest first; a negative size is a ring of that size."""
    places = (np.arange(side) + 0.5) / side
    objects, whole = [], []
    for depth, (x, y, size) in enumerate(discs):
        distance = np.hypot(places[:, None] - y, places - x)
        mask = distance < abs(size) / 2
        shape = "circle" if size > 0 else "ring"
        objects.append(Object(shape, "red", "plain", abs(size), (x, y), 0.0, depth))
        whole.append(mask if size > 0 else mask & (distance > 0.4 * abs(size)))
    return Scene(np.zeros((side, side, 3), "uint8"), tuple(objects), np.array(whole))


def test_the_nearest_is_seen():
    made = scene((0.4, 0.5, 0.3), (0.5, 0.5, 0.5))
    assert made.instances[20, 15] == 1 and made.instances[20, 28] == 2 and made.instances[0, 0] == 0
    assert made.labels[20, 15] == CLASSES.index("circle")
    assert made.visible[0].sum() == made.whole[0].sum()
    assert made.visible[1].sum() == (made.whole[1] & ~made.whole[0]).sum() > 0


def test_relations():
    """A small disc on a large one, and a third far to the lower right."""
    made = scene((0.3, 0.3, 0.2), (0.35, 0.3, 0.5), (0.85, 0.85, 0.22))
    assert set(made.relations) == {
        (0, "inside", 1),
        (0, "in front of", 1),
        (1, "larger than", 0),
        (1, "larger than", 2),
        (0, "left of", 2),
        (1, "left of", 2),
        (0, "above", 2),
        (1, "above", 2),
    }


def test_inside_a_ring():
    made = scene((0.5, 0.5, 0.2), (0.5, 0.5, -0.6))
    assert (0, "inside", 1) in made.relations and (0, "in front of", 1) not in made.relations
    behind = scene((0.5, 0.5, -0.6), (0.5, 0.5, 0.2))
    assert "inside" not in {relation for _, relation, _ in behind.relations}


def test_an_empty_scene():
    empty = Scene(np.zeros((8, 8, 3), "uint8"), (), np.zeros((0, 8, 8), bool))
    assert not empty.instances.any() and not empty.labels.any() and empty.relations == []
