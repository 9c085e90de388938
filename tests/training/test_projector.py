"""Vectors for the Projector: what TensorBoard's own plugin reads of them."""

import numpy as np
import pytest
from google.protobuf import text_format
from tensorboard.plugins.projector import projector_config_pb2

from toolkit.training import projector

VECTORS = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
ROWS = [{"code": code, "word": f"a\tb {code}"} for code in range(4)]


def test_the_files_are_what_the_config_names(tmp_path):
    projector.write(tmp_path / "logs", "one", VECTORS, ROWS)
    projector.write(tmp_path / "logs", "two", VECTORS[:2], ROWS[:2])
    config = projector_config_pb2.ProjectorConfig()
    text_format.Parse((tmp_path / "logs" / projector.CONFIG).read_text(), config)
    assert [each.tensor_name for each in config.embeddings] == ["one", "two"]
    first = config.embeddings[0]
    read = np.loadtxt(tmp_path / "logs" / first.tensor_path, delimiter="\t", dtype="float32")
    np.testing.assert_allclose(read, VECTORS, rtol=1e-6)
    lines = (tmp_path / "logs" / first.metadata_path).read_text().splitlines()
    assert lines == ["code\tword", *(f"{code}\ta b {code}" for code in range(4))]


@pytest.mark.parametrize("rows", [ROWS[:3], [{"code": 1}] * 4, [*ROWS[:3], {"other": 1, "word": 2}], []])
def test_rows_that_do_not_fit(tmp_path, rows):
    with pytest.raises(ValueError, match="one: expected one row of two names"):
        projector.write(tmp_path, "one", VECTORS, rows)
