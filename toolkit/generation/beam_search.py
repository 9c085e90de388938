"""Beam search: the likeliest sequences of tokens under any step, by the same loop that draws them."""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf
from numpy.typing import ArrayLike

from toolkit.generation import loop

_NEVER = -1e9  # the logarithm of a probability; -inf makes NaN


class Found(NamedTuple):
    """The likeliest sequences, the best first.

    Shapes:
        tokens: int32 (batch, beam_width, num_steps), zeros from the end token on.
        length: int32 (batch, beam_width), tokens before the end token.
        score: (batch, beam_width), log p of the tokens and the end token, in nats; below -1e8 where there is no further
            sequence.
    """

    tokens: tf.Tensor
    length: tf.Tensor
    score: tf.Tensor


def beam_search(
    step: Callable,
    first: ArrayLike,
    state: Any,
    *,
    num_steps: int,
    beam_width: int,
    end: int,
    context: tuple = (),
    length_normalization: float = 0.0,
) -> Found:
    """Searches for the likeliest sequences: of all that carry on the best ones so far, the best are kept.

    It is one while loop of TFLite's builtin ops where the step's are. A sequence that has ended keeps its place among
    the best for as long as it is one of them.

    Args:
        step: `step(token, state, *context) -> (logits, state)`, of tokens (rows,) and logits (rows, vocabulary); it is
            given batch times beam_width rows.
        first: The token before the first, int32 (batch,).
        state: The state before the first step, a nest of tensors (batch, ...).
        num_steps: Most tokens in a sequence; one that has not ended by then counts as it is.
        beam_width: Sequences kept; 1 takes the most probable token each time.
        end: The token that ends a sequence.
        context: What every step is given, tensors (batch, ...), such as an image's features.
        length_normalization: The power of the length, the end token counted, that log p is divided by for the ranks: 0
            ranks by probability, 1 by the mean of a token's log p.

    Returns:
        `Found`.

    Raises:
        ValueError: Where `num_steps` or `beam_width` is less than 1.

    Example:

    >>> def step(token, state):  # the likelier first token has the less likely sequels
    ...     return tf.math.log(tf.gather([[0.0, 0.6, 0.4], [0.5, 0.5, 0.0], [1.0, 0.0, 0.0]], token)), state
    >>> found = beam_search(step, tf.constant([0]), (), num_steps=2, beam_width=2, end=0)
    >>> found.tokens.numpy().tolist(), tf.exp(found.score).numpy().round(3)
    ([[[2, 0], [1, 0]]], array([[0.4, 0.3]], dtype=float32))

    Reference: Sutskever et al. 2014, arXiv 1409.3215, section 3.2; Wu et al. 2016, arXiv 1609.08144, section 7, with
    another penalty for the length.
    """
    if num_steps < 1 or beam_width < 1:
        raise ValueError(f"num_steps and beam_width must be at least 1; got {num_steps} and {beam_width}.")
    first = tf.convert_to_tensor(first, tf.int32)
    batch_size = first.shape[0] or tf.shape(first)[0]
    shape = (batch_size, beam_width)
    spread = tf.repeat(tf.range(batch_size), beam_width)  # the row that each beam belongs to
    state, context = tf.nest.map_structure(lambda each: tf.gather(each, spread), (state, context))

    def advance(token, beams):
        logits, state = step(tf.reshape(token, (-1,)), beams["state"], *context)
        logits = tf.reshape(logits, (*shape, logits.shape[-1]))
        return _best(beams | {"state": state}, tf.nn.log_softmax(logits), end, length_normalization)

    beams = {
        "state": state,
        # At first all beams are one: the others must not win a place.
        "score": tf.broadcast_to([0.0] + [_NEVER] * (beam_width - 1), shape),
        "ended": tf.zeros(shape, tf.bool),
        "length": tf.zeros(shape, tf.int32),
        "tokens": tf.zeros((*shape, num_steps), tf.int32),
    }
    beams = loop.generate(
        advance,
        tf.broadcast_to(first[:, None], shape),
        beams,
        num_steps=num_steps,
        draw=lambda output, noise: output["token"],
        stop=lambda output, token: tf.reduce_all(output["ended"], axis=1),
    ).state
    return Found(beams["tokens"], beams["length"], beams["score"])


def _best(beams, log_probs, end, length_normalization):
    """The best of all that carry on the beams by a token, as the loop's output and state."""
    width, num_tokens = log_probs.shape[1:]
    stays = tf.where(tf.range(num_tokens) == end, 0.0, _NEVER)  # what has ended is carried on by its end alone
    score = beams["score"][..., None] + tf.where(beams["ended"][..., None], stays, log_probs)
    rank = score
    if length_normalization:
        rank = score / tf.cast(beams["length"] + 1, tf.float32)[..., None] ** length_normalization
    best = tf.math.top_k(tf.reshape(rank, (-1, width * num_tokens)), width).indices
    parent, token = best // num_tokens, best % num_tokens

    places = parent + width * tf.range(tf.shape(parent)[0])[:, None]
    state = tf.nest.map_structure(lambda each: tf.gather(each, tf.reshape(places, (-1,))), beams["state"])
    ended, length, tokens = (
        tf.gather(beams[name], parent, axis=1, batch_dims=1) for name in ("ended", "length", "tokens")
    )
    grows = tf.logical_not(tf.logical_or(ended, token == end))
    here = tf.logical_and(tf.range(tokens.shape[-1]) == length[..., None], grows[..., None])
    beams = {
        "state": state,
        "score": tf.gather(tf.reshape(score, (-1, width * num_tokens)), best, axis=1, batch_dims=1),
        "ended": tf.logical_or(ended, token == end),
        "length": length + tf.cast(grows, tf.int32),
        "tokens": tf.where(here, token[..., None], tokens),
    }
    return {"token": token, "ended": beams["ended"]}, beams
