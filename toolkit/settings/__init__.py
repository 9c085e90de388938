"""What a person sets: fields that are a recipe's flags, and groups of them that recipes take from."""

from toolkit.lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    __path__,
    functions=(
        "group",
        "numbers",
        "other",
        "recipe",
        "setting",
    ),
)
