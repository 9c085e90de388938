"""A translator with a memory for programs, which keep the memory and can teach it a word by one sentence."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from toolkit import generation
from toolkit.export import signature
from toolkit.lazy import tensorflow as tf
from toolkit.models import memory_translator
from toolkit.serving.served import Served

_CALIBRATED_WITH = 20  # pairs


def translator(
    model: Any,
    *,
    source: Any,
    target: Any,
    measured: Mapping[str, np.ndarray],
    typical: Mapping[str, np.ndarray],
    max_measured: int = 100,
) -> Served:
    """What a translator with a memory offers a program: `memory`, `translate` and `remember`.

    The memory's keys, values and ages go in and come out, so that it is the program's to keep: `memory` gives that
    which training left, or an empty one; `remember` gives the one after a sentence was shown with its translation.

    Args:
        model: What `models.memory_translator.translator` returned, trained, with a memory.
        source: The sentences' `data.text.Vocabulary`.
        target: The translations'.
        measured: "source" and "target" as the model takes them, on which files are compared and measured.
        typical: Likewise "source", "before" and "target", on which int8's ranges are measured.
        max_measured: Pairs on which each file is measured.

    Returns:
        A `Served` whose card has both vocabularies; its measure gives the percent of sentences and of words that are
        translated right.
    """
    source_words, target_words = source, target  # the signatures have sentences by these names
    start, end = (target.numbers[token] for token in ("<start>", "<end>"))
    memory = memory_translator.memory_of(model)
    size, length, said = memory.memory_size, measured["source"].shape[1], measured["target"].shape[1]
    trained = [np.asarray(each) for each in memory.state]

    def given(used):
        keys, values, ages = (tf.constant(each) for each in trained)
        there = used[0] > 0
        return {
            "keys": tf.where(there, keys, 0.0),
            "values": tf.where(there, values, -1),
            "ages": tf.where(there, ages, 0),
        }

    def known(numbers, vocabulary):
        there = (numbers >= 0) & (numbers < len(vocabulary.tokens))
        return tf.where(there, numbers, vocabulary.unknown_number)

    def translate(source, keys, values):
        found = generation.translation.translate(
            model, known(source, source_words), num_words=said, start=start, end=end, state=(keys, values)
        )
        return {"words": found.tokens[:, 0], "length": found.length[:, 0]}

    def remember(source, words, keys, values, ages):
        source, words = known(source, source_words), known(words, target_words)
        before = tf.concat([[[start]], words[:, :-1]], axis=1)
        pairs = {"source": source, "before": before, "target": tf.where(words == 0, -1, words)}
        after = generation.translation.remembered(model, pairs, (keys, values, ages), tf.zeros(size))
        return dict(zip(("keys", "values", "ages"), after, strict=True))

    def pair(pairs, row):
        return {"source": pairs["source"][row : row + 1], "words": np.maximum(pairs["target"][row : row + 1], 0)}

    def asked(pairs, row):
        return {"source": pairs["source"][row : row + 1], "keys": trained[0], "values": trained[1]}

    def measure(call):
        number, sentences, right, words = min(max_measured, len(measured["source"])), 0, 0, 0
        for row in range(number):
            found = call("translate", **asked(measured, row))["words"][0]
            expected = measured["target"][row]
            expected = expected[expected > end]
            found = np.pad(found, (0, len(expected)))[: max(len(expected), np.count_nonzero(found))]
            sentences += np.array_equal(found, expected)
            right, words = right + np.sum(found[: len(expected)] == expected), words + len(expected)
        return {
            "sentences_right_percent": 100.0 * sentences / number,
            "words_right_percent": 100.0 * right / words,
            "sentences": number,
        }

    def calibrate():
        for row in range(min(_CALIBRATED_WITH, len(typical["source"]))):
            memory_given = dict(zip(("keys", "values", "ages"), trained, strict=True))
            yield {
                "memory": {"used": np.ones(1, "int32")},
                "translate": asked(typical, row),
                "remember": pair(typical, row) | memory_given,
            }

    first = next(calibrate())
    arrays = {
        "keys": ((size, memory.key_size), "float32", "of length 1; zeros where a slot is empty"),
        "values": ((size,), "int32", "numbers of words; -1: the slot is empty"),
        "ages": ((size,), "int32", "sentences since the slot was last used"),
    }
    sentence = (
        (1, length),
        "int32",
        f"numbers of words in the card's vocabulary, {source.numbers['<end>']} last, then 0",
    )
    words = ((1, said), "int32", f"numbers of words, {end} last, then 0")
    units = {name: each[-1] for name, each in arrays.items()}
    return Served(
        signatures={
            "memory": signature(given, used=((1,), "int32", "1: what training left; 0: an empty one"), outputs=units),
            "translate": signature(
                translate,
                source=sentence,
                **{name: arrays[name] for name in ("keys", "values")},
                outputs={"words": "numbers of words, zeros after the last", "length": "words"},
            ),
            "remember": signature(remember, source=sentence, words=words, **arrays, outputs=units),
        },
        trackables=(model,),
        examples=first,
        calibrate=calibrate,
        measure=measure,
        card={"source_words": list(source.tokens), "target_words": list(target.tokens), "slots": size},
    )


def numbers(vocabulary: Sequence[str], text: str, length: int) -> np.ndarray:
    """Numbers the words of a sentence as the signatures take them.

    Args:
        vocabulary: The card's "source_words" or "target_words".
        text: Words between spaces.
        length: Of the signature's input.

    Returns:
        int32 (1, length).

    Raises:
        ValueError: Where a word is not in the vocabulary, or the sentence is longer than the input.
    """
    known = {word: number for number, word in enumerate(vocabulary)}
    words = [*text.split(), "<end>"]
    unknown = [word for word in words if word not in known]
    if unknown:
        raise ValueError(f"{text[:60]!r}: the network does not know {unknown[0]!r}.")
    if len(words) > length:
        raise ValueError(f"{text[:60]!r} has {len(words) - 1} words; at most {length - 1} are read.")
    return np.pad(np.array([known[word] for word in words], "int32"), (0, length - len(words)))[None]
