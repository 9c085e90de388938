"""What was found in a text, to be looked at before a training."""

from typing import Any

from toolkit.visualize import charts, text


def pictures(found: Any) -> dict[str, Any]:
    """Draws what a data check has found.

    Args:
        found: What `data.text.report.examine` returned: `beginnings`, `frequent`.

    Returns:
        Figures by name.
    """
    drawn = {}
    for split, (pieces, bits) in found.beginnings.items():
        title = f"{split}: its beginning, and what each token takes by its frequency alone"
        drawn[split] = text.colored(pieces, bits, "bits", title=title)
    return {**drawn, "tokens": charts.bars(found.frequent, "tokens")}
