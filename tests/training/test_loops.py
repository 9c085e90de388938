"""A loop of one's own: means, validation, best state, pictures, seeds, arrays."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.training.shapes import Example, own_loop
from toolkit.training import Run


def test_steps_without_data(tmp_path):
    run = Run(Example(workdir=str(tmp_path)))
    variable, seen = keras.Variable(np.zeros(()), name="x"), []
    for step, log in run.loop(5, stage="count", state={"numbers": [variable]}):
        variable.assign_add(1.0)
        seen.append(step)
        log(value=variable)
    assert seen == [0, 1, 2, 3, 4]
    assert list(run.loop(5, stage="count", state={"numbers": [variable]})) == []
    assert float(variable) == 5.0


def test_a_loop_keeps_seeds_and_single_variables_and_its_pictures_have_their_step(tmp_path):
    def drawn(name, cut=None):
        run = Run(Example(workdir=str(tmp_path / name), checkpoint_minutes=0.0))
        seeds, total = keras.random.SeedGenerator(1), keras.Variable(0.0)
        for step, log in run.loop(6, stage="sum", state={"seeds": seeds, "total": total}):
            total.assign_add(keras.random.uniform((), seed=seeds))
            if step == 3:
                run.picture("grid", np.zeros((4, 5, 3), "uint8"))
            log(total=total)
            if step == cut:
                run.close()
                return None
        run.close()
        return float(total.numpy())

    assert drawn("cut", cut=4) is None
    assert drawn("cut") == drawn("whole")
    events = EventAccumulator(str(tmp_path / "whole" / "logs" / "pictures"))
    events.Reload()
    assert [event.step for event in events.Tensors("grid")] == [3]


def test_means_over_the_epoch_the_best_state_and_pictures(tmp_path):
    run = Run(Example(workdir=str(tmp_path)))
    value, seen = np.zeros(2), []

    def validation():
        seen.append(value[0])
        return {"loss": 9.0, "score": -abs(value[0] - 8.0)}

    def pictures():
        return {"training/grid": np.zeros((4, 5, 3), "uint8"), "distance": float(value[1])}

    how = {"validation": validation, "monitor": "score", "mode": "max", "pictures": pictures}
    for step, log in run.loop(4, stage="climb", state={"value": value}, epochs=3, **how):
        value += 1
        log(height=step)
    assert seen == [4.0, 8.0, 12.0] and value.tolist() == [8.0, 8.0], "the best is given back"
    np.testing.assert_array_equal(run.load("climb")["value"], [8.0, 8.0])
    events = EventAccumulator(str(tmp_path / "logs" / "climb" / "train"))
    events.Reload()
    means = [float(tf.make_ndarray(event.tensor_proto)) for event in events.Tensors("height")]
    assert means == [1.5, 5.5, 9.5], "not the last step's"
    events = EventAccumulator(str(tmp_path / "logs" / "climb" / "validation"))
    events.Reload()
    assert {"loss", "score", "distance"} == set(events.Tags()["tensors"])
    assert (tmp_path / "pictures" / "training" / "grid.png").exists()


def test_a_validation_without_what_is_monitored(tmp_path):
    run = Run(Example(workdir=str(tmp_path)))
    with pytest.raises(ValueError, match="monitor='loss' is none of score"):
        for _, log in run.loop(1, stage="x", state={"value": np.zeros(1)}, validation=lambda: {"score": 1.0}):
            log(loss=1.0)


def test_a_loop_loads_its_models_by_name(tmp_path):
    run = Run(Example(workdir=str(tmp_path)))
    left, right = own_loop(run)
    for name, model in {"left": left, "right": right}.items():
        np.testing.assert_array_equal(run.load("turns", name=name).get_weights()[0], model.get_weights()[0])
    with pytest.raises(ValueError, match="keeps no network 'middle'; it keeps left, right"):
        run.load("turns", name="middle")


def test_a_loop_loads_what_it_keeps_beside_its_models(tmp_path):
    run = Run(Example(workdir=str(tmp_path)))
    codebook, model = np.zeros((2, 3)), keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    for step, log in run.loop(3, stage="codes", state={"model": model, "codebook": codebook}):
        codebook[:] = step
        log(step=step)
    np.testing.assert_array_equal(run.load("codes", name="codebook"), np.full((2, 3), 2.0))
    np.testing.assert_array_equal(run.load("codes").get_weights()[0], model.get_weights()[0])
