"""Text from a language model: one while loop, the same graph in Keras, SavedModel and TFLite."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

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

    def __init__(self, model, top_k: int = 0, excluded: tuple[int, ...] = ()) -> None:
        self.model = model
        self.stream = text_rnn.streaming(model)
        self.state_sizes = text_rnn.state_sizes(model)
        self.num_tokens = model.output_shape[-1]
        if not 0 <= top_k <= self.num_tokens:
            raise ValueError(f"top_k must be between 0 and the vocabulary's {self.num_tokens} tokens; got {top_k}.")
        self.top_k = top_k
        self.excluded = tuple(excluded)
        self._function = self._nats = None

    def initial_state(self, batch_size) -> dict:
        """States of zeros.

        Args:
            batch_size: Texts written at once, a number or a scalar tensor.
        """
        return {name: tf.zeros((batch_size, size)) for name, size in self.state_sizes.items()}

    def step(self, token, state):
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

    def along(self, tokens) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
        """Leads the network along a real text.

        Args:
            tokens: (tokens,), numbers in the vocabulary.

        Yields:
            What `step` takes at each place: the token before it (1,), 0 at first, and the states by name.
        """
        advance = tf.function(lambda token, state: self.step(token, state)[1], autograph=False)
        token, state = np.zeros(1, "int32"), self.initial_state(1)
        for following in np.asarray(tokens, "int32"):
            yield token, {name: np.asarray(value) for name, value in state.items()}
            state, token = advance(tf.constant(token), state), following[None]

    def draw(self, logits, temperature, noise):
        """Draws tokens by inverting the cumulative distribution.

        Args:
            logits: (batch, vocabulary).
            temperature: (batch,): the logits are divided by it; 0 gives the most probable token.
            noise: (batch,), uniform in [0, 1).

        Returns:
            (batch,), int32.
        """
        if self.excluded:
            banned = np.zeros(self.num_tokens, "float32")
            banned[list(self.excluded)] = -1e9
            logits = logits + banned
        logits = logits - tf.reduce_max(logits, axis=-1, keepdims=True)
        if self.top_k:
            least = tf.math.top_k(logits, self.top_k).values[:, -1:]
            logits = tf.where(logits < least, -1e9, logits)
        shares = tf.cumsum(tf.nn.softmax(logits / tf.maximum(temperature, 1e-4)[:, None]), axis=-1)
        below = tf.cast(shares <= noise[:, None] * shares[:, -1:], tf.int32)
        return tf.minimum(tf.reduce_sum(below, axis=-1), self.num_tokens - 1)

    def generate(self, prompt, prompt_length, length, temperature, *, num_steps: int, noise=None):
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
        prompt, prompt_length = tf.cast(prompt, tf.int32), tf.cast(prompt_length, tf.int32)
        temperature = tf.cast(temperature, tf.float32)
        length = tf.minimum(tf.cast(length, tf.int32), num_steps)
        rows, batch_size = prompt.shape[0], prompt.shape[0] or tf.shape(prompt)[0]
        most = prompt.shape[1]

        def keep_on(t, token, state, tokens):
            return t < tf.reduce_max(prompt_length + length)

        def write_token(t, token, state, tokens):
            logits, state = self.step(token, state)
            place = t - prompt_length  # of the token to be written, by row
            if noise is None:
                # Stateful random ops: the stateless ones of keras.random have no TFLite counterpart.
                here = tf.random.uniform((batch_size,))
            else:
                within = tf.one_hot(place, num_steps, dtype=tf.float32)
                here = tf.reduce_sum(tf.where(within > 0, noise, 0.0), axis=1)
            drawn = self.draw(logits, temperature, here)
            if most:
                given = prompt[:, tf.minimum(t, most - 1)]
                token = tf.where(place < 0, given, drawn)
            else:
                token = drawn
            return t + 1, token, state, tokens.write(t, token)

        # A row's text ends at its prompt's and its own length; what is after is not returned.
        start = (
            tf.constant(0),
            tf.zeros((batch_size,), tf.int32),
            self.initial_state(batch_size),
            tf.TensorArray(tf.int32, most + num_steps, element_shape=(rows,)),
        )
        *_, tokens = tf.while_loop(keep_on, write_token, start)
        places = tf.range(num_steps)[None]
        written = tf.transpose(tokens.stack())
        taken = tf.gather(written, prompt_length[:, None] + places, axis=1, batch_dims=1)
        return {"tokens": tf.where(places < length[:, None], taken, 0), "length": length}

    def score(self, tokens, length):
        """What real text takes, by the same step that writes.

        Args:
            tokens: (batch, tokens), anything after the end.
            length: (batch,), tokens of each text.

        Returns:
            {"nats": (batch,)}, -log p of each whole text.

        Example:

        >>> from toolkit import models
        >>> network = models.text_rnn.language_model(["<unk>", "a", "b"], units=8)
        >>> Generator(network).score(tf.ones((2, 5), tf.int32), tf.constant([5, 3]))["nats"].shape
        TensorShape([2])
        """
        tokens = tf.cast(tokens, tf.int32)
        rows = tokens.shape[0] or tf.shape(tokens)[0]

        def keep_on(t, token, state, nats):
            return t < tf.reduce_max(length)

        def add_token(t, token, state, nats):
            logits, state = self.step(token, state)
            token = tokens[:, t]
            chosen = tf.reduce_sum(tf.one_hot(token, self.num_tokens) * logits, axis=-1)
            more = tf.reduce_logsumexp(logits, axis=-1) - chosen
            return t + 1, token, state, nats + tf.where(t < length, more, 0.0)

        start = (tf.constant(0), tf.zeros((rows,), tf.int32), self.initial_state(rows), tf.zeros((rows,)))
        return {"nats": tf.while_loop(keep_on, add_token, start)[-1]}

    def nats(self, tokens) -> np.ndarray:
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

    def write(self, prompt: np.ndarray, num_tokens: int, *, num_texts: int = 1, temperature=1.0, seed: int = 0):
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
        if num_tokens < 1 or num_texts < 1 or np.min(temperature) < 0:
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
        noise = np.random.default_rng(seed).uniform(size=(num_texts, num_tokens)).astype("float32")
        prompts = np.tile(prompt, (num_texts, 1))
        ends = np.full(num_texts, len(prompt), "int32")
        temperatures = np.broadcast_to(np.asarray(temperature, "float32"), (num_texts,))
        return self._function(*map(tf.constant, (prompts, ends, temperatures, np.minimum(noise, 1 - 2**-24)))).numpy()
