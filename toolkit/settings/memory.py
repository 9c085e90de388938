"""Settings of a memory for rare events."""

from toolkit.settings.fields import group, setting
from toolkit.settings.running import Run


@group
class Memory(Run):
    """The memory."""

    memory_size: int = setting(
        8192, "slots: what was asked for longest ago is overwritten", paper="8192", minimum=1, maximum=10_000_000
    )
    key_size: int = setting(128, "numbers of a key", paper="128", minimum=1, maximum=65_536)
    num_neighbors: int = setting(256, "nearest keys that are looked at", paper="256", minimum=1, maximum=100_000)
    margin: float = setting(
        0.1,
        "by how much the nearest key of the right value should be nearer than that of a wrong one",
        paper="0.1",
        minimum=1e-4,
        maximum=2.0,
    )
    age_noise: float = setting(
        8.0,
        "most that chance adds to an age, or takes from it, in choosing the slot to overwrite",
        paper="8",
        minimum=0.0,
        maximum=1e6,
    )

    def memory(self) -> dict:
        """Gives what `layers.Memory` is asked for, by its arguments' names."""
        return self.only("memory_size", "key_size", "num_neighbors", "margin", "age_noise")
