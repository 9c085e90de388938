import numpy as np
import pytest

from toolkit import data


@pytest.fixture(scope="session")
def short_speech(tmp_path_factory):
    """A setting `data`: two speakers at 4,000 Hz who say a fifth of a second at a time, of which it is known what.

    The embedded ones babble for seconds, thousands of samples that a recipe would write one after the other.
    """
    import soundfile

    folder = tmp_path_factory.mktemp("speech")
    speech = data.audio.load("embedded:0.5:2", sample_rate=4000, window=1024, batch_size=8)
    for split in ("train", "validation", "test"):
        for number, each in enumerate(speech.examples(split)):
            for start in range(0, min(3200, len(each.waveform) - 800), 800):
                place = folder / speech.speakers[each.speaker] / f"{split}_{number}_{start}.wav"
                place.parent.mkdir(exist_ok=True)
                units = each.units[start : start + 800]
                edges = np.flatnonzero(np.diff(units, prepend=-1, append=-1))
                lines = [
                    f"{first} {last} {speech.units[units[first]]}\n"
                    for first, last in zip(edges[:-1], edges[1:], strict=True)
                ]
                soundfile.write(place, each.waveform[start : start + 800], 4000)
                place.with_suffix(".txt").write_text("".join(lines))
    return f"folder:{folder}"
