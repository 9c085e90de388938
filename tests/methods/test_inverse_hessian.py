"""On matrices that stand for a Hessian."""

import types

import numpy as np
import pytest

from toolkit.methods.inverse_hessian import OPTIONS, InverseHessian

SIZE = 12


class Matrix:
    """What `InverseHessian` sees of a `Hessian`."""

    losses, num_examples, size = types.SimpleNamespace(dtype="float64"), 50, SIZE

    def __init__(self, eigenvalues, damping=0.0):
        basis = np.linalg.qr(np.random.default_rng(0).standard_normal((SIZE, SIZE)))[0]
        self.matrix, self.damping = basis * eigenvalues @ basis.T, damping

    def product(self, vectors):
        return vectors @ self.matrix + self.damping * vectors

    def sample(self, random, sample_size):
        assert sample_size == 32
        return lambda vectors: vectors @ self.matrix


POSITIVE = np.geomspace(0.05, 2, SIZE)
VECTORS = np.random.default_rng(1).standard_normal((3, SIZE))


@pytest.mark.parametrize(
    ("solver", "options"), [("cg", {}), ("lissa", {"depth": 1500, "repeats": 1}), ("arnoldi", {}), ("exact", {})]
)
def test_every_solver_finds_what_numpy_does(solver, options):
    hessian = Matrix(POSITIVE, damping=0.1)
    found, residuals = InverseHessian(hessian, solver, **options).solve(VECTORS)
    expected = np.linalg.solve(hessian.matrix + 0.1 * np.eye(SIZE), VECTORS.T).T
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert residuals.shape == (3,) and residuals.max() < 1e-5


def test_residuals_say_what_is_missing():
    few = InverseHessian(Matrix(POSITIVE), "arnoldi", rank=5)
    assert few.has_spectrum and few.spectrum.vectors.shape == (5, SIZE)
    found, residuals = few.solve(VECTORS)
    inside = VECTORS @ few.spectrum.vectors.T @ few.spectrum.vectors
    outside = np.linalg.norm(VECTORS - inside, axis=1) / np.linalg.norm(VECTORS, axis=1)
    np.testing.assert_allclose(residuals, outside)
    np.testing.assert_allclose(found @ few.hessian.matrix, inside, atol=1e-6)
    short = InverseHessian(Matrix(POSITIVE), "lissa", scale=4.0, depth=3)
    found, residuals = short.solve(VECTORS)
    left = np.linalg.norm(found @ short.hessian.matrix - VECTORS, axis=1) / np.linalg.norm(VECTORS, axis=1)
    np.testing.assert_allclose(residuals, left)
    assert residuals.min() > 0.05


@pytest.mark.parametrize("solver", ["cg", "exact", "arnoldi"])
@pytest.mark.parametrize("least", [-0.3, -5.0])
def test_a_saddle_asks_for_the_damping_that_it_takes(solver, least):
    eigenvalues = np.r_[least, np.linspace(0.5, 2, SIZE - 1)]
    with pytest.raises(
        ValueError, match="not positive definite: with damping 0.01 its least .* Give damping="
    ) as caught:
        InverseHessian(Matrix(eigenvalues, 0.01), solver).solve(VECTORS)
    advice = f"is about {least + 0.01:.2g}. Give damping={0.01 - 1.2 * (least + 0.01):.2g} or more"
    assert advice in str(caught.value)
    damping = float(str(caught.value).split("damping=")[1].split(" ")[0])
    assert -least < damping < -1.3 * least
    assert InverseHessian(Matrix(eigenvalues, damping), solver).solve(VECTORS)[1].max() < 1e-5


def test_no_curvature_at_all_asks_for_damping_too():
    with pytest.raises(ValueError, match=r"is about 0\. Give damping=0.01 or more"):
        InverseHessian(Matrix(np.zeros(SIZE))).solve(VECTORS)


def test_a_direction_in_which_nothing_changes_is_left_out():
    hessian = Matrix(np.r_[0.0, POSITIVE[1:]])
    vectors = VECTORS @ hessian.matrix  # have no part in it
    for solver in ("cg", "exact", "arnoldi"):
        found, _ = InverseHessian(hessian, solver).solve(vectors)
        np.testing.assert_allclose(found, vectors @ np.linalg.pinv(hessian.matrix, hermitian=True), atol=1e-5)


def test_lissa_with_a_small_scale_says_which():
    with pytest.raises(ValueError, match=r"LiSSA diverges after \d+ steps with scale=0.5: give scale=2.5\."):
        InverseHessian(Matrix(POSITIVE), "lissa", scale=0.5).solve(VECTORS)


def test_wrong_settings_are_refused():
    with pytest.raises(ValueError, match="no solver 'newton'; there are: cg, lissa, arnoldi, exact"):
        InverseHessian(Matrix(POSITIVE), "newton")
    with pytest.raises(ValueError, match="'cg' has no option 'depth'; it has: max_iterations, tolerance"):
        InverseHessian(Matrix(POSITIVE), depth=3)
    with pytest.raises(ValueError, match="'exact' has no option 'rank'; it has: none"):
        InverseHessian(Matrix(POSITIVE), "exact", rank=3)
    wide = types.SimpleNamespace(size=10_200)
    with pytest.raises(ValueError, match=r"exact Hessian of 10,200 weights is too large \(at most 10,000\)"):
        InverseHessian(wide, "exact")
    assert list(OPTIONS) == ["cg", "lissa", "arnoldi", "exact"]
