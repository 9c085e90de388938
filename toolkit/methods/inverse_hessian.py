"""The inverse of a training loss' Hessian times gradients, by one of four solvers."""

import functools
from typing import Any, NoReturn

import numpy as np

from toolkit.methods.arnoldi import RitzPairs, arnoldi
from toolkit.methods.conjugate_gradient import NotPositiveDefinite, conjugate_gradient
from toolkit.methods.hessian import Hessian
from toolkit.methods.lissa import lissa, suggested_scale

OPTIONS = {
    "cg": {"tolerance", "max_iterations"},
    "lissa": {"scale", "depth", "repeats", "sample_size", "seed"},
    "arnoldi": {"num_steps", "rank", "seed"},
    "exact": set(),
}
_LARGEST_EXACT = 10_000


class InverseHessian:
    """(H + damping I)^-1 times vectors.

    Args:
        hessian: H, with its damping.
        solver: "cg", conjugate gradient; "lissa", by samples of the training examples; "arnoldi", within the span of
            the eigenvectors of largest eigenvalues, found once; "exact", the eigenvectors of the whole matrix, for at
            most 10,000 weights.
        **options: `tolerance`, `max_iterations` of `conjugate_gradient`; `scale`, `depth`, `repeats`, `seed` of
            `lissa`, whose damping is the Hessian's divided by the scale, and `sample_size` (32), the examples of a
            step; `num_steps` (100), `rank` (50), `seed` of `arnoldi`.

    Attributes:
        has_spectrum: Whether `spectrum` is there: "arnoldi" and "exact".

    Raises:
        ValueError: Where there is no such solver or option, or too many weights; when it is used, where H is not
            positive definite (with the damping that it takes) or LiSSA diverges (with the scale that it takes).

    Example:

    >>> import keras
    >>> from toolkit.methods.example_losses import ExampleLosses
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    >>> losses = ExampleLosses(model, keras.losses.MeanSquaredError())
    >>> hessian = Hessian(losses, (np.array([[1.0], [2.0]]), np.zeros((2, 1))), damping=3.0)  # 5 + 3
    >>> InverseHessian(hessian).solve(np.array([[16.0]]))[0]
    array([[2.]])

    Reference: Koh and Liang 2017, arXiv 1703.04730, section 3; Schioppa et al. 2022, arXiv 2112.03052 (Arnoldi).
    """

    def __init__(self, hessian: Hessian, solver: str = "cg", **options: Any) -> None:
        if solver not in OPTIONS:
            raise ValueError(f"There is no solver {solver!r}; there are: {', '.join(OPTIONS)}.")
        if unknown := sorted(options.keys() - OPTIONS[solver]):
            has = ", ".join(sorted(OPTIONS[solver])) or "none"
            raise ValueError(f"Solver {solver!r} has no option {unknown[0]!r}; it has: {has}.")
        if solver == "exact" and hessian.size > _LARGEST_EXACT:
            raise ValueError(
                f"The exact Hessian of {hessian.size:,} weights is too large (at most {_LARGEST_EXACT:,}): choose "
                "solver='cg', or `layers`."
            )
        self.hessian, self.solver, self.options = hessian, solver, options
        self.has_spectrum = solver in ("exact", "arnoldi")

    @functools.cached_property
    def spectrum(self) -> RitzPairs:
        """Eigenvalues, with damping, that are above 0, and their eigenvectors as rows."""
        if self.solver == "exact":
            matrix = self.hessian.product(np.eye(self.hessian.size))
            values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
            vectors = vectors.T
        else:
            options = {"num_steps": 100, "rank": 50, **self.options}
            values, vectors = arnoldi(self.hessian.product, self.hessian.size, **options)
        # A direction in which nothing changes, as of a softmax' biases all together, has an eigenvalue of 0.
        nothing = 10 * np.finfo(self.hessian.losses.dtype).eps * np.abs(values).max()
        if values.min() < -nothing:
            self._refuse(values.min())
        return RitzPairs(values[values > nothing], vectors[values > nothing])

    def solve(self, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Multiplies the inverse with vectors.

        Args:
            vectors: b, (vectors, size).

        Returns:
            x, float64 (vectors, size), and ||(H + damping I) x - b|| / ||b||, (vectors,); of eigenvectors the share of
            b outside their span.
        """
        norms = np.linalg.norm(vectors, axis=1)
        norms = np.where(norms > 0, norms, 1.0)
        if self.has_spectrum:
            values, basis = self.spectrum
            projected = vectors @ basis.T
            return projected / values @ basis, np.linalg.norm(vectors - projected @ basis, axis=1) / norms
        if self.solver == "cg":
            try:
                found = conjugate_gradient(self.hessian.product, vectors, **self.options)
            except NotPositiveDefinite as error:
                self._refuse(error.eigenvalue)
            return found.vectors, found.residuals
        options = {"sample_size": 32, **self.options}
        sample_size = min(options.pop("sample_size"), self.hessian.num_examples)
        sample = functools.partial(self.hessian.sample, sample_size=sample_size)
        if options.get("scale") is None:
            options["scale"] = suggested_scale(sample, self.hessian.size, options.get("seed", 0))
        found = lissa(sample, vectors, damping=self.hessian.damping / options["scale"], **options)
        left = np.linalg.norm(self.hessian.product(found.vectors) - vectors, axis=1)
        return found.vectors, left / norms

    def _refuse(self, eigenvalue) -> NoReturn:
        """Says what damping it takes: conjugate gradient stops at the first direction of negative curvature."""
        values = arnoldi(self.hessian.product, self.hessian.size, num_steps=50).values
        least, damping = min(eigenvalue, values.min()), self.hessian.damping
        more = max(-1.2 * least, 1e-3 * np.abs(values).max()) or 0.01
        raise ValueError(
            f"The Hessian is not positive definite: with damping {damping:g} its least eigenvalue is about "
            f"{least:.2g}. Give damping={damping + more:.2g} or more, or gauss_newton=True, or train the "
            "model until it lies at a minimum."
        ) from None
