"""A translator with attention and a memory of what words become: the recurrent case of a memory for rare events."""

from collections.abc import Callable, Mapping
from typing import Any

import keras
from keras import ops

from toolkit.layers.memory import Memory


def translator(
    num_source: int,
    num_target: int,
    units: int = 128,
    embedding_size: int = 64,
    memory: Mapping[str, Any] | None = None,
) -> keras.Model:
    """Builds a network that gives the logits of each next word of a translation.

    A bidirectional GRU reads the sentence; a GRU reads the translation so far, attends to the sentence, and what it
    attends to is the memory's query, whose value is the next word. The logit of the word that is recalled is raised by
    a number that the network computes of its state and the memory's confidence.

    Args:
        num_source: Words of the sentences' language, 0 being padding.
        num_target: Words of the translations' language.
        units: GRU cells, those of both directions together.
        embedding_size: Numbers of a word.
        memory: Arguments of `layers.Memory`; None: no memory.

    Returns:
        A model from "source", int32 (batch, words), "before", (batch, target words), what stands before each word of
        the translation, and "target", the words themselves, -1 where there is none, to float32 logits (batch, target
        words, num_target). The memory learns and writes by "target" in training; logits do not depend on it.

    Example:

    >>> model = translator(20, 30, units=8, memory={"memory_size": 50, "key_size": 4})
    >>> model.output_shape, [layer.name for layer in model.layers if isinstance(layer, Memory)]
    ((None, None, 30), ['memory'])

    Reference: Kaiser et al. 2017, arXiv 1703.03129, section 3 (sequence to sequence); Luong et al. 2015, arXiv
    1508.04025, section 3.1, for the attention.
    """
    source, before, target = (keras.Input((None,), dtype="int32", name=name) for name in ("source", "before", "target"))
    # Words of length 1, about: what was hardly trained on is told from other words by where it began.
    words = keras.initializers.RandomNormal(stddev=embedding_size**-0.5)
    first, context = _encoded(
        source,
        keras.layers.Embedding(num_source, embedding_size, words, name="source_words"),
        keras.layers.Bidirectional(keras.layers.GRU(units // 2, return_sequences=True), name="encoder"),
        keras.layers.Dense(units, name="attention_keys"),
        keras.layers.Dense(units, "tanh", name="first_state"),
    )
    said = keras.layers.Embedding(num_target, embedding_size, words, name="target_words")(before)
    decoder = keras.layers.GRU(units, return_sequences=True, name="decoder")(said, initial_state=first)
    context = _attended(decoder, *context)
    features = keras.layers.Dense(units, "tanh", name="features")(ops.concatenate([decoder, context], axis=-1))
    logits = keras.layers.Dense(num_target, dtype="float32", name="logits")(features)
    if memory is not None:
        query = keras.layers.Dense(memory["key_size"], name="query")(context)
        found = Memory(**memory, num_classes=num_target, name="memory")(query, target)
        trust = keras.layers.Dense(1, dtype="float32", name="trust")
        logits = _raised(logits, features, found, trust)
    return keras.Model({"source": source, "before": before, "target": target}, logits, name="translator")


def memory_of(model: keras.Model) -> Memory | None:
    """Gives a translator's memory.

    Args:
        model: What `translator` returned.

    Returns:
        The layer; None where it has none.
    """
    return next((layer for layer in model.layers if isinstance(layer, Memory)), None)


def queries(model: keras.Model) -> keras.Model:
    """Builds the part that gives the memory's queries, on the same weights.

    Args:
        model: What `translator` returned, with a memory.

    Returns:
        A model from {"source", "before"} to (batch, target words, key_size).
    """
    inputs = {name: model.input[name] for name in ("source", "before")}
    return keras.Model(inputs, model.get_layer("query").output)


def encoded(model: keras.Model, source: Any) -> tuple[Any, tuple]:
    """Reads sentences.

    Args:
        model: What `translator` returned.
        source: int32 (batch, words).

    Returns:
        The decoder's first state, and what each of its steps is given.
    """
    return _encoded(source, *map(model.get_layer, ("source_words", "encoder", "attention_keys", "first_state")))


def step(
    model: keras.Model,
    recalled: Callable[[Any], Mapping[str, Any]] | None,
    word: Any,
    state: Any,
    annotations: Any,
    attention_keys: Any,
    there: Any,
) -> tuple[Any, Any]:
    """Gives the logits of the next word, as the whole network does.

    Args:
        model: What `translator` returned.
        recalled: From queries (batch, key_size) to "value" and "confidence" (batch,); None without a memory.
        word: The word before, int32 (batch,).
        state: The decoder's, (batch, units).
        annotations: What `encoded` returned.
        attention_keys: Likewise.
        there: Likewise.

    Returns:
        Logits (batch, num_target) and the state after the word.
    """
    state, _ = model.get_layer("decoder").cell(model.get_layer("target_words")(word), [state])
    context = _attended(state[:, None], annotations, attention_keys, there)[:, 0]
    features = model.get_layer("features")(ops.concatenate([state, context], axis=-1))
    logits = model.get_layer("logits")(features)
    if recalled is not None:
        logits = _raised(logits, features, recalled(model.get_layer("query")(context)), model.get_layer("trust"))
    return logits, state


def _encoded(source, source_words, encoder, attention_keys, first_state):
    """What `encoded` returns, by these layers."""
    embedded, there = source_words(source), ops.not_equal(source, 0)
    hidden = encoder(embedded, mask=there)
    annotations = ops.concatenate([hidden, embedded], axis=-1)
    return first_state(hidden[:, 0]), (annotations, attention_keys(annotations), there)


def _attended(decoder, annotations, attention_keys, there):
    """What each step of the decoder attends to, (batch, target words, channels)."""
    # Without the scale (Vaswani et al. 2017) the attention to a kind of word is lost again and again.
    scores = ops.matmul(decoder, ops.transpose(attention_keys, (0, 2, 1))) * decoder.shape[-1] ** -0.5
    weights = ops.softmax(ops.where(there[:, None], ops.cast(scores, "float32"), -1e9), axis=-1)
    return ops.matmul(ops.cast(weights, annotations.dtype), annotations)


def _raised(logits, features, found, trust):
    """The logits, that of the recalled word raised."""
    confidence = ops.cast(found["confidence"][..., None], features.dtype)
    raised = trust(ops.concatenate([features, confidence], axis=-1))
    return logits + raised * ops.one_hot(found["value"], logits.shape[-1], dtype="float32")
