import json

import numpy as np
import pytest

from recipes import handwriting_prediction as recipe
from tests.resume import check_resumes
from toolkit import training

TINY = {
    "data": "embedded:60",
    "units": 8,
    "num_layers": 2,
    "num_mixtures": 3,
    "epochs": 5,
    "learning_rate": 0.03,
    "batch_size": 16,
    "max_points": 200,
    "num_samples": 2,
}


def settings(workdir, **how):
    return recipe.Settings(workdir=str(workdir), **(TINY | how))


def test_all_phases(tmp_path, capsys):
    run = training.Run(settings(tmp_path), "handwriting_prediction", load=recipe.load)
    for phase in (recipe.train, recipe.evaluate, recipe.sample, recipe.export):
        phase(run)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["log_loss_nats_per_point"] < metrics["one_gaussian_log_loss_nats_per_point"]
    assert {path.name for path in (tmp_path / "pictures").rglob("*.png")} == {
        "lines.png",
        "samples.png",
        "density.png",
        "mixture_weights.png",
        "primed.png",
    }
    card = json.loads((tmp_path / "export" / "card.json").read_text())
    assert set(card["signatures"]) == {"generate", "generate_from_noise", "step", "score"}
    check_costs(card, metrics)
    run.timing = True
    recipe.train(run)
    assert "examples a second in training" in capsys.readouterr().out


def check_costs(card, metrics):
    """What the exported files give test lines is what the network gives them."""
    nats = {name: values["log_loss_nats_per_point"] for name, values in card["measured"].items()}
    assert set(nats) == {"saved_model", "model.tflite"}
    for value in nats.values():
        np.testing.assert_allclose(value, metrics["log_loss_nats_per_point"], rtol=1e-4)


PAPERS_TRAINING = {"optimizer": "rmsprop", "peepholes": True, "learning_rate": 0.003}


@pytest.mark.slow
def test_the_papers_training(tmp_path):
    """What is evaluated, drawn and exported is the network without noise."""
    how = PAPERS_TRAINING | {"adaptive_weight_noise": True}
    run = training.Run(settings(tmp_path, **how), "handwriting_prediction", load=recipe.load)
    for phase in (recipe.train, recipe.evaluate, recipe.export):
        phase(run)
    assert (tmp_path / "export" / "model.tflite").exists()
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["log_loss_nats_per_point"] < metrics["one_gaussian_log_loss_nats_per_point"] + 0.5
    weights = {variable.path: np.asarray(variable) for variable in run.load().trainable_variables}
    assert weights.keys() == {v.path for v in recipe.network(run.settings).trainable_variables}
    assert np.abs(weights["lstm_1/cell/peephole_kernel"]).max() > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "noise", [{"weight_noise": 0.075}, {"adaptive_weight_noise": True}], ids=lambda noise: next(iter(noise))
)
def test_resumes_with_the_same_noise(tmp_path, noise):

    def start(workdir):
        how = TINY | PAPERS_TRAINING | noise | {"epochs": 2, "checkpoint_minutes": 0.0}
        return training.Run(settings(workdir, **how), load=recipe.load)

    check_resumes(start, recipe.train, tmp_path, cuts=(5,))


def test_two_noises_are_refused(tmp_path):
    with pytest.raises(ValueError, match="--weight_noise=0.1 and --adaptive_weight_noise exclude each other"):
        settings(tmp_path, weight_noise=0.1, adaptive_weight_noise=True)


@pytest.mark.slow
def test_real_pens(tmp_path, test_data):
    """Omniglot's strokes: in a few seconds of training the network is far below one Gaussian."""
    source = f"omniglot:{test_data / 'omniglot' / 'strokes_background_small1.zip'}"
    how = {"units": 32, "epochs": 3, "batch_size": 32, "learning_rate": 5e-3}
    run = training.Run(settings(tmp_path, data=source, **how), load=recipe.load)
    recipe.train(run)
    recipe.evaluate(run)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["log_loss_nats_per_point"] < metrics["one_gaussian_log_loss_nats_per_point"] - 0.5
