"""Settings of trainings that look at all examples in each step."""

from toolkit.settings.fields import group, setting
from toolkit.settings.running import Run


@group
class FullBatch(Run):
    """The search for the minimum."""

    epochs: int = setting(
        10,
        "rounds of the search, which ends where the gradient is 0; a larger number goes on",
        minimum=1,
        maximum=1_000_000,
        changeable=True,
        remembered=True,
    )
    iterations: int = setting(200, "of L-BFGS in a round", minimum=1, maximum=1_000_000)
    l2: float = setting(
        0.01,
        "weight of the regulariser, half the sum of squares of the kernels",
        paper="0.01",
        minimum=1e-9,
        maximum=1e3,
    )
    batch_size: int = setting(
        1024, "examples that are computed together: memory, not the result", minimum=1, maximum=65_536, changeable=True
    )
    checkpoint_minutes: float = setting(
        2.0,
        "minutes between checkpoints; each round ends with one too",
        minimum=0.0,
        maximum=100_000.0,
        changeable=True,
    )
