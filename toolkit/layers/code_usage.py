"""How many of a codebook's codes are in use: the Keras metric of a `VectorQuantizer`, and so among the layers."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="toolkit")
class CodeUsage(keras.metrics.Metric):
    """Perplexity and usage of codes since the last reset, which `fit` and `evaluate` do when an epoch begins.

    With p_k the share of code k among all codes seen: perplexity = exp(-sum_k p_k log p_k), the number of codes that as
    many inputs would share evenly; usage = the share of codes seen at least once. Of several codebooks, the mean.

    Perplexity over a whole epoch does not depend on the batch's size, as a batch's does.

    Args:
        num_embeddings: Codes of a codebook.
        num_codebooks: How many codebooks.
        **kwargs: As in `keras.metrics.Metric`; `name` is what the two results' names begin with.

    Raises:
        ValueError: Where a number is less than 1.

    Example:

    >>> usage = CodeUsage(4)
    >>> usage.update_state(ops.array([[0, 1], [1, 0]]))
    >>> {name: round(float(value), 3) for name, value in usage.result().items()}
    {'codebook_perplexity': 2.0, 'codebook_usage': 0.5}

    Reference: van den Oord et al. 2017, arXiv 1711.00937, section 3.2 (the prior's and the codes' entropy).
    """

    def __init__(self, num_embeddings: int, num_codebooks: int = 1, name: str = "codebook", **kwargs) -> None:
        super().__init__(name=name, **kwargs)
        if min(num_embeddings, num_codebooks) < 1:
            raise ValueError(
                f"{name}: num_embeddings and num_codebooks must be at least 1; got {num_embeddings}, {num_codebooks}."
            )
        self.num_embeddings, self.num_codebooks = num_embeddings, num_codebooks
        self.counts = self.add_variable((num_codebooks * num_embeddings,), "zeros", dtype="float32", name="counts")

    def update_state(self, codes, sample_weight=None) -> None:
        """Counts codes.

        Args:
            codes: int32 (...,), or (..., num_codebooks) where there are several.
            sample_weight: None; for `keras.metrics.Metric`'s sake.
        """
        self.counts.assign_add(code_counts(codes, self.num_codebooks, self.num_embeddings))

    def result(self) -> dict[str, Any]:
        """Returns two scalars, NAME_perplexity (1 to num_embeddings) and NAME_usage (0 to 1)."""
        counts = ops.reshape(self.counts, (self.num_codebooks, self.num_embeddings))
        shares = counts / ops.maximum(ops.sum(counts, axis=1, keepdims=True), 1.0)
        entropy = -ops.sum(shares * ops.log(ops.where(shares > 0, shares, 1.0)), axis=1)
        return {
            f"{self.name}_perplexity": ops.mean(ops.exp(entropy)),
            f"{self.name}_usage": ops.mean(ops.cast(counts > 0, "float32")),
        }

    def get_config(self) -> dict:
        sizes = {"num_embeddings": self.num_embeddings, "num_codebooks": self.num_codebooks}
        return {**super().get_config(), **sizes}


def code_counts(codes: Any, num_codebooks: int, num_embeddings: int) -> Any:
    """Counts how often each code occurs.

    Args:
        codes: Integers (..., num_codebooks), or (...,) with one codebook.
        num_codebooks: How many codebooks.
        num_embeddings: Codes of each.

    Returns:
        float32 (num_codebooks * num_embeddings,).
    """
    places = ops.reshape(code_places(codes, num_codebooks, num_embeddings), (-1,))
    return ops.segment_sum(ops.ones_like(places, dtype="float32"), places, num_codebooks * num_embeddings)


def code_places(codes: Any, num_codebooks: int, num_embeddings: int) -> Any:
    """Numbers the codes of all codebooks consecutively.

    Args:
        codes: Integers (..., num_codebooks), or (...,) with one codebook.
        num_codebooks: How many codebooks.
        num_embeddings: Codes of each.

    Returns:
        int32 (vectors, num_codebooks), from 0 to num_codebooks * num_embeddings - 1.
    """
    codes = ops.reshape(ops.cast(codes, "int32"), (-1, num_codebooks))
    return codes + num_embeddings * ops.arange(num_codebooks, dtype="int32")
