import numpy as np
import pytest

from toolkit.training.step_sizes import falling


@pytest.mark.parametrize("num_steps", [1, 7, 1000])
def test_falls_over_the_last_third(num_steps):
    schedule = falling(0.3, num_steps)
    for step in range(num_steps):
        limits = [int(part * num_steps) for part in (0.7, 0.85, 0.95)]
        part = [1, 3, 10, 30][sum(step > limit for limit in limits)]
        np.testing.assert_allclose(schedule(step), 0.3 / part, rtol=1e-6)
