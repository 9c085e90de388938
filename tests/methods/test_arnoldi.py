import numpy as np
import pytest
from scipy.sparse.linalg import eigsh

from toolkit.methods.arnoldi import arnoldi


def test_pairs_are_numpys_where_there_are_as_many_steps_as_rows():
    random = np.random.default_rng(0)
    matrix = random.standard_normal((30, 30))
    matrix = matrix + matrix.T
    found = arnoldi(lambda rows: rows @ matrix, 30)
    values, vectors = np.linalg.eigh(matrix)
    order = np.argsort(-np.abs(values))
    np.testing.assert_allclose(found.values, values[order], atol=1e-9)
    np.testing.assert_allclose(np.abs(np.sum(found.vectors * vectors[:, order].T, axis=1)), 1, atol=1e-7)


def test_few_steps_find_the_largest_as_arpack_does():
    random = np.random.default_rng(1)
    basis = np.linalg.qr(random.standard_normal((300, 300)))[0]
    matrix = basis * np.r_[20.0, -15.0, 10.0, random.uniform(-1, 1, 297)] @ basis.T
    found = arnoldi(lambda rows: rows @ matrix, 300, num_steps=25, rank=3)
    expected = eigsh(matrix, 3, which="LM")[0]
    np.testing.assert_allclose(sorted(found.values), sorted(expected), rtol=1e-6)
    assert found.vectors.shape == (3, 300)
    np.testing.assert_allclose(found.vectors @ found.vectors.T, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(found.vectors @ matrix, found.values[:, None] * found.vectors, atol=1e-3)


def test_it_ends_with_the_span():
    """A matrix of two eigenvalues shows no more than two, and a matrix of zeros one."""
    matrix, calls = np.diag(np.r_[np.full(5, 2.0), np.full(5, 7.0)]), []

    def product(rows):
        calls.append(rows)
        return rows @ matrix

    assert arnoldi(product, 10).values == pytest.approx([7, 2]) and len(calls) == 2
    assert arnoldi(np.zeros_like, 4).values == pytest.approx([0])


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="num_steps and rank must be 1 or more; got 0 and None"):
        arnoldi(lambda rows: rows, 3, num_steps=0)
    with pytest.raises(ValueError, match="got 100 and 0"):
        arnoldi(lambda rows: rows, 3, rank=0)
    with pytest.raises(ValueError, match="not finite"):
        arnoldi(lambda rows: rows * np.nan, 3)
