import numpy as np
import pytest

from toolkit.generation.sample_queues import SampleQueues
from toolkit.models import wavenet


@pytest.mark.parametrize("dilations, kernel_size", [([1, 2, 4], 2), ([3, 1], 3)])
def test_a_step_is_the_blocks_own(dilations, kernel_size):
    """Each block by itself, with a queue of its own that is shifted."""
    model = wavenet.wavenet(dilations, 4, 6, kernel_size, num_levels=16)
    queues, random = SampleQueues(model), np.random.default_rng(0)
    model.set_weights([random.normal(size=w.shape) / 2 for w in model.get_weights()])
    state, prepared = queues.initial_state(2), queues.prepare(2)
    apart = [np.zeros((2, (kernel_size - 1) * dilation, 4), "float32") for dilation in dilations]
    for _ in range(12):
        level = random.integers(0, 16, 2)
        found, state = queues.step(level, state, prepared)
        x, total = np.asarray(model.get_layer("lookup").embeddings)[level], 0
        for number, block in enumerate(wavenet.blocks(model)):
            x, skip, apart[number] = block.step(x, apart[number])
            total = total + skip
        hidden = model.get_layer("hidden")(np.maximum(total, 0))
        np.testing.assert_allclose(found, model.get_layer("categorical")(hidden), atol=1e-4)
    assert state["queues"].shape == (wavenet.receptive_field(dilations, kernel_size) - 1, 2, 4)
    assert state["position"].numpy().tolist() == [12]


def test_what_is_read_must_be_given():
    with pytest.raises(ValueError, match="This network reads units: give them"):
        SampleQueues(wavenet.wavenet([1, 2], 4, 4, num_units=3)).prepare(1)
