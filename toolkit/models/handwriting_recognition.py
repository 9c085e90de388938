"""Reading handwriting: bidirectional LSTMs over pen offsets, for connectionist temporal classification."""

import keras
from keras import ops

from toolkit.layers.standardization import Standardization

# Log-odds of a character where there is no pen: then those steps add nothing to a loss over the padded length.
_NEVER = -1e4
# Points to each step, and so to each label that can be read.
STRIDE = 2


def recognition(alphabet: str, units: int = 128, num_layers: int = 2, dropout: float = 0.0) -> keras.Model:
    """Logits of each character, and of none (blank), at every second pen point.

    A convolution over five points with stride two halves the sequence, bidirectional LSTMs read it. Where the mask is
    False all is blank, so `keras.losses.CTC`, which knows no lengths, gives the loss of the real ones.

    Args:
        alphabet: The characters that can be read; character i has class i + 1, and 0 is blank.
        units: LSTM cells in each layer and direction.
        num_layers: Bidirectional layers.
        dropout: Share of each layer's inputs left out in training.

    Returns:
        A model from "offsets" (batch, points, 3), in the data's unit, and "mask" (batch, points), bool, True at first,
        to float32 logits (batch, ceil(points / 2), len(alphabet) + 1).

    Raises:
        ValueError: Where the alphabet is empty or repeats itself, or `num_layers` is less than 1.

    Example:

    >>> recognition("abc", units=8, num_layers=1).output_shape
    (None, None, 4)

    Reference: Graves et al. 2006, "Connectionist temporal classification"; Graves et al. 2009, "A novel connectionist
    system for unconstrained handwriting recognition" (online, on pen points).
    """
    if not alphabet or len(set(alphabet)) != len(alphabet) or num_layers < 1:
        raise ValueError(
            f"expected different characters and at least 1 layer; got alphabet={alphabet!r}, num_layers={num_layers}."
        )
    offsets = keras.Input((None, 3), name="offsets")
    mask = keras.Input((None,), dtype="bool", name="mask")
    hidden = Standardization(name="standardize")(offsets)
    hidden = hidden * ops.cast(mask, hidden.dtype)[..., None]
    # Not padding="same": with a stride it puts the first window elsewhere in a sequence of even length.
    hidden = keras.layers.ZeroPadding1D(2, name="edges")(hidden)
    hidden = keras.layers.Conv1D(units, 5, strides=STRIDE, activation="tanh", name="every_second")(hidden)
    # The first of each two points: padding begins after the last one.
    there = mask[:, ::STRIDE]
    for number in range(1, num_layers + 1):
        if dropout:
            hidden = keras.layers.Dropout(dropout, name=f"dropout_{number}")(hidden)
        lstm = keras.layers.LSTM(units, return_sequences=True)
        hidden = keras.layers.Bidirectional(lstm, name=f"lstm_{number}")(hidden, mask=there)
    logits = keras.layers.Dense(len(alphabet) + 1, dtype="float32", name="logits")(hidden)
    blank = ops.one_hot(ops.zeros_like(logits[..., 0], dtype="int32"), len(alphabet) + 1, dtype="float32")
    outputs = ops.where(there[..., None], logits, (1.0 - blank) * _NEVER)
    return keras.Model([offsets, mask], outputs, name="handwriting_recognition")
