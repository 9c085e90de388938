"""Who speaks in what a network has learned, and which units are said, kept with it."""

import collections
from collections.abc import Sequence

import keras


@keras.saving.register_keras_serializable(package="toolkit")
class SpeechInventory(keras.layers.Identity):
    """Passes sound on as it is and keeps in its config what its speech is made of.

    So a saved network tells itself what can be asked of it: `model.get_layer("inventory").speakers`.

    Args:
        speakers: Their names, in the order of their numbers.
        units: The units' names likewise, the first a pause.
        unit_lengths: Samples that each unit lasts, on average.
        num_states: Equal parts of a unit that are told apart; the network's unit numbers are unit * num_states + part.
        sample_rate: In Hz.
        **kwargs: As in `keras.layers.Layer`.

    Input shape: any.

    Output shape: the input's, in its dtype.

    Raises:
        ValueError: Where a name stands twice, there is none, or there is not one length for each unit.

    Example:

    >>> layer = SpeechInventory(["theo"], ["_", "a"], [800.0, 900.0], sample_rate=8000)
    >>> layer(keras.ops.zeros((1, 3))).numpy().tolist(), layer.units
    ([[0.0, 0.0, 0.0]], ['_', 'a'])

    Reference: of no paper; as `ClassNames`.
    """

    def __init__(
        self,
        speakers: Sequence[str],
        units: Sequence[str],
        unit_lengths: Sequence[float],
        num_states: int = 1,
        sample_rate: int = 16_000,
        **kwargs,
    ) -> None:
        super().__init__(autocast=False, **kwargs)
        self.speakers, self.units = list(speakers), list(units)
        for what, names in (("speakers", self.speakers), ("units", self.units)):
            twice = [name for name, count in collections.Counter(names).items() if count > 1]
            if twice or not names:
                found = f"{', '.join(twice[:5])} more than once" if twice else "none"
                raise ValueError(f"{what}: expected each once, and one at least; got {found}.")
        self.unit_lengths = [float(length) for length in unit_lengths]
        if len(self.unit_lengths) != len(self.units):
            raise ValueError(f"{len(self.unit_lengths)} unit_lengths for {len(self.units)} units.")
        self.num_states, self.sample_rate = int(num_states), int(sample_rate)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "speakers": self.speakers,
            "units": self.units,
            "unit_lengths": self.unit_lengths,
            "num_states": self.num_states,
            "sample_rate": self.sample_rate,
        }
