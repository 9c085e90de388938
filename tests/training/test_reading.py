"""Other data is refused where it is trained on and said elsewhere; moved data goes on; gone data is done without."""

import json
import pathlib
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.training.shapes import one_model
from toolkit import layers, settings
from toolkit.data.pipelines import Batches, Splits
from toolkit.data.plans import shuffled_plan
from toolkit.settings.fields import setting
from toolkit.training import Run
from toolkit.training.reading import FILE, contents_of


@settings.recipe
class Example(settings.Devices, settings.Export):
    data: str = setting("embedded", "a file of numbers", path=True)
    units: int = setting(4, "cells", minimum=1)
    epochs: int = 1
    batch_size: int = 8


def load(s):
    values = np.loadtxt(s.data.partition(":")[2], dtype="float32")
    signature = (tf.TensorSpec([None, 3]), tf.TensorSpec([None, 1]))
    plan = shuffled_plan(len(values), 8, seed=0)
    part = Batches(lambda i: (values[i, :3], values[i, 3:]), plan, signature, num_examples=len(values))
    return Splits(part, part, part)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "numbers" / "one.txt"
    path.parent.mkdir()
    np.savetxt(path, np.random.default_rng(0).standard_normal((24, 4)))
    return path


def train(folder, source, **how):
    run = Run(Example(workdir=str(folder), data=source, **how), load=load)
    try:
        one_model(run, data=run.data.train)
    finally:
        run.close()


def kept(folder):
    return json.loads((folder / "settings.json").read_text())["settings"]["data"]


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "settings.json"}


def test_moved_data_goes_on_and_is_found_there_from_any_folder(tmp_path, file, monkeypatch):
    monkeypatch.chdir(file.parent)
    train(tmp_path / "run", "file:one.txt")
    assert kept(tmp_path / "run") == f"file:{file}"
    monkeypatch.chdir(tmp_path)
    train(tmp_path / "run", "file:numbers/one.txt", epochs=2)
    file.rename(tmp_path / "two.txt")
    train(tmp_path / "run", "file:two.txt", epochs=3)
    assert kept(tmp_path / "run") == f"file:{tmp_path / 'two.txt'}"


def test_other_data_is_not_trained_on_and_nothing_is_written(tmp_path, file, capsys):
    train(tmp_path / "run", f"file:{file}")
    other = file.with_name("other.txt")
    other.write_text("9" + file.read_text()[1:])
    before = files(tmp_path / "run")
    with pytest.raises(ValueError, match="other.txt is not what .* was trained on: train, figures"):
        train(tmp_path / "run", f"file:{other}", epochs=2)
    assert files(tmp_path / "run") == before and kept(tmp_path / "run") == f"file:{file}"
    run = Run(Example(workdir=str(tmp_path / "run"), data=f"file:{other}"), load=load)
    capsys.readouterr()
    assert run.data.test.num_examples == 24, "it can be evaluated"
    assert "note: --data=" in capsys.readouterr().out
    run.close()
    (tmp_path / "run" / FILE).unlink()
    with pytest.raises(ValueError, match="was made with --data=.*one.txt, not .*other.txt"):
        train(tmp_path / "run", f"file:{other}", epochs=2)
    train(tmp_path / "run", f"file:{file}", epochs=2)  # as of an earlier version


def test_data_that_changed_in_its_place_is_not_trained_on(tmp_path, file):
    train(tmp_path / "run", f"file:{file}")
    file.write_text("".join(reversed(file.read_text().splitlines(keepends=True))))
    with pytest.raises(ValueError, match="Train on with that data"):
        train(tmp_path / "run", f"file:{file}", epochs=2)
    (tmp_path / "run" / FILE).unlink()
    train(tmp_path / "run", f"file:{file}", epochs=2)


def test_what_was_interrupted_before_its_first_checkpoint_binds_nothing(tmp_path, file):
    train(tmp_path / "run", f"file:{file}")
    for path in (tmp_path / "run" / "checkpoints" / "model").glob("*.npz"):
        path.unlink()
    file.write_text(file.read_text()[::-1].replace("e", "0"))
    np.savetxt(file, np.random.default_rng(1).standard_normal((24, 4)))
    run = Run(Example(workdir=str(tmp_path / "run"), data=f"file:{file}"), load=load)
    with pytest.raises(ValueError, match="holds no trained 'model'. Train first: --mode=all"):
        run.load()
    with pytest.raises(ValueError, match="holds no export. Train first: --mode=all"):
        run.exported  # noqa: B018
    run.close()
    train(tmp_path / "run", f"file:{file}")


def test_what_needs_no_data_is_done_without_it(tmp_path, file, capsys):
    train(tmp_path / "run", f"file:{file}")
    shutil.rmtree(file.parent)

    def opened(**how):
        return Run(Example(workdir=str(tmp_path / "run"), **how), load=load)

    run = opened(data=f"file:{file}")
    assert run.data_if_there("a picture of it") is None
    assert f"--data: {file} is not there any more. Left out: a picture of it." in capsys.readouterr().out
    assert run.data_to_measure() is None
    run.close()
    run = opened(data=f"file:{file}", quantize="int8")
    with pytest.raises(FileNotFoundError):  # typical inputs are needed
        run.data_to_measure()
    run.close()
    run = opened(data=f"file:{file.with_name('typo.txt')}")
    with pytest.raises(FileNotFoundError):  # which this very command names
        run.data_if_there("a picture of it")
    run.close()


def test_a_class_that_is_called_otherwise_is_refused_before_anything_is_written(tmp_path):
    def training(names, epochs, policy="float32"):
        run = Run(Example(workdir=str(tmp_path / "run"), epochs=epochs))
        before = keras.config.dtype_policy()
        with run.scope():
            keras.config.set_dtype_policy(policy)
            try:
                model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), layers.ClassNames(names)])
            finally:
                keras.config.set_dtype_policy(before)
            model.compile("sgd", "mse")
        values = np.ones((8, 3), "float32")
        spec = (tf.TensorSpec([None, 3]), tf.TensorSpec([None, 2]))
        plan = shuffled_plan(8, 8, seed=0)
        try:
            run.fit(model, Batches(lambda i: (values[i], values[i, :2]), plan, spec, num_examples=8))
        finally:
            run.close()

    training(["ant", "bee"], 1)
    before = files(tmp_path / "run")
    for epochs in (1, 2):  # also where it is finished
        with pytest.raises(
            ValueError, match="another network: sequential, class_names, names: 'bee' before, 'wasp' now"
        ):
            training(["ant", "wasp"], epochs)
        with pytest.raises(ValueError, match="class_names, names, number 1: 'ant' before, 'bee' now"):
            training(["bee", "ant"], epochs)
    assert files(tmp_path / "run") == before
    training(["ant", "bee"], 2, "mixed_bfloat16")


def test_what_says_nothing_of_itself_is_not_compared():
    assert contents_of([1, 2]) is None
    assert contents_of({"one": [1]}) is None and contents_of({}) is None
    part = type("Part", (), {"contents": {"digest": "1"}})()
    assert contents_of({"one": part}) == {"one": {"digest": "1"}}
    assert pathlib.PurePath(FILE).suffix == ".json"
