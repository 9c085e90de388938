"""One line of the doctor's answer."""

import dataclasses

OK, NOTE, MISSING = "ok", "note", "missing"


@dataclasses.dataclass(frozen=True)
class Finding:
    """What was found where.

    Args:
        name: What was looked at.
        mark: `OK`; `NOTE`, where the recipes run but something is to know or could be better; `MISSING`, where they do
            not run.
        found: What was found.
        advice: What to type, or "".

    Example:

    >>> print(Finding("Bazel", NOTE, "not there", "sudo apt-get install -y bazel-bootstrap"))
    note     Bazel                   not there
                                     -> sudo apt-get install -y bazel-bootstrap
    """

    name: str
    mark: str
    found: str
    advice: str = ""

    def __str__(self) -> str:
        line = f"{self.mark:<8} {self.name:<23} {self.found}"
        return f"{line}\n{'':<32} -> {self.advice}" if self.advice else line
