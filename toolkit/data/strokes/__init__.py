"""Handwriting as pen offsets: readers, batches, a report, single pieces in files."""

from toolkit.lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    __path__,
    functions=(
        "check_offsets",
        "examine",
        "from_strokes",
        "lines_of",
        "load",
        "longest_line",
        "read",
        "read_file",
        "statistics",
        "to_strokes",
        "write_file",
    ),
)
