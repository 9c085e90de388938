"""Sparse Gaussian processes by mini-batches: natural gradients for the posterior, any optimizer for the rest."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from toolkit.lazy import tensorflow as tf
from toolkit.methods.gp_covariance import JITTER, GPParameters, inducing_covariance, kernel, settled_jitter
from toolkit.methods.sparse_gp import GPPosterior, posterior_of


@keras.saving.register_keras_serializable(package="toolkit")
class SVGP(keras.Model):
    """Trains a sparse Gaussian process on batches of rows, in O(batch M² + M³) a step however many rows there are.

    The posterior of v = L⁻¹ u, L Lᵀ = K_uu, is a Gaussian of precision P and mean P⁻¹ s. With A = L⁻¹ K_ub of a batch
    of B of the N rows, the loss is minus the estimate of the bound a row,

        -1/B sum_b [log N(y_b; A_bᵀ m, σ²) - (k_bb - |A_b|² + A_bᵀ P⁻¹ A_b) / (2 σ²)] + KL(q(v) || N(0, I)) / N,

    and a natural gradient step of size r is P ← (1 - r) P + r (I + N/B A Aᵀ / σ²), s ← (1 - r) s + r N/B A y / σ². With
    r = 1 and all rows as the batch it lands on the optimum, whose bound is `sparse_gp.lower_bound`. After it the
    compiled optimizer steps on the logs of the hyper-parameters, and the inducing inputs where asked, by the gradient
    at the new posterior.

    Args:
        num_rows: N, of the whole table.
        num_inducing: M.
        num_inputs: D.
        kernel: One of `gp_covariance.KERNELS`.
        natural_step: r of the posterior's steps, over 0 and at most 1.
        train_hyperparameters: Whether variance, length scales and noise are trained.
        train_inducing_inputs: Whether the inducing inputs are.
        jitter: Added to the diagonal of K_uu.
        **kwargs: As in `keras.Model`.

    Call arguments:
        inputs: Rows, float64 (batch, D).

    Returns (of a call):
        Mean and variance of new observations, float64 (batch, 2).

    Raises:
        ValueError: Where a number is out of range.

    Example:

    >>> model = SVGP.starting_at(GPParameters(1.0, [1.0], 0.1, [[0.0], [1.0]]), num_rows=100)
    >>> model.compile(keras.optimizers.Adam(1e-2))
    >>> sorted(model.train_on_batch(np.zeros((5, 1)), np.ones(5), return_dict=True))
    ['loss', 'noise']

    Reference: Hensman, Fusi and Lawrence 2013, Gaussian Processes for Big Data, arXiv 1309.6835, section 3.
    """

    def __init__(
        self,
        num_rows: int,
        num_inducing: int,
        num_inputs: int,
        kernel: str = "squared_exponential",
        *,
        natural_step: float = 0.1,
        train_hyperparameters: bool = True,
        train_inducing_inputs: bool = False,
        jitter: float = JITTER,
        **kwargs,
    ) -> None:
        super().__init__(**{"dtype": "float64", **kwargs})
        if not 0 < natural_step <= 1:
            raise ValueError(f"natural_step must be over 0 and at most 1; got {natural_step}.")
        sizes = {"num_rows": num_rows, "num_inducing": num_inducing, "num_inputs": num_inputs}
        for key, value in sizes.items():
            if value < 1:
                raise ValueError(f"{key} must be at least 1; got {value}.")
        self.options = {
            **sizes,
            "kernel": kernel,
            "natural_step": natural_step,
            "train_hyperparameters": train_hyperparameters,
            "train_inducing_inputs": train_inducing_inputs,
            "jitter": jitter,
        }

        def weight(name, shape, trainable, initializer="zeros"):
            return self.add_weight(
                name=name, shape=shape, initializer=initializer, trainable=trainable, dtype="float64", autocast=False
            )

        self.log_variance = weight("log_variance", (), train_hyperparameters)
        self.log_length_scales = weight("log_length_scales", (num_inputs,), train_hyperparameters)
        self.log_noise = weight("log_noise", (), train_hyperparameters)
        self.inducing_inputs = weight("inducing_inputs", (num_inducing, num_inputs), train_inducing_inputs)
        self.precision = weight("precision", (num_inducing, num_inducing), False, "identity")
        self.shift = weight("shift", (num_inducing,), False)
        self.loss_tracker = keras.metrics.Mean(name="loss", dtype="float64")

    @classmethod
    def starting_at(cls, parameters: GPParameters, num_rows: int, kernel: str = "squared_exponential", **how) -> "SVGP":
        """Makes a model with these hyper-parameters and inducing inputs; its posterior begins as the prior.

        Args:
            parameters: See `GPParameters`.
            num_rows: N, of the whole table.
            kernel: One of `gp_covariance.KERNELS`.
            **how: Further arguments of the class.
        """
        parameters = GPParameters(*(np.asarray(each, np.float64) for each in parameters))
        model = cls(num_rows, *parameters.inducing_inputs.shape, kernel, **how)
        model.options["jitter"] = settled_jitter(parameters, kernel, model.options["jitter"])
        model.log_variance.assign(np.log(parameters.variance))
        model.log_length_scales.assign(np.log(parameters.length_scales))
        model.log_noise.assign(np.log(parameters.noise))
        model.inducing_inputs.assign(parameters.inducing_inputs)
        return model

    def parameters(self) -> GPParameters:
        """Returns hyper-parameters and inducing inputs as they are now, tensors."""
        logs = self.log_variance, self.log_length_scales, self.log_noise
        return GPParameters(*(ops.exp(each) for each in logs), ops.convert_to_tensor(self.inducing_inputs))

    def posterior(self) -> GPPosterior:
        """Returns what `sparse_gp.predict` and `models.sparse_gp.filled` take."""
        cholesky = tf.linalg.cholesky(
            inducing_covariance(self.parameters(), self.options["kernel"], self.options["jitter"])
        )
        return posterior_of(cholesky, ops.convert_to_tensor(self.precision), ops.convert_to_tensor(self.shift))

    def build(self, input_shape=None):
        self.built = True

    def call(self, inputs):
        parameters, posterior = self.parameters(), self.posterior()
        covariance = kernel(self.options["kernel"], parameters.variance, parameters.length_scales)
        covariances = covariance.matrix(ops.cast(inputs, "float64"), parameters.inducing_inputs)
        explained = tf.reduce_sum(tf.matmul(covariances, posterior.factor, transpose_b=True) ** 2, axis=1)
        mean = tf.linalg.matvec(covariances, posterior.weights)
        return tf.stack([mean, parameters.variance + parameters.noise - explained], axis=1)

    def natural_gradient_step(self, x: Any, y: Any) -> None:
        """Takes a step of the posterior.

        Args:
            x: Rows, (batch, D).
            y: Targets, (batch,).
        """
        self._step(self._whitened(x), y)

    def bound(self, x: Any, y: Any) -> Any:
        """Estimates the bound of all rows from a batch.

        Args:
            x: Rows, (batch, D).
            y: Targets, (batch,).

        Returns:
            Nats, of all rows together, float64 ().
        """
        return self._bound(self._whitened(x), y)

    def _whitened(self, x):
        """A = L⁻¹ K_ub."""
        parameters, name = self.parameters(), self.options["kernel"]
        cholesky = tf.linalg.cholesky(inducing_covariance(parameters, name, self.options["jitter"]))
        covariance = kernel(name, parameters.variance, parameters.length_scales)
        return tf.linalg.triangular_solve(cholesky, covariance.matrix(parameters.inducing_inputs, x))

    def _step(self, scaled, y):
        step = self.options["natural_step"]
        weight = self.options["num_rows"] / (tf.cast(tf.shape(y)[0], tf.float64) * ops.exp(self.log_noise))
        precision = tf.eye(self.options["num_inducing"], dtype=tf.float64)
        precision += weight * tf.matmul(scaled, scaled, transpose_b=True)
        self.precision.assign((1.0 - step) * self.precision + step * precision)
        self.shift.assign((1.0 - step) * self.shift + step * weight * tf.linalg.matvec(scaled, y))

    def _bound(self, scaled, y):
        variance, noise = ops.exp(self.log_variance), ops.exp(self.log_noise)
        cholesky = tf.linalg.cholesky(ops.convert_to_tensor(self.precision))
        root = tf.linalg.triangular_solve(cholesky, tf.eye(self.options["num_inducing"], dtype=tf.float64))
        mean = tf.linalg.matvec(root, tf.linalg.matvec(root, ops.convert_to_tensor(self.shift)), transpose_a=True)
        errors = y - tf.linalg.matvec(scaled, mean, transpose_a=True)
        left = variance - tf.reduce_sum(scaled**2, axis=0) + tf.reduce_sum((root @ scaled) ** 2, axis=0)
        expected = -0.5 * (math.log(2.0 * math.pi) + tf.math.log(noise) + (errors**2 + left) / noise)
        log_determinant = 2.0 * tf.reduce_sum(tf.math.log(tf.linalg.diag_part(cholesky)))
        squares = tf.reduce_sum(root**2) + tf.reduce_sum(mean**2)
        divergence = 0.5 * (squares - self.options["num_inducing"] + log_determinant)
        return self.options["num_rows"] * tf.reduce_mean(expected) - divergence

    def train_step(self, batch):
        """Takes a step of the posterior, and one of the optimizer.

        Args:
            batch: (x, y).

        Returns:
            "loss", minus the bound in nats a row, and "noise", its variance.
        """
        x, y = (tf.cast(each, tf.float64) for each in batch[:2])
        with tf.GradientTape() as tape:
            scaled = self._whitened(x)
            self._step(scaled, y)
            loss = -self._bound(scaled, y) / self.options["num_rows"]
        if self.trainable_variables:
            self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
        self.loss_tracker.update_state(loss)
        return {"loss": self.loss_tracker.result(), "noise": ops.exp(self.log_noise)}

    def test_step(self, batch):
        """Measures minus the log density of a new observation.

        Args:
            batch: (x, y).

        Returns:
            "loss": nats a row.
        """
        x, y = (tf.cast(each, tf.float64) for each in batch[:2])
        mean, variance = tf.unstack(self(x), axis=1)
        losses = 0.5 * (math.log(2.0 * math.pi) + tf.math.log(variance) + (y - mean) ** 2 / variance)
        self.loss_tracker.update_state(losses)
        return {"loss": self.loss_tracker.result()}

    @property
    def metrics(self):
        return [self.loss_tracker]

    def get_config(self):
        return {"name": self.name, **self.options}
