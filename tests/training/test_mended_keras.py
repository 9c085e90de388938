import subprocess
import sys

import keras
import pytest

from toolkit.training import mended_keras


def test_another_keras_is_left_alone(monkeypatch):
    monkeypatch.setattr(keras, "__version__", "3.99.0")
    with pytest.raises(ValueError, match=r"tried with Keras 3.*; this is 3.99.0. Type: pip install keras==3"):
        mended_keras.mend()


LOSSES_OF_TWO_THREADS = """
import threading
import keras
from toolkit.training import mended_keras

mended_keras.mend()
mended_keras.mend()  # once is enough
layer, found, both = keras.layers.ActivityRegularization(), {}, threading.Barrier(2)

def replica(number):
    for _ in range(number):
        layer.add_loss(keras.ops.ones(()))
    both.wait()  # the other has added its own
    found[number] = len(layer._losses)
    both.wait()
    if number == 1:
        layer._clear_losses()
    both.wait()
    found[number] = found[number], len(layer._losses)

threads = [threading.Thread(target=replica, args=(number,)) for number in (1, 3)]
[each.start() for each in threads], [each.join() for each in threads]
print(sorted(found.items()))
"""


def test_what_replicas_add_to_the_loss_is_apart():
    """In a process of its own: Keras stays mended."""
    words = [sys.executable, "-c", LOSSES_OF_TWO_THREADS]
    answer = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert answer.stdout.splitlines()[-1:] == ["[(1, (1, 0)), (3, (3, 3))]"], answer.stderr[-2000:]
