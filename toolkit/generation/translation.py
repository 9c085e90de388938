"""Translations by a network with a memory, and what it remembers of a translation that it is shown."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from toolkit.generation.beam_search import Found, beam_search
from toolkit.layers import memory_state
from toolkit.models import memory_translator


def translate(
    model: keras.Model,
    source: Any,
    *,
    num_words: int,
    start: int,
    end: int,
    beam_width: int = 1,
    state: tuple | None = None,
) -> Found:
    """Translates sentences, with what the memory has for each word.

    Args:
        model: What `models.memory_translator.translator` returned.
        source: int32 (batch, words), zeros after the end.
        num_words: Most words of a translation.
        start: The word before the first.
        end: The word after the last.
        beam_width: Translations that are kept at a time; 1: the most probable word each time.
        state: Keys and values of another memory than the model's.

    Returns:
        As `beam_search`.
    """
    memory, source = memory_translator.memory_of(model), tf.convert_to_tensor(source)
    recalled = None
    if memory is not None:
        keys, values = state or memory.state[:2]
        recalled = lambda query: memory_state.recalled(keys, values, query, memory.num_neighbors, memory.margin)  # noqa: E731
    first, context = memory_translator.encoded(model, source)
    return beam_search(
        lambda word, before, *context: memory_translator.step(model, recalled, word, before, *context),
        tf.fill(source.shape[:1] if source.shape[0] else tf.shape(source)[:1], start),
        first,
        num_steps=num_words,
        beam_width=beam_width,
        end=end,
        context=context,
    )


def translated(model: keras.Model, source: np.ndarray, batch_size: int = 64, **how) -> np.ndarray:
    """Translates sentences, as many at a time as fit.

    Args:
        model: As in `translate`.
        source: int32 (sentences, words), zeros after the end.
        batch_size: Sentences at a time.
        **how: As in `translate`.

    Returns:
        int32 (sentences, num_words), the end and zeros after the last word.
    """
    spec = tf.TensorSpec((None, source.shape[1]), tf.int32)
    function = tf.function(lambda block: translate(model, block, **how)[:2], input_signature=[spec], autograph=False)
    rows = []
    for start in range(0, len(source), batch_size):
        words, lengths = (each[:, 0].numpy() for each in function(source[start : start + batch_size]))
        ends = (np.arange(words.shape[1]) == lengths[:, None]) * how["end"]
        rows.append(words + ends)
    return np.concatenate(rows).astype("int32")


def remembered(model: keras.Model, pairs: Mapping[str, Any], state: tuple, noise: Any) -> tuple:
    """Gives a memory after it was shown sentences with their translations.

    Args:
        model: What `models.memory_translator.translator` returned, with a memory.
        pairs: "source", "before" and "target", as the model takes them.
        state: Keys, values and ages.
        noise: float32 (slots,).

    Returns:
        Keys, values and ages.
    """
    query = memory_translator.queries(model)({name: pairs[name] for name in ("source", "before")})
    return memory_state.remembered(
        *state, tf.reshape(query, (-1, query.shape[-1])), tf.reshape(pairs["target"], (-1,)), noise
    )


def read(model: keras.Model, pairs: Mapping[str, np.ndarray], batch_size: int = 32) -> None:
    """Has the model remember translations, without changing a weight.

    Args:
        model: What `models.memory_translator.translator` returned, with a memory.
        pairs: "source", "before" and "target", as the model takes them.
        batch_size: Pairs that are remembered at once.
    """
    memory, queries = memory_translator.memory_of(model), memory_translator.queries(model)
    inputs = {name: pairs[name] for name in ("source", "before")}
    found = queries.predict(inputs, batch_size=batch_size, verbose=0)
    for start in range(0, len(found), batch_size):
        part = slice(start, start + batch_size)
        memory.update(found[part], pairs["target"][part])
