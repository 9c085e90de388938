import json

import numpy as np
import pytest

from toolkit import export, models
from toolkit.data.audio import tracks
from toolkit.generation.audio import SoundGenerator
from toolkit.serving.speech_file import SpeechFile
from toolkit.serving.wavenet import wavenet

INVENTORY = {"speakers": ["ann", "bob"], "units": ["_", "a", "m"], "unit_lengths": [20, 40.0, 30], "sample_rate": 1000}
INVENTORY["num_states"] = 2


def exported(folder, **how):
    model = models.wavenet.wavenet([1, 2], 4, 6, num_levels=32, hop=10, inventory=INVENTORY, **how)
    random = np.random.default_rng(0)
    model.set_weights([random.normal(size=w.shape) / 2 for w in model.get_weights()])
    export.write(folder, **wavenet(model, max_seconds=0.2, passage=50, compared=30).arguments())
    return model


@pytest.mark.slow  # in `./run test` the recipe writes so
def test_writes_what_the_network_writes(tmp_path):
    model, file = exported(tmp_path / "both", num_speakers=2, num_units=6), SpeechFile(tmp_path / "both")
    assert (file.sample_rate, file.max_seconds, file.inventory) == (1000, 0.2, INVENTORY)
    found = file.write("m a _", "bob", seed=[3, 1], temperature=0.9)
    noise = np.random.default_rng([3, 1]).uniform(size=(1, 200))
    units = tracks.track(["m", "a", "_"], INVENTORY)
    expected = SoundGenerator(model).write(90, speaker=1, units=units[5::10], temperature=0.9, noise=noise[:, :90])[0]
    assert len(found) == 90 and np.mean(np.abs(found - expected) < 1e-5) > 0.98  # rounding decides some draws
    assert len(file.write("m", seconds=0.15)) == 150
    for told, asked in (
        ("--units: there is no 'q'", {"units": "q"}),
        ("--units: what is to be said. There are: _ a m", {}),
        ("--speaker: there is no 'bop'. Did you mean 'bob'", {"units": "a", "speaker": "bop"}),
        ("0.25 s: this model writes more than 0 and at most 0.2 s; --max_seconds", {"units": "a", "seconds": 0.25}),
        ("0.24 s: this model writes", {"units": "a a a a a a"}),
    ):
        with pytest.raises(ValueError, match=told):
            file.write(**asked)
    card = json.loads((tmp_path / "both" / "card.json").read_text())
    speaker = card["signatures"]["generate_from_noise"]["inputs"].pop("speaker")
    (tmp_path / "both" / "card.json").write_text(json.dumps(card))
    with pytest.raises(ValueError, match="--speaker=ann: this model reads none"):
        SpeechFile(tmp_path / "both").write("a", "ann")
    card["signatures"]["generate_from_noise"]["inputs"]["speaker"] = speaker
    card["inventory"]["num_states"] = 0
    (tmp_path / "both" / "card.json").write_text(json.dumps(card))
    with pytest.raises(ValueError, match="is not the card of an exported wavenet: its numbers"):
        SpeechFile(tmp_path / "both")
    del card["inventory"]["num_states"]
    (tmp_path / "both" / "card.json").write_text(json.dumps(card))
    with pytest.raises(ValueError, match="is not the card of an exported wavenet: it says nothing"):
        SpeechFile(tmp_path / "both")
    with pytest.raises(FileNotFoundError):
        SpeechFile(tmp_path)
