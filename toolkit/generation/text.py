"""Text from a language model, the same graph in Keras, SavedModel and TFLite."""

from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from toolkit.generation import loop
from toolkit.generation.drawing import below_one, draw_token, token_nats
from toolkit.models import text_rnn


class Generator:
    """Draws tokens from a language model, one by one, each from all those before it.

    Args:
        model: What `models.text_rnn.language_model` returned.
        top_k: Draw from the k most probable tokens only; 0: from all.
        excluded: Tokens never drawn, such as the unknown one.

    Raises:
        ValueError: Where `top_k` is out of range.

    Example:

    >>> from toolkit import models
    >>> network = models.text_rnn.language_model(["<unk>", "a", "b"], units=8)
    >>> written = Generator(network, excluded=[0]).generate([[1, 2]], [2], length=[5], temperature=[1.0], num_steps=9)
    >>> written["tokens"].shape, int(written["length"][0])
    (TensorShape([1, 9]), 5)

    Reference: Graves 2013, arXiv 1308.0850, section 3.2.
    """

    def __init__(self, model: keras.Model, top_k: int = 0, excluded: tuple[int, ...] = ()) -> None:
        self.model = model
        self.stream = text_rnn.streaming(model)
        self.state_sizes = text_rnn.state_sizes(model)
        self.num_tokens = model.output_shape[-1]
        if not 0 <= top_k <= self.num_tokens:
            raise ValueError(f"top_k must be between 0 and the vocabulary's {self.num_tokens} tokens; got {top_k}.")
        self.top_k = top_k
        self.excluded = tuple(excluded)
        self._function = self._nats = None

    def initial_state(self, batch_size: int | tf.Tensor) -> dict[str, tf.Tensor]:
        """States of zeros.

        Args:
            batch_size: Texts written at once, a number or a scalar tensor.
        """
        return {name: tf.zeros((batch_size, size)) for name, size in self.state_sizes.items()}

    def step(self, token: tf.Tensor, state: dict[str, tf.Tensor]) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Reads one token.

        Args:
            token: (batch,), numbers in the vocabulary; 0 before the first.
            state: As `initial_state` makes it.

        Returns:
            The logits of the next token (batch, vocabulary), and the next state.
        """
        outputs = self.stream({"tokens": token[:, None], **state})
        state = {name: tf.cast(outputs[name], tf.float32) for name in state}
        return outputs["logits"][:, 0], state

    def along(self, tokens: ArrayLike) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
        """Leads the network along a real text.

        Args:
            tokens: (tokens,), numbers in the vocabulary.

        Yields:
            What `step` takes at each place: the token before it (1,), 0 at first, and the states by name.
        """
        return loop.along(self.step, np.zeros(1, "int32"), self.initial_state(1), np.asarray(tokens, "int32"))

    def generate(
        self,
        prompt: ArrayLike,
        prompt_length: ArrayLike,
        length: ArrayLike,
        temperature: ArrayLike,
        *,
        num_steps: int,
        noise: ArrayLike | None = None,
    ) -> dict[str, tf.Tensor]:
        """Carries on a prompt.

        Args:
            prompt: (batch, tokens), numbers in the vocabulary, anything after the end.
            prompt_length: (batch,), tokens of each prompt, 0 for none.
            length: (batch,), tokens to write, at most `num_steps`: more are not written.
            temperature: (batch,), 0 to write the most probable token each time, 1 to write as the model expects.
            num_steps: Most tokens in a text.
            noise: (batch, num_steps), uniform in [0, 1), for a result that can be repeated; fresh noise without it.

        Returns:
            {"tokens": (batch, num_steps), zeros after the end, without the prompt; "length": (batch,)}.
        """
        prompt, prompt_length, length = (tf.cast(each, tf.int32) for each in (prompt, prompt_length, length))
        temperature = tf.cast(temperature, tf.float32)
        batch_size = prompt.shape[0] or tf.shape(prompt)[0]
        written = loop.generate(
            self.step,
            tf.zeros((batch_size,), tf.int32),
            self.initial_state(batch_size),
            num_steps=num_steps,
            draw=lambda logits, here: draw_token(logits, here, temperature, self.top_k, self.excluded),
            noise=noise,
            given=prompt,
            given_length=prompt_length,
            length=length,
        )
        return {"tokens": written.values, "length": written.length}

    def score(self, tokens: ArrayLike, length: ArrayLike) -> dict[str, tf.Tensor]:
        """What real text takes, by the same step that writes.

        Args:
            tokens: (batch, tokens), anything after the end.
            length: (batch,), tokens of each text, at most as many as there are.

        Returns:
            {"nats": (batch,)}, -log p of each whole text.

        Example:

        >>> from toolkit import models
        >>> network = models.text_rnn.language_model(["<unk>", "a", "b"], units=8)
        >>> Generator(network).score(tf.ones((2, 5), tf.int32), tf.constant([5, 3]))["nats"].shape
        TensorShape([2])
        """
        tokens = tf.cast(tokens, tf.int32)
        batch_size = tokens.shape[0] or tf.shape(tokens)[0]
        first, state = tf.zeros((batch_size,), tf.int32), self.initial_state(batch_size)
        return {"nats": loop.score(self.step, first, state, tokens, length, token_nats)}

    def nats(self, tokens: ArrayLike) -> np.ndarray:
        """What each token of a passage takes, read from a state of zeros on.

        Args:
            tokens: (tokens,), numbers in the vocabulary, at least one.

        Returns:
            float32 (tokens,), -log p of each, given those before it.

        Example:

        >>> from toolkit import models
        >>> network = models.text_rnn.language_model(["<unk>", "a", "b"], units=8)
        >>> generator = Generator(network)
        >>> each, whole = generator.nats([1, 2, 2]), generator.score([[1, 2, 2]], [3])["nats"]
        >>> each.shape, bool(abs(each.sum() - whole[0]) < 1e-4)
        ((3,), True)
        """
        if self._nats is None:

            def nats(tokens):
                read = tf.pad(tokens[:, :-1], [[0, 0], [1, 0]])
                logits = tf.cast(self.stream({"tokens": read, **self.initial_state(1)})["logits"], tf.float32)
                return tf.nn.sparse_softmax_cross_entropy_with_logits(tokens, logits)[0]

            self._nats = tf.function(nats, input_signature=[tf.TensorSpec([1, None], tf.int32)], autograph=False)
        return self._nats(tf.constant(np.asarray(tokens, "int32")[None])).numpy()

    def write(
        self, prompt: ArrayLike, num_tokens: int, *, num_texts: int = 1, temperature: ArrayLike = 1.0, seed: int = 0
    ) -> np.ndarray:
        """Carries a prompt on several times; the same seed writes the same texts.

        Args:
            prompt: (tokens,), numbers in the vocabulary; may be empty.
            num_tokens: Tokens to write.
            num_texts: Texts to write.
            temperature: For all texts, or for each.
            seed: Seed of the noise.

        Returns:
            int32 (num_texts, num_tokens).

        Raises:
            ValueError: Where a number is out of range.
        """
        if num_tokens < 1 or num_texts < 1 or not np.min(temperature) >= 0:
            raise ValueError(
                "num_tokens and num_texts must be at least 1 and temperature at least 0; got "
                f"{num_tokens}, {num_texts} and {temperature}."
            )
        if self._function is None:
            self._function = tf.function(
                lambda prompt, ends, temperature, noise: self.generate(
                    prompt,
                    ends,
                    tf.fill(tf.shape(ends), noise.shape[1]),
                    temperature,
                    num_steps=noise.shape[1],
                    noise=noise,
                )["tokens"],
                autograph=False,
            )
        prompt = np.asarray(prompt, "int32").reshape(-1)
        noise = below_one(np.random.default_rng(seed).uniform(size=(num_texts, num_tokens)))
        prompts = np.tile(prompt, (num_texts, 1))
        ends = np.full(num_texts, len(prompt), "int32")
        temperatures = np.broadcast_to(np.asarray(temperature, "float32"), (num_texts,))
        return self._function(*map(tf.constant, (prompts, ends, temperatures, noise))).numpy()
