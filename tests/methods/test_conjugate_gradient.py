import numpy as np
import pytest

from toolkit.methods.conjugate_gradient import NotPositiveDefinite, conjugate_gradient


def system(eigenvalues, num_systems=3, seed=0):
    random = np.random.default_rng(seed)
    basis = np.linalg.qr(random.standard_normal((len(eigenvalues), len(eigenvalues))))[0]
    return basis * eigenvalues @ basis.T, random.standard_normal((num_systems, len(eigenvalues)))


def test_it_solves_as_numpy_does():
    matrix, vectors = system(np.geomspace(0.01, 10, 60))
    found = conjugate_gradient(lambda rows: rows @ matrix, vectors, tolerance=1e-10)
    expected = np.linalg.solve(matrix, vectors.T).T
    np.testing.assert_allclose(found.vectors, expected, rtol=1e-6, atol=1e-6)
    residuals = np.linalg.norm(found.vectors @ matrix - vectors, axis=1) / np.linalg.norm(vectors, axis=1)
    np.testing.assert_allclose(found.residuals, residuals, rtol=1e-6)
    assert found.residuals.max() < 1e-9 and found.least_ritz_value == pytest.approx(0.01, rel=1e-3)


def test_products_in_float32_are_enough_for_a_ten_thousandth():
    matrix, vectors = system(np.geomspace(0.01, 1, 200))
    found = conjugate_gradient(lambda rows: rows.astype("float32") @ matrix.astype("float32"), vectors)
    expected = np.linalg.solve(matrix, vectors.T).T
    errors = np.linalg.norm(found.vectors - expected, axis=1) / np.linalg.norm(expected, axis=1)
    assert errors.max() < 1e-4


def test_each_system_stops_by_itself():
    """A multiple of an eigenvector takes one step, zero none; the other two take as many as there are eigenvalues."""
    matrix, vectors = system(np.r_[np.full(20, 1.0), np.full(20, 4.0)])
    easy = np.linalg.eigh(matrix)[1][:, 0]
    sizes = []

    def product(rows):
        sizes.append(len(rows))
        return rows @ matrix

    found = conjugate_gradient(product, np.stack([easy, 0 * easy, *vectors[:2]]))
    assert sizes == [3, 2, 4] and found.num_iterations == 2
    np.testing.assert_allclose(found.vectors[0], easy, atol=1e-9)
    assert not found.vectors[1].any() and found.residuals[1] == 0


def test_the_residual_says_how_far_it_came():
    matrix, vectors = system(np.geomspace(1e-4, 1, 100))
    found = conjugate_gradient(lambda rows: rows @ matrix, vectors, max_iterations=5)
    assert found.num_iterations == 5 and 1e-3 < found.residuals.min()


def test_a_negative_eigenvalue_is_found():
    matrix, vectors = system(np.r_[-0.5, np.linspace(1, 2, 20)])
    with pytest.raises(NotPositiveDefinite, match="not positive definite: it has an eigenvalue of -0") as caught:
        conjugate_gradient(lambda rows: rows @ matrix, vectors)
    assert -0.5 - 1e-6 <= caught.value.eigenvalue < 0


def test_what_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="A vector is not finite"):
        conjugate_gradient(lambda rows: rows, [[np.nan, 1.0]])
    with pytest.raises(ValueError, match="A product with the matrix is not finite"):
        conjugate_gradient(lambda rows: rows * np.inf, [[2.0, 1.0]])
