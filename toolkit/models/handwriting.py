"""Graves' handwriting networks: prediction of the next pen offset, and synthesis from text (arXiv 1308.0850)."""

from typing import NamedTuple

import keras
import numpy as np

from toolkit.layers.character_one_hot import CharacterOneHot
from toolkit.layers.clipped_lstm import ClippedLSTM
from toolkit.layers.gaussian_window import GaussianWindow
from toolkit.layers.gradient_clip import GradientClip
from toolkit.layers.mixture_density import MixtureDensity
from toolkit.layers.standardization import Standardization


def prediction(
    units: int = 400,
    num_layers: int = 3,
    num_mixtures: int = 20,
    lstm_gradient_clip: float | None = None,
    output_gradient_clip: float | None = None,
    peepholes: bool = False,
    fused: bool = False,
) -> keras.Model:
    """Builds a network that models each pen offset given those before it.

    h1_t = LSTM(x_{t-1}); hn_t = LSTM([x_{t-1}, h(n-1)_t]); output = [h1_t ... hN_t] · kernel + bias.

    Args:
        units: LSTM cells in each layer (paper: 400; or 900 in one layer).
        num_layers: LSTM layers (paper: 3).
        num_mixtures: Gaussians M (paper: 20).
        lstm_gradient_clip: Limit of the derivatives inside the LSTMs (paper: 10, for nats a sequence).
        output_gradient_clip: Limit of the derivatives at the output layer (paper: 100).
        peepholes: Whether the LSTMs' gates see their cell states (paper: they do).
        fused: Use `keras.layers.LSTM`, which has a fused kernel on a GPU but can neither clip inside
            it nor have peepholes.

    Returns:
        A model from "offsets" (batch, time, 3), in the data's unit, to raw parameters (batch, time, num_params) of
        `model.get_layer("density").distribution` over the same offsets, standardized. Output t sees the offsets before
        t only: the shift is inside. `model.get_layer("standardize").adapt(mean, scale)` before training.

    Raises:
        ValueError: Where `num_layers` is less than 1, or `fused` is to clip or to have peepholes.

    Example:

    >>> prediction(units=8, num_layers=2, num_mixtures=3).output_shape
    (None, None, 19)

    Reference: Graves 2013, arXiv 1308.0850, sections 2 and 4.
    """
    offsets = keras.Input((None, 3), name="offsets")
    inputs = _previous(offsets)
    hidden = []
    for number in range(1, _at_least_one(num_layers) + 1):
        lstm = _lstm(units, lstm_gradient_clip, peepholes, fused, name=f"lstm_{number}")
        hidden.append(lstm(_side_by_side([inputs, *hidden[-1:]], name=f"inputs_{number}")))
    return keras.Model(offsets, _density(hidden, num_mixtures, output_gradient_clip), name="handwriting_prediction")


def synthesis(
    alphabet: str,
    units: int = 400,
    num_layers: int = 3,
    num_mixtures: int = 20,
    num_gaussians: int = 10,
    points_per_character: float = 25.0,
    lstm_gradient_clip: float | None = None,
    output_gradient_clip: float | None = None,
    peepholes: bool = False,
    fused: bool = False,
) -> keras.Model:
    """Builds a network that models each pen offset given those before it and the text being written.

    The first layer is a `GaussianWindow` over the text; its window w_t feeds the layers above, and itself a step later.
    Only that first layer runs step by step: those above are LSTMs over the whole sequence.

    Args:
        alphabet: The characters that texts are made of.
        units: LSTM cells in each layer (paper: 400).
        num_layers: LSTM layers, the window's among them (paper: 3).
        num_mixtures: Gaussians M of the output (paper: 20).
        num_gaussians: Gaussians K of the window (paper: 10).
        points_per_character: Mean number of pen points in a character; sets how fast the untrained window moves.
        lstm_gradient_clip: Limit of the derivatives inside the LSTMs (paper: 10, for nats a sequence).
        output_gradient_clip: Limit of the derivatives at the output layer (paper: 100).
        peepholes: Whether the LSTMs' gates see their cell states (paper: they do).
        fused: Above the window use `keras.layers.LSTM`, which has a fused kernel on a GPU but can neither
            clip inside it nor have peepholes.

    Returns:
        A model from "offsets" (batch, time, 3) and "text" (batch, characters), Unicode code points padded with zeros,
        to raw parameters (batch, time, num_params), as `prediction` does.

    Raises:
        ValueError: Where `num_layers` is less than 1, `fused` is to clip or to have peepholes, or the alphabet is not
            one.

    Example:

    >>> synthesis(" abc", units=8, num_layers=2, num_mixtures=3, num_gaussians=2).output_shape
    (None, None, 19)

    Reference: Graves 2013, arXiv 1308.0850, section 5.
    """
    offsets = keras.Input((None, 3), name="offsets")
    text = keras.Input((None,), dtype="int32", name="text")
    inputs = _previous(offsets)
    characters = CharacterOneHot(alphabet, name="characters")(text)
    layer = GaussianWindow(
        units,
        num_gaussians,
        initial_advance=1.0 / points_per_character,
        gradient_clip=lstm_gradient_clip,
        peepholes=peepholes,
        name="window",
    )
    output, window = layer(inputs, characters)
    hidden = [output]
    for number in range(2, _at_least_one(num_layers) + 1):
        lstm = _lstm(units, lstm_gradient_clip, peepholes, fused, name=f"lstm_{number}")
        hidden.append(lstm(_side_by_side([inputs, hidden[-1], window], name=f"inputs_{number}")))
    density = _density(hidden, num_mixtures, output_gradient_clip)
    return keras.Model([offsets, text], density, name="handwriting_synthesis")


def alignment(model: keras.Model) -> keras.Model:
    """Builds a model that returns a synthesis network's window weights at each point of a given line.

    Args:
        model: What `synthesis` returned. Its weights are copied: make the alignment anew after training on.

    Returns:
        A model of the same inputs, to phi (batch, points, characters).

    Example:

    >>> network = synthesis(" abc", units=8, num_layers=2, num_mixtures=3, num_gaussians=2)
    >>> alignment(network).output_shape
    (None, None, None)

    Reference: Graves 2013, arXiv 1308.0850, figure 13.
    """
    window = model.get_layer("window")
    opened = GaussianWindow.from_config({**window.get_config(), "return_weights": True, "name": "window_opened"})
    *_, weights = opened(model.get_layer("previous").output, model.get_layer("characters").output)
    opened.set_weights(window.get_weights())
    return keras.Model(model.inputs, weights, name="handwriting_alignment")


class Density(NamedTuple):
    """The mixture that each point of a line was expected to come from, in the data's unit.

    Args:
        log_weights: Of shape (points, mixtures).
        means: Of shape (points, mixtures, 2).
        scale_tril: Lower Cholesky factors of the covariances, of shape (points, mixtures, 2, 2).
    """

    log_weights: np.ndarray
    means: np.ndarray
    scale_tril: np.ndarray


def density_along(model: keras.Model, offsets: np.ndarray, text: np.ndarray | None = None) -> Density:
    """Runs a network over a recorded line (teacher forcing).

    Args:
        model: What `synthesis` or `prediction` returned.
        offsets: (points, 3), in the data's unit.
        text: (characters,), code points with a zero at the end, for a synthesis network.

    Returns:
        The densities of each point, given those before it.

    Example:

    >>> network = prediction(units=8, num_layers=1, num_mixtures=3)
    >>> density_along(network, np.zeros((5, 3), "float32")).means.shape
    (5, 3, 2)

    Reference: Graves 2013, arXiv 1308.0850, figure 10.
    """
    params = model(offsets[None] if text is None else (offsets[None], text[None]))[0]
    parts = model.get_layer("density").distribution.components(params)
    mean, scale = (np.asarray(weight)[:2] for weight in model.get_layer("standardize").weights)
    log_weights, means, scale_tril = map(np.asarray, (parts.log_weights, parts.means, parts.scale_tril))
    return Density(log_weights, means * scale + mean, scale_tril * scale[:, None])


def single_step(model: keras.Model) -> keras.Model:
    """Builds one step of a synthesis or prediction network, on the same weights, for generation.

    Args:
        model: What `synthesis` or `prediction` returned, or the same loaded from a file.

    Returns:
        A model from a dictionary to a dictionary. Inputs: "offset" (batch, 3), the last offset, standardized, zeros
        at the first step; the states; and for a synthesis network "characters" (batch, characters, alphabet), one-hot.
        Outputs: "params" (batch, num_params), the new states by the same names, and for a synthesis network "weights"
        (batch, characters), the window's weights phi.

        The states are "hidden_1", "cell_1", ... (batch, units), and "window" and "position"; all start as zeros.

    Example:

    >>> step = single_step(prediction(units=8, num_layers=1, num_mixtures=3))
    >>> sorted(step.input)
    ['cell_1', 'hidden_1', 'offset']

    Reference: Graves 2013, arXiv 1308.0850, sections 4 and 5.
    """
    names = {layer.name for layer in model.layers}
    inputs, outputs = {"offset": keras.Input((3,), name="offset")}, {}

    def state(name, size):
        inputs[name] = keras.Input((size,), name=name)
        return inputs[name]

    offset, hidden, window = inputs["offset"], [], []
    if "window" in names:
        cell = model.get_layer("window").cell
        size = len(model.get_layer("characters").alphabet)
        inputs["characters"] = keras.Input((None, size), name="characters")
        states = [
            state("hidden_1", cell.units),
            state("cell_1", cell.units),
            state("window", size),
            state("position", cell.num_gaussians),
        ]
        (output, read, outputs["weights"]), states = cell(offset, states, inputs["characters"])
        outputs.update(zip(("hidden_1", "cell_1", "window", "position"), states, strict=True))
        hidden, window = [output], [read]
    number = len(hidden) + 1
    while f"lstm_{number}" in names:
        cell = model.get_layer(f"lstm_{number}").cell
        cell.name = f"lstm_{number}_cell"  # keras.layers.LSTM calls each of its cells alike; a model wants them apart
        states = [state(f"hidden_{number}", cell.units), state(f"cell_{number}", cell.units)]
        output, states = cell(_side_by_side([offset, *hidden[-1:], *window]), states)
        outputs.update(zip((f"hidden_{number}", f"cell_{number}"), states, strict=True))
        hidden.append(output)
        number += 1
    outputs["params"] = model.get_layer("density")(_side_by_side(hidden))
    return keras.Model(inputs, outputs, name=f"{model.name}_step")


def _previous(offsets):
    """Standardized offsets, one step later, the first one null."""
    standardized = Standardization(name="standardize")(offsets)
    padded = keras.layers.ZeroPadding1D((1, 0), name="null_first")(standardized)
    return keras.layers.Cropping1D((0, 1), name="previous")(padded)


def _lstm(units, gradient_clip, peepholes, fused, name):
    if fused and (peepholes or gradient_clip is not None):
        raise ValueError(
            "fused=True cannot clip inside the LSTMs nor have peepholes: leave lstm_gradient_clip and peepholes out."
        )
    if fused:
        return keras.layers.LSTM(units, return_sequences=True, name=name)
    return ClippedLSTM(units, gradient_clip=gradient_clip, peepholes=peepholes, name=name)


def _density(hidden, num_mixtures, gradient_clip):
    features = _side_by_side(hidden, name="features")
    params = MixtureDensity(num_mixtures, event_size=2, covariance="correlated", bernoulli=True, name="density")(
        features
    )
    return params if gradient_clip is None else GradientClip(gradient_clip, name="output_clip")(params)


def _side_by_side(tensors, name=None):
    return keras.layers.Concatenate(name=name)(tensors) if len(tensors) > 1 else tensors[0]


def _at_least_one(num_layers):
    if num_layers < 1:
        raise ValueError(f"num_layers must be at least 1; got {num_layers}.")
    return num_layers
