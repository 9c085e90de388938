"""A language model for programs: it carries texts on, steps and scores, and its export is written with."""

import math
import os
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from toolkit import data, generation
from toolkit.export import inspection, interpreter, signature
from toolkit.lazy import tensorflow as tf
from toolkit.serving.served import Served

_LARGEST = 1 - 2**-24  # the float32 below 1
_CODES = {"char": "Unicode code points", "byte": "bytes", "word": "numbers in the card's vocabulary"}


def language_model(
    model: Any,
    *,
    train: np.ndarray,
    test: np.ndarray,
    vocabulary: Any = None,
    max_prompt: int = 200,
    max_length: int = 1000,
    top_k: int = 0,
    seed: int = 0,
) -> Served:
    """What a language model offers a program: generate, generate_from_noise, step and score.

    Texts go in and come out as code points, bytes or, of words, numbers in the card's vocabulary; `TextWriter` writes
    with what is exported. Files are measured by the bits a token of 20 passages of the test text.

    Args:
        model: What `models.text_rnn.language_model` returned, trained.
        train: Token numbers (tokens,) that int8's ranges are measured on.
        test: Token numbers (tokens,) that files are compared and measured on.
        vocabulary: A `data.text.Vocabulary`; None: the one that the model holds.
        max_prompt: Longest prompt, in tokens.
        max_length: Longest text, in tokens.
        top_k: Draw from the k most probable tokens; 0: from all.
        seed: Of the noise in the examples.

    Returns:
        A `Served` whose card has the vocabulary.

    Example:

    >>> from toolkit import models
    >>> network = models.text_rnn.language_model(["<unk>", "a", "b"], units=4)
    >>> served = language_model(network, train=np.ones(99, "int32"), test=np.ones(20, "int32"), max_length=9)
    >>> sorted(served.signatures), served.card["vocabulary"]["tokens"]
    (['generate', 'generate_from_noise', 'score', 'step'], ['<unk>', 'a', 'b'])

    Reference: Graves 2013, arXiv 1308.0850, section 3.
    """
    vocabulary = vocabulary or data.text.Vocabulary.of_network(model)
    generator = generation.text.Generator(model, top_k, vocabulary.excluded)
    length = min(500, len(test))

    def measure(call):
        nats = [call("score", **each)["nats"][0] / length for each in _passages(vocabulary, test, 20, length)]
        return {f"bits_per_{vocabulary.unit}": float(np.mean(nats) / math.log(2))}

    asked = _asked(vocabulary, test[: min(20, max_prompt)], max_prompt, min(300, max_length), temperature=0.8)
    noise = np.minimum(np.random.default_rng(seed).uniform(size=(1, max_length)), _LARGEST).astype("float32")
    writing = {"generate": asked, "generate_from_noise": {**asked, "noise": noise}}

    def typical():
        for each in _passages(vocabulary, train, 12, length):
            yield {"score": each, **writing}
            for token, state in generator.along(vocabulary.from_codes(each["tokens"][0])[:60]):
                yield {"step": {"token": vocabulary.to_codes(token), **state}}

    first = {name: np.zeros((1, size), "float32") for name, size in generator.state_sizes.items()}
    return Served(
        signatures=_signatures(generator, vocabulary, max_prompt, max_length, length),
        trackables=(model,),
        examples={
            **writing,
            "step": {"token": vocabulary.to_codes(test[:1]), **first},
            "score": next(_passages(vocabulary, test, 1, length)),
        },
        calibrate=typical,
        measure=measure,
        card={"vocabulary": vocabulary.as_dict()},
    )


def _passages(vocabulary, tokens, count, length) -> Iterator[Mapping[str, np.ndarray]]:
    """Evenly spaced stretches of a text, as "score" takes them."""
    for start in np.linspace(0, len(tokens) - length, count).astype(int):
        codes = vocabulary.to_codes(tokens[start : start + length])
        yield {"tokens": codes[None], "length": np.array([length], "int32")}


def _asked(vocabulary, prompt, max_prompt, length, temperature):
    codes = vocabulary.to_codes(prompt)
    return {
        "prompt": np.pad(codes, (0, max_prompt - len(codes)))[None],
        "prompt_length": np.array([len(codes)], "int32"),
        "length": np.array([length], "int32"),
        "temperature": np.array([temperature], "float32"),
    }


def _signatures(generator, vocabulary, max_prompt, max_length, passage):
    is_char, codes = vocabulary.level == "char", vocabulary.to_codes(range(len(vocabulary.tokens)))
    what = _CODES[vocabulary.level]

    def numbers(given):
        """Numbers in the vocabulary of what a program gives, whatever that is: what is not in it is unknown."""
        if vocabulary.level == "byte":
            return tf.clip_by_value(given, 0, len(codes) - 1)
        if vocabulary.level == "word":
            return tf.where((given >= 0) & (given < len(codes)), given, vocabulary.unknown_number)
        return tf.cast(tf.argmax(tf.cast(given[..., None] == codes, tf.int32), axis=-1), tf.int32)

    def generate(prompt, prompt_length, length, temperature, noise=None):
        asked = (numbers(prompt), prompt_length, length, temperature)
        written = generator.generate(*asked, num_steps=max_length, noise=noise)
        inside = tf.range(max_length)[None] < written["length"][:, None]
        tokens = tf.gather(codes, written["tokens"]) if is_char else written["tokens"]
        return {"text": tf.where(inside, tokens, 0), "length": written["length"]}

    def step(token, **state):
        logits, after = generator.step(numbers(token), state)
        return {"logits": logits, **{f"next_{name}": value for name, value in after.items()}}

    one = ((1,), "int32", "tokens")
    asked = {
        "prompt": ((1, max_prompt), "int32", f"{what}, anything after its end"),
        "prompt_length": one,
        "length": ((1,), "int32", f"tokens to write, at most {max_length}: more are not written"),
        "temperature": ((1,), "float32", "0 = the most probable, 1 = as the data"),
    }
    units = {"text": f"{what}, zeros after its end", "length": "tokens written"}
    noise = ((1, max_length), "float32", "uniform in [0, 1)")
    states = {name: ((1, size), "float32", "zeros at first") for name, size in generator.state_sizes.items()}
    token, logits = ((1,), "int32", f"{what}, 0 before the first"), {"logits": "log of shares, up to a constant"}
    tokens, nats = ((1, passage), "int32", asked["prompt"][-1]), {"nats": "-log of the text's probability"}
    return {
        "generate": signature(generate, **asked, outputs=units, random=True),
        "generate_from_noise": signature(generate, **asked, noise=noise, outputs=units),
        "step": signature(step, token=token, **states, outputs=logits),
        "score": signature(
            lambda tokens, length: generator.score(numbers(tokens), length), tokens=tokens, length=one, outputs=nats
        ),
    }


class TextWriter:
    """Writes with an exported language model, without TensorFlow.

    Args:
        folder: The export's.
        name: The file in it.
        num_threads: Threads of the interpreter.

    Attributes:
        vocabulary: The model's `data.text.Vocabulary`.
        max_prompt: Tokens of the longest prompt.
        max_length: Tokens of the longest text.

    Raises:
        FileNotFoundError: Where one of the two files is missing.
        ValueError: Where the folder does not hold a language model, or one of its files is damaged.
        OSError: Where the system refuses.
    """

    def __init__(self, folder: str | os.PathLike, name: str = "model.tflite", num_threads: int = 1) -> None:
        card = pathlib.Path(folder) / "card.json"
        self.path = card.with_name(name)
        signatures = inspection.inspect_tflite(self.path)["signatures"]
        try:
            inputs = signatures["generate_from_noise"]["inputs"]
            (_, self.max_prompt), (_, self.max_length) = (inputs[key]["shape"] for key in ("prompt", "noise"))
            size = signatures["step"]["outputs"]["logits"]["shape"][-1]
        except (KeyError, ValueError, IndexError) as error:
            found = ", ".join(signatures) or "none"
            raise ValueError(f"{self.path} is no language model's: its signatures are {found}.") from error
        self.vocabulary = data.text.Vocabulary.read(card)
        if len(self.vocabulary.tokens) != size:
            raise ValueError(
                f"{card} is of another model than {name}: its vocabulary has {len(self.vocabulary.tokens)} tokens, and "
                f"{name} writes {size}."
            )
        self._call: Callable = interpreter.tflite_caller(self.path, num_threads)

    def write(
        self, prompt: Sequence[int], num_tokens: int, *, num_texts: int = 1, temperature: float = 1.0, seed: int = 0
    ) -> np.ndarray:
        """Carries a prompt on several times; the same seed writes the same texts.

        Args:
            prompt: (tokens,), numbers in the vocabulary; may be empty.
            num_tokens: Tokens to write.
            num_texts: Texts to write.
            temperature: 0: the most probable token each time; 1: as the model expects.
            seed: Seed of the noise.

        Returns:
            int32 (num_texts, num_tokens), without the prompt.

        Raises:
            ValueError: Where the prompt or the text is longer than the file can, or a number is out of range.
        """
        if num_tokens < 1 or num_texts < 1 or not temperature >= 0:
            raise ValueError(
                "num_tokens and num_texts must be at least 1 and temperature at least 0; got "
                f"{num_tokens}, {num_texts} and {temperature}."
            )
        if num_tokens > self.max_length:
            raise ValueError(
                f"{num_tokens} tokens asked for: {self.path} writes at most {self.max_length}. Export it again with a "
                "larger --max_length, or let Keras write."
            )
        if len(prompt) > self.max_prompt:
            raise ValueError(
                f"The prompt has {len(prompt)} tokens: {self.path} takes at most {self.max_prompt}. Export it again "
                "with a larger --max_prompt."
            )
        noise = np.random.default_rng(seed).uniform(size=(num_texts, self.max_length)).astype("float32")
        asked, texts = _asked(self.vocabulary, prompt, self.max_prompt, num_tokens, temperature), []
        for row in np.minimum(noise, _LARGEST):
            codes = self._call("generate_from_noise", **asked, noise=row[None])["text"][0][:num_tokens]
            texts.append(self.vocabulary.from_codes(codes))
        return np.array(texts, "int32")
