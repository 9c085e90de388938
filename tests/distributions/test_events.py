import numpy as np
import pytest

from toolkit.distributions import events


def test_sums_the_last_axes():
    values = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    for number, expected in enumerate((values, values.sum(3), values.sum((2, 3)), values.sum((1, 2, 3)))):
        np.testing.assert_allclose(events.summed(values, number), expected, rtol=1e-6)
    events.check_event_ndims(0)
    with pytest.raises(ValueError, match="event_ndims must be at least 0; got -1"):
        events.check_event_ndims(-1)
