import keras
import numpy as np
import pytest

from toolkit import export, models
from toolkit.generation.strokes import Writer
from toolkit.serving.strokes_file import StrokesFile
from toolkit.serving.strokes_writer import strokes_writer

# In `./run test` the recipe of such a network exports it; what int8 costs, and each signature alone, is for CI.
pytestmark = pytest.mark.slow


def test_writes_what_the_network_writes(tmp_path):
    keras.utils.set_random_seed(0)
    network = models.handwriting.synthesis(
        " abc", units=8, num_layers=1, num_mixtures=3, num_gaussians=2, points_per_character=3.0
    )
    served = strokes_writer(network, num_steps=40, max_points=30, num_characters=6)
    export.write(tmp_path / "export", **served.arguments())
    file, writer = StrokesFile(tmp_path / "export"), Writer(network)
    assert (file.num_steps, file.num_characters) == (40, 6)
    written = file.write(["ab", "cab"], bias=0.5, seed=[3, 5])
    random = np.random.default_rng([3, 5])
    for text, line in zip(["ab", "cab"], written, strict=True):
        noise = random.standard_normal((1, 40, 4)).astype("float32")
        noise[..., [0, -1]] = random.uniform(size=(1, 40, 2))
        codes = network.get_layer("characters").encode(text, 6)[None]
        expected = writer.generate(codes, 0.5, num_steps=40, noise=noise)
        np.testing.assert_allclose(line, expected["strokes"][0, : int(expected["length"][0])], atol=1e-4)
    assert len(written[0]) < len(written[1])
    with pytest.raises(ValueError, match="'abcabc' is too long: this file takes at most 5 characters"):
        file.write(["abcabc"])
    with pytest.raises(FileNotFoundError):
        StrokesFile(tmp_path)
