import numpy as np
import pytest

from toolkit.data.tables import embedded


def test_the_wave_is_what_it_says():
    names, values = embedded.wave(200_000, seed=1)
    x, y = values.T
    assert names == ("x", "y") and x.mean() == pytest.approx(0, abs=0.01) and x.std() == pytest.approx(1, abs=0.01)
    noise = y - (np.sin(3 * x) + x / 2)
    assert noise.std() == pytest.approx(0.3, abs=0.003) and abs(np.corrcoef(x, noise)[0, 1]) < 0.01
    assert (embedded.wave(9, seed=1)[1] != embedded.wave(9, seed=2)[1]).all()


def test_friedmans_function_and_its_noise():
    names, values = embedded.friedman(20_000, seed=0)
    x1, x2, x3, x4, x5 = values[:, :5].T
    truth = 10 * np.sin(np.pi * x1 * x2) + 20 * (x3 - 0.5) ** 2 + 10 * x4 + 5 * x5
    assert len(names) == 11 and np.std(values[:, -1] - truth) == pytest.approx(1.0, abs=0.02)


def test_diabetes_is_in_its_own_units():
    names, values = embedded.diabetes()
    assert names[:3] == ("age", "sex", "bmi") and names[-1] == "progression" and values.shape == (442, 11)
    assert 18 < values[:, 0].min() and values[:, 0].max() < 100  # years
