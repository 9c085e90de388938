import pytest

from toolkit.settings import learning


def test_a_momentum_that_never_lets_go():
    with pytest.raises(ValueError, match="--momentum=1.0: expected less than 1"):
        learning.Schedule(momentum=1.0)
    with pytest.raises(ValueError, match="--learning_rate must be float"):
        learning.Schedule(learning_rate=None)  # that is Optimizer's: a schedule has no automatic one
    assert learning.Optimizer().learning_rate is None
    assert (learning.Schedule().optimizer, learning.Optimizer().optimizer) == ("sgd", "adam")
