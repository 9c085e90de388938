import keras
import numpy as np
import pytest
import tensorflow as tf

from toolkit.training import checkpoints


def holders(units=3, seed=0):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(units), keras.layers.Dropout(0.5)])
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    return {"model": model, "optimizer": optimizer}


def values(held):
    return [np.asarray(variable) for holder in held.values() for variable in holder.variables]


def test_round_trip_with_random_state_and_optimiser(tmp_path):
    first, second = holders(seed=1), holders(seed=2)
    model, optimizer = first["model"], first["optimizer"]
    optimizer.apply([np.ones(v.shape, "float32") for v in model.trainable_variables], model.trainable_variables)
    model(np.ones((1, 2)), training=True)
    checkpoints.save(tmp_path / "c.npz", first, {"step": 7})
    assert checkpoints.restore(tmp_path / "c.npz", second) == {"step": 7}
    for left, right in zip(values(first), values(second), strict=True):
        np.testing.assert_array_equal(left, right)
    sample = np.ones((4, 2), "float32")
    np.testing.assert_array_equal(first["model"](sample, training=True), second["model"](sample, training=True))


def test_a_part_alone(tmp_path):
    first, second = holders(seed=1), holders(seed=2)
    checkpoints.save(tmp_path / "c.npz", first, {})
    checkpoints.restore(tmp_path / "c.npz", {"model": second["model"]})
    np.testing.assert_array_equal(first["model"].get_weights()[0], second["model"].get_weights()[0])


def test_other_sizes_and_other_models(tmp_path):
    checkpoints.save(tmp_path / "c.npz", holders(), {})
    with pytest.raises(ValueError, match=r"another size: model/.*kernel is \(2, 3\) there and \(2, 4\) here"):
        checkpoints.restore(tmp_path / "c.npz", holders(units=4))
    with pytest.raises(ValueError, match="holds 3 variables, this model has 2"):
        checkpoints.restore(tmp_path / "c.npz", {"model": keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])})


@pytest.mark.parametrize("damage", [lambda whole: whole[: len(whole) // 2], lambda _: b"no zip", lambda _: b""])
def test_damaged(tmp_path, damage):
    path = tmp_path / "c.npz"
    checkpoints.save(path, holders(), {})
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=r"c\.npz.* Remove it to start this stage anew"):
        checkpoints.restore(path, holders())


def test_not_finite_is_never_written_over_a_good_one(tmp_path):
    path, held = tmp_path / "c.npz", holders()
    checkpoints.save(path, held, {})
    good = path.read_bytes()
    held["model"].layers[0].bias.assign([0.0, np.nan, 0.0])
    with pytest.raises(FloatingPointError, match="bias is not finite"):
        checkpoints.save(path, held, {})
    assert path.read_bytes() == good and [p.name for p in tmp_path.iterdir()] == ["c.npz"]


def test_a_full_disk_leaves_the_checkpoint_before_it(small_disk):
    path = small_disk / "kept" / "latest.npz"
    path.parent.mkdir()
    small = {"model": [tf.Variable(np.arange(10.0))]}
    checkpoints.save(path, small, {"step": 1})
    large = {"model": [tf.Variable(np.random.default_rng(0).standard_normal(100_000))]}
    with pytest.raises(OSError, match="could not be written: No space left on device; what it held before is intact"):
        checkpoints.save(path, large, {"step": 2})
    assert [file.name for file in path.parent.iterdir()] == ["latest.npz"]
    assert checkpoints.restore(path, small) == {"step": 1}
