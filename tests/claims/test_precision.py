"""Half precision and XLA: each recipe trains to the loss that it has in float32, and resumes with its loss scale."""

import importlib
import json

import numpy as np
import pytest

from toolkit import data, training
from toolkit.methods import stroke_likelihood
from toolkit.training.stage import Stage

pytestmark = [pytest.mark.claims, pytest.mark.slow]

SIZES = {"data": "embedded:400", "units": 16, "num_layers": 1, "num_mixtures": 3, "epochs": 1, "batch_size": 8}
SIZES |= {"learning_rate": 0.02, "max_points": 200}
RECIPES = ["handwriting_prediction", "handwriting_synthesis"]
FLOAT32 = {}


class Cut(Exception):
    pass


def run(name, workdir, **how):
    recipe = importlib.import_module(f"recipes.{name}")
    return recipe, training.Run(recipe.Settings(workdir=str(workdir), **(SIZES | how)), name, load=recipe.load)


def log_loss(name, workdir, **how):
    recipe, going = run(name, workdir, **how)
    recipe.train(going)
    recipe.evaluate(going)
    going.close()
    return json.loads((workdir / "metrics.json").read_text())["log_loss_nats_per_point"]


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("name", RECIPES)
def test_trains_to_the_loss_of_float32(name, precision, tmp_path):
    if name not in FLOAT32:
        FLOAT32[name] = log_loss(name, tmp_path / "float32"), log_loss(name, tmp_path / "untrained", steps_per_epoch=4)
    reached, untrained = FLOAT32[name]
    assert reached < untrained - 0.4
    assert log_loss(name, tmp_path / "other", precision=precision) == pytest.approx(
        reached, abs=0.2 * (untrained - reached)
    )


@pytest.mark.parametrize("name", RECIPES)
def test_xla_takes_the_same_steps(name, tmp_path):
    losses = {}
    for jit_compile in (False, True):
        recipe, going = run(name, tmp_path / str(jit_compile), jit_compile=jit_compile)
        splits = going.data
        measured = data.strokes.statistics(splits.train)
        with going.scope():
            model = recipe.network(going.settings)
            model.get_layer("standardize").adapt(measured.mean, measured.scale)
            trainee = recipe.compiled(model, going.settings, 10, splits.train.num_examples)
            trainee.jit_compile = going.jit_compile
        batch = next(iter(splits.train.map(stroke_likelihood.pairs(model)).dataset()))
        losses[jit_compile] = [float(trainee.train_on_batch(*batch)[0]) for _ in range(4)]
    assert losses[True] == pytest.approx(losses[False], rel=1e-4)
    assert losses[True][3] < losses[True][0]


@pytest.mark.parametrize("name", RECIPES)
def test_the_loss_scale_is_kept(name, tmp_path, monkeypatch):
    """Cut off after the scale fell, the training ends with the weights and the scale of an undisturbed one."""
    after_step = Stage.after_step

    def cut(stage, step, logs):
        after_step(stage, step, logs)
        if step == 8:
            stage.save()
            raise Cut

    how = {"precision": "mixed_float16", "steps_per_epoch": 10}
    for folder, attempts in (("whole", 1), ("cut", 2)):
        for attempt in range(attempts):
            recipe, going = run(name, tmp_path / folder, **(how | {"epochs": 1}))
            with monkeypatch.context() as patch:
                if folder == "cut" and attempt == 0:
                    patch.setattr(Stage, "after_step", cut)
                    with pytest.raises(Cut):
                        recipe.train(going)
                else:
                    recipe.train(going)
            going.close()
    latest = [np.load(tmp_path / folder / "checkpoints" / "model" / "latest.npz") for folder in ("whole", "cut")]
    with latest[0] as whole, latest[1] as resumed:
        assert whole["optimizer/0001"] < 2**15, "the scale has not fallen: nothing is tried here"
        for key in set(whole.files) - {"progress"}:
            np.testing.assert_array_equal(whole[key], resumed[key], err_msg=key)
