"""Bracketed: all codes evenly, one code, and what a batch's mean would hide."""

import numpy as np
import pytest

from toolkit.layers import CodeUsage
from toolkit.layers.code_usage import code_counts


def result(codes, *sizes):
    usage = CodeUsage(*sizes)
    for batch in codes:
        usage.update_state(np.asarray(batch))
    return {name: float(value) for name, value in usage.result().items()}


def test_all_evenly_one_alone_and_none():
    assert result([np.arange(8)], 8) == pytest.approx({"codebook_perplexity": 8.0, "codebook_usage": 1.0})
    assert result([np.full((3, 2), 5)], 8) == pytest.approx({"codebook_perplexity": 1.0, "codebook_usage": 1 / 8})
    assert result([], 8) == pytest.approx({"codebook_perplexity": 1.0, "codebook_usage": 0.0})


def test_is_of_all_batches_until_the_reset():
    """Batches of one code each, whose own perplexity is 1."""
    assert result([[0, 0], [1, 1], [2, 2], [3, 3]], 8) == pytest.approx(
        {"codebook_perplexity": 4.0, "codebook_usage": 0.5}
    )
    usage = CodeUsage(4)
    usage.update_state(np.arange(4))
    usage.reset_state()
    assert float(usage.result()["codebook_usage"]) == 0.0


def test_is_the_mean_over_codebooks():
    codes = np.array([[[0, 0], [0, 1]], [[0, 2], [0, 3]]])
    assert result([codes], 4, 2) == pytest.approx({"codebook_perplexity": 2.5, "codebook_usage": 0.625})
    np.testing.assert_array_equal(code_counts(codes, 2, 4), [4, 0, 0, 0, 1, 1, 1, 1])


def test_uneven_shares_are_as_numpy_counts_them():
    codes = np.random.default_rng(0).geometric(0.2, 500).clip(1, 32) - 1
    shares = np.bincount(codes, minlength=32) / 500
    entropy = -np.sum(shares * np.log(np.where(shares > 0, shares, 1)))
    found = result(np.split(codes, 5), 32)
    assert found == pytest.approx({"codebook_perplexity": np.exp(entropy), "codebook_usage": np.mean(shares > 0)})


def test_config_and_sizes():
    usage = CodeUsage.from_config(CodeUsage(5, 2, name="top").get_config())
    assert set(usage.result()) == {"top_perplexity", "top_usage"} and usage.counts.shape == (10,)
    with pytest.raises(ValueError, match="must be at least 1; got 0, 1"):
        CodeUsage(0)
