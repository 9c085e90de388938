import numpy as np

from toolkit.methods.linear_prediction import linear_prediction


def test_line_and_noise_are_found():
    random = np.random.default_rng(0)
    x, new = random.normal(size=(5000, 2)), random.normal(size=(2000, 2))
    truth = new @ [1.0, -2.0] + 3.0
    mean, variance = linear_prediction(x, x @ [1.0, -2.0] + 3.0 + 0.5 * random.standard_normal(5000), new)
    np.testing.assert_allclose(mean, truth, atol=0.1)
    np.testing.assert_allclose(variance, 0.25, rtol=0.1)


def test_few_rows_leave_more_open_far_away():
    x = np.array([[-1.0], [0.0], [1.0], [0.5]])
    _, variance = linear_prediction(x, np.array([0.1, -0.1, 0.2, 0.0]), np.array([[0.0], [100.0]]))
    assert variance[1] > 10 * variance[0] > 0
