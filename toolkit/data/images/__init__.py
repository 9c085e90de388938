"""Images: a store of them, readers of those with a class label, random changes, what files hold, what looks wrong."""

from toolkit.lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    __path__,
    functions=(
        "examine",
        "load",
        "read",
        "read_named",
    ),
)
