"""Graves' text networks: the next character, byte or word, from all those before it (arXiv 1308.0850, section 3)."""

from collections.abc import Sequence

import keras

from toolkit.layers.carried_state import CarriedState
from toolkit.layers.clipped_lstm import ClippedLSTM
from toolkit.layers.sampled_softmax import SampledSoftmax
from toolkit.layers.token_lstm import TokenLSTM
from toolkit.layers.vocabulary import Vocabulary
from toolkit.models.weight_noise import noisy


def language_model(
    tokens: Sequence[str],
    level: str = "char",
    units: int = 1000,
    num_layers: int = 1,
    embedding_size: int = 0,
    skip_connections: bool = True,
    lstm_gradient_clip: float | None = None,
    peepholes: bool = False,
    fused: bool = False,
    num_sampled: int = 0,
    recurrent_dropout: float = 0.0,
) -> keras.Model:
    """Builds a network that gives the logits of each token's successor.

    h1_t = LSTM(x_t); hn_t = LSTM([x_t, h(n-1)_t]); logits_t = [h1_t ... hN_t] · kernel + bias.

    Args:
        tokens: The vocabulary, kept in the layer "vocabulary".
        level: What a token is: "char", "byte" or "word".
        units: LSTM cells in each layer (paper: 1000 in one layer for Penn Treebank; 700 in seven for Wikipedia).
        num_layers: LSTM layers.
        embedding_size: Size of a token's embedding; 0: one-hot, as in the paper, computed as a lookup of rows of the
            LSTMs' kernels.
        skip_connections: Whether x goes to every layer, and every layer to the output (paper: they do); without them,
            a layer sees only the one below.
        lstm_gradient_clip: Limit of the derivatives inside the LSTMs (paper: 1, for nats a sequence).
        peepholes: Whether the LSTMs' gates see their cell states (paper: they do).
        fused: Use `keras.layers.LSTM`, which has a fused kernel on a GPU; it needs `embedding_size`, and can neither
            clip inside it nor have peepholes or this recurrent dropout.
        num_sampled: Of a `SampledSoftmax`; 0: the exact one.
        recurrent_dropout: Share of the LSTMs' candidates that a step of training does without, as in `ClippedLSTM`.

    Returns:
        A model from tokens (batch, time), numbers in the vocabulary, to logits (batch, time, len(tokens)) of the token
        after each. `streaming` makes its states inputs and outputs.

    Raises:
        ValueError: Where `num_layers` is less than 1, or `fused` cannot be.

    Example:

    >>> model = language_model(["<unk>", "a", "b"], units=8, num_layers=2)
    >>> model.output_shape, model.count_params()  # 4 8 (3 + 8 + 1) + 4 8 (3 + 8 + 8 + 1) + (16 + 1) 3
    ((None, None, 3), 1075)

    Reference: Graves 2013, arXiv 1308.0850, sections 2 and 3; Semeniuta et al. 2016, arXiv 1603.05118 (the dropout).
    """
    if num_layers < 1:
        raise ValueError(f"num_layers must be at least 1; got {num_layers}.")
    if fused and (peepholes or recurrent_dropout or lstm_gradient_clip is not None or not embedding_size):
        raise ValueError(
            "fused=True needs embedding_size, and can neither clip inside the LSTMs nor have peepholes or recurrent "
            "dropout: leave lstm_gradient_clip, peepholes and recurrent_dropout out."
        )
    inputs = keras.Input((None,), dtype="int32", name="tokens")
    x = Vocabulary(tokens, level, name="vocabulary")(inputs)
    if embedding_size:
        x = keras.layers.Embedding(len(tokens), embedding_size, name="embedding")(x)
    how = {"return_sequences": True, "return_state": True}
    if not fused:
        how |= {"gradient_clip": lstm_gradient_clip, "peepholes": peepholes, "recurrent_dropout": recurrent_dropout}
    hidden = []
    for number in range(1, num_layers + 1):
        name = f"lstm_{number}"
        reads_x = number == 1 or skip_connections
        if reads_x and not embedding_size:
            layer = TokenLSTM(len(tokens), units, name=name, **how)
        else:
            layer = (keras.layers.LSTM if fused else ClippedLSTM)(units, name=name, **how)
        hidden.append(layer(*_reads(layer, x, hidden, reads_x))[0])
    head = SampledSoftmax(len(tokens), num_sampled, name="softmax")
    logits = head(_features(hidden, skip_connections))
    return keras.Model(inputs, logits, name="language_model")


def streaming(model: keras.Model, *, scored: bool = False, dropout: float = 0.0) -> keras.Model:
    """Builds a language model with its states as inputs and outputs, on the same weights.

    Args:
        model: What `language_model` returned, or the same loaded from a file.
        scored: Whether to give each target's nats instead of all logits.
        dropout: Share of each LSTM's outputs that the layers above and the softmax do not see in training, drawn anew
            for each token; what the LSTM itself carries on is whole.

    Returns:
        A model from a dictionary to a dictionary. Inputs: "tokens" (batch, time); the states "hidden_1", "cell_1", ...
        (batch, units), zeros at first; and, `scored`, "targets" (batch, time), below 0 at padding. Outputs: "logits"
        (batch, time, len(tokens)) or, `scored`, "nats" (batch, time); and the states after the last token, by the
        names that they had before it.

    Example:

    >>> stream = streaming(language_model(["<unk>", "a", "b"], units=8))
    >>> sorted(stream.input), sorted(stream.output)
    (['cell_1', 'hidden_1', 'tokens'], ['cell_1', 'hidden_1', 'logits'])

    Reference: Graves 2013, arXiv 1308.0850, section 3.2; Zaremba et al. 2014, arXiv 1409.2329 (the dropout).
    """
    names = {layer.name for layer in model.layers}
    inputs, outputs, hidden, number = {"tokens": keras.Input((None,), dtype="int32", name="tokens")}, {}, [], 1
    x = model.get_layer("vocabulary")(inputs["tokens"])
    if "embedding" in names:
        x = model.get_layer("embedding")(x)
    skips = _has_skips(model)
    while f"lstm_{number}" in names:
        layer = model.get_layer(f"lstm_{number}")
        states = [f"hidden_{number}", f"cell_{number}"]
        inputs |= {name: keras.Input((layer.units,), name=name) for name in states}
        reads = _reads(layer, x, hidden, number == 1 or skips)
        output, *after = layer(*reads, initial_state=[inputs[name] for name in states])
        outputs |= dict(zip(states, after, strict=True))
        hidden.append(keras.layers.Dropout(dropout, name=f"dropout_{number}")(output) if dropout else output)
        number += 1
    features = _features(hidden, skips)
    if scored:
        inputs["targets"] = keras.Input((None,), dtype="int32", name="targets")
        outputs["nats"] = model.get_layer("softmax")(features, inputs["targets"])
    else:
        outputs["logits"] = model.get_layer("softmax")(features)
    return keras.Model(inputs, outputs, name=f"{model.name}_streaming")


def stateful(
    model: keras.Model,
    batch_size: int,
    weight_noise: float = 0.0,
    adaptive_weight_noise: bool = False,
    num_sequences: int = 1,
    dropout: float = 0.0,
    drop_connect: float = 0.0,
) -> keras.Model:
    """Wraps a language model for streams: it returns each target's -log p and keeps its states between batches.

    Args:
        model: What `language_model` returned.
        batch_size: Number of streams.
        weight_noise: Standard deviation of the noise on the weights in training; 0: none.
        adaptive_weight_noise: Learn each weight's noise.
        num_sequences: Sequences of an epoch, over which the weights' description length is divided.
        dropout: As in `streaming`.
        drop_connect: Share of the recurrent weights that a batch in training does without.

    Returns:
        A model from {"tokens": (batch, time), "targets": (batch, time), below 0 at padding; "continues": (batch,), 0
        where a state begins anew} to nats (batch, time), on the same weights.

    Raises:
        ValueError: Where both kinds of noise are asked for.

    Example:

    >>> model = stateful(language_model(["<unk>", "a", "b"], units=8), batch_size=4)
    >>> model.output_shape, sorted(model.input)
    ((4, None), ['continues', 'targets', 'tokens'])

    Reference: Graves 2013, arXiv 1308.0850, section 3.
    """
    stream = noisy(
        streaming(model, scored=True, dropout=dropout),
        weight_noise=weight_noise,
        adaptive=adaptive_weight_noise,
        scale=1.0 / num_sequences,
        drop_connect=drop_connect,
    )
    inputs = {
        name: keras.Input((None,), batch_size=batch_size, dtype="int32", name=name) for name in ("tokens", "targets")
    }
    inputs["continues"] = keras.Input((), batch_size=batch_size, name="continues")
    carried = CarriedState(stream, state_sizes(model), batch_size, name="carried")
    return keras.Model(inputs, carried(inputs), name="stateful")


def state_sizes(model: keras.Model) -> dict[str, int]:
    """Returns the names and sizes of a language model's states.

    Args:
        model: What `language_model` returned.

    Returns:
        "hidden_1", "cell_1", ... and the number of cells of each.

    Example:

    >>> state_sizes(language_model(["<unk>", "a", "b"], units=8))
    {'hidden_1': 8, 'cell_1': 8}
    """
    layers = [layer for layer in model.layers if layer.name.startswith("lstm_")]
    return {name: layer.units for n, layer in enumerate(layers, 1) for name in (f"hidden_{n}", f"cell_{n}")}


def _reads(layer, x, hidden, reads_x):
    """What a layer is called with."""
    below = hidden[-1:]
    if not reads_x:
        return below
    if isinstance(layer, TokenLSTM):
        return [x, *below]
    return [keras.layers.Concatenate()([x, *below]) if below else x]


def _features(hidden, skips):
    if len(hidden) == 1 or not skips:
        return hidden[-1]
    return keras.layers.Concatenate(name="features")(hidden)


def _has_skips(model):
    return any(layer.name == "features" for layer in model.layers)
