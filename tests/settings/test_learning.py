import pytest

from toolkit.settings import learning


def test_a_momentum_that_never_lets_go():
    with pytest.raises(ValueError, match="--momentum=1.0: expected less than 1"):
        learning.Schedule(momentum=1.0)
    with pytest.raises(ValueError, match="--learning_rate must be float"):
        learning.Schedule(learning_rate=None)  # that is Optimizer's: a schedule has no automatic one
    assert learning.Optimizer().learning_rate is None
    assert (learning.Schedule().optimizer, learning.Optimizer().optimizer) == ("sgd", "adam")


def test_what_trains_with_adam_alone_asks_for_a_step_size_and_not_for_an_optimizer():
    assert not hasattr(learning.FallingAdam(), "optimizer") and learning.FallingAdam().learning_rate == 1e-3
    with pytest.raises(ValueError, match="--learning_rate must be float"):
        learning.FallingAdam(learning_rate=None)
    averaged = learning.AveragedAdam(ema_momentum=0.9)
    assert averaged.averaging() == {"use_ema": True, "ema_momentum": 0.9} and learning.AveragedAdam().averaging() == {}
