import json

import numpy as np
from scipy import stats

from recipes import handwriting_prediction as recipe
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
    run = training.Run(settings(tmp_path), recipe="handwriting_prediction")
    for phase in (recipe.train, recipe.evaluate, recipe.sample, recipe.export, recipe.benchmark):
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
    assert set(card["signatures"]) == {"generate", "generate_from_noise", "step"}
    assert "drawing, batch 32" in capsys.readouterr().out


def test_one_gaussian_is_scipys(tmp_path):
    s = settings(tmp_path)
    splits = recipe.datasets(s).map(lambda line: (line["offsets"], line["offsets"], line["mask"]))

    def points(batches):
        parts = [(y[mask]) for _, y, mask in batches.dataset(num_epochs=1).as_numpy_iterator()]
        return np.concatenate(parts).astype("float64")

    train, test = points(splits.train), points(splits.test)
    normal = stats.multivariate_normal(train[:, :2].mean(axis=0), np.cov(train[:, :2].T))
    expected = -normal.logpdf(test[:, :2]).mean() - stats.bernoulli(train[:, 2].mean()).logpmf(test[:, 2]).mean()
    np.testing.assert_allclose(recipe.one_gaussian(splits.train, splits.test), expected, rtol=1e-6)


def test_real_pens(tmp_path, test_data):
    """Omniglot's strokes: in a few seconds of training the network is far below one Gaussian."""
    source = f"omniglot:{test_data / 'omniglot' / 'strokes_background_small1.zip'}"
    run = training.Run(settings(tmp_path, data=source, units=32, epochs=3, batch_size=32, learning_rate=5e-3))
    recipe.train(run)
    recipe.evaluate(run)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["log_loss_nats_per_point"] < metrics["one_gaussian_log_loss_nats_per_point"] - 0.5
