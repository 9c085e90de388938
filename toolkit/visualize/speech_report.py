"""What was found in speech, to be looked at before a training."""

from typing import Any

from toolkit.visualize import audio, charts


def pictures(found: Any) -> dict[str, Any]:
    """Draws what a data check has found.

    Args:
        found: What `data.audio.examine` returned: `examples`, `titles`, `sample_rate`, `unit_names`, `seconds`.

    Returns:
        Figures by name.
    """
    waveforms, units = [each.waveform for each in found.examples], [each.units for each in found.examples]
    how = {"units": units, "unit_names": found.unit_names}
    return {
        "recordings": audio.recordings(waveforms, found.sample_rate, found.titles, **how),
        "seconds": charts.histogram(found.seconds, "seconds of a recording"),
    }
