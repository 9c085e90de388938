"""What a prior knows of each place: from all of the known maps, wherever they lie, and from the class alike."""

import keras
import numpy as np
import pytest

from toolkit.models.code_conditions import conditions

SIZES = {"num_context_codes": 9, "num_context_blocks": 1, "condition_filters": 5}


def known(**how):
    """The network from what is told to what is known, of random weights."""
    inputs, condition = conditions((4, 12), 7, **(SIZES | how))
    told = {name: each for name, each in inputs.items() if name != "codes"}
    model, random = keras.Model(told, condition), np.random.default_rng(0)
    model.set_weights([random.normal(size=w.shape) for w in model.get_weights()])
    return model


def test_a_class_is_one_vector_for_all_places():
    model = known(class_names=["cat", "dog", "owl"])
    table = model.get_layer("label_embedding").embeddings
    np.testing.assert_array_equal(model({"label": np.array([2, 0])}), np.asarray(table)[[2, 0]][:, None, None])


@pytest.mark.parametrize(("context_size", "first"), [(None, (1, 9)), ((4, 12), (1, 9)), ((2, 6), (0, 6))])
def test_known_maps_are_seen_where_they_lie(context_size, first):
    """Of the last corner: not only after it, two convolutions of 3 x 3 far, counted in the known map's places."""
    model, size = known(num_maps=2, context_size=context_size), context_size or (4, 12)
    context = np.random.default_rng(1).integers(0, 9, (1, 2, *size))
    changed = context.copy()
    changed[0, 1, -1, -1] = (changed[0, 1, -1, -1] + 1) % 9
    found, other = (np.asarray(model({"context": each}))[0] for each in (context, changed))
    expected = np.zeros((4, 12), bool)
    expected[first[0] :, first[1] :] = True
    np.testing.assert_array_equal((found != other).any(axis=-1), expected)
    # A coarse place is not repeated: those under it are told apart.
    assert (found[0, 0] != found[0, 1]).any() and (found[0, 0] != found[1, 0]).any()


def test_class_and_maps_are_added():
    both, maps = known(num_classes=3, num_maps=1), known(num_maps=1)
    for layer in maps.layers:
        layer.set_weights(both.get_layer(layer.name).get_weights())
    table = np.asarray(both.get_layer("label_embedding").embeddings)
    context = np.random.default_rng(2).integers(0, 9, (2, 1, 4, 12))
    found = np.asarray(both({"label": np.array([1, 2]), "context": context}))
    expected = np.asarray(maps({"context": context})) + table[[1, 2]][:, None, None]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_nothing_told_and_errors():
    inputs, condition = conditions((4, 6), 7)
    assert list(inputs) == ["codes"] and condition is None
    with pytest.raises(ValueError, match="2 class_names for 3 classes"):
        known(num_classes=3, class_names=["cat", "dog"])
    with pytest.raises(ValueError, match="context_size must divide the map's 4 x 12; got 3 x 3"):
        known(num_maps=1, context_size=(3, 3))
