"""What Graves 2013 says of handwriting, at a size that trains in seconds: letters are fixed polylines, two writers have
hands of unlike height and slant, and every point is shaken a little."""

import keras
import numpy as np
import pytest

from toolkit import layers, losses, models
from toolkit.generation.strokes import Writer

pytestmark = pytest.mark.claims

LETTERS, POINTS, WIDTH = "abcde", 7, 3.0
SHAPES = np.random.default_rng(3).uniform(-1.0, 1.0, (len(LETTERS), POINTS, 2)) * [0.8, 1.5]
HANDS = ((0.7, 0.0), (1.5, 0.6))  # height, slant


def line(random, hand):
    text = "".join(random.choice(list(LETTERS), random.integers(3, 6)))
    height, slant = HANDS[hand]
    points = np.concatenate([SHAPES[LETTERS.index(c)] + [WIDTH * i, 0.0] for i, c in enumerate(text)]) * [1.0, height]
    points[:, 0] -= slant * points[:, 1]
    points += random.normal(0.0, 0.05, points.shape)
    ends = np.tile(np.arange(POINTS) == POINTS - 1, len(text))
    offsets = np.diff(points, axis=0, prepend=0.0)
    return np.column_stack([offsets, ends]).astype("float32"), text


def arrays(lines):
    length = max(len(offsets) for offsets, _ in lines)
    offsets, mask = np.zeros((len(lines), length, 3), "float32"), np.zeros((len(lines), length), "float32")
    text = np.zeros((len(lines), 6), "int32")
    for row, (points, words) in enumerate(lines):
        offsets[row, : len(points)], mask[row, : len(points)] = points, 1.0
        text[row, : len(words)] = [ord(c) for c in words]
    return offsets, mask, text


@pytest.fixture(scope="module")
def trained():
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    train = arrays([line(random, i % 2) for i in range(1440)])
    test = arrays([line(random, i % 2) for i in range(200)])
    sizes = {"units": 48, "num_layers": 2, "num_mixtures": 4, "lstm_gradient_clip": 10 / 32}
    networks = (
        models.handwriting.prediction(**sizes),
        models.handwriting.synthesis(LETTERS, num_gaussians=3, points_per_character=POINTS, **sizes),
    )
    scores = []
    scale = np.array([*train[0][train[1] > 0].std(axis=0)[:2], 1.0], "float32")
    for number, model in enumerate(networks):
        model.get_layer("standardize").adapt(np.zeros(3), scale)
        loss = losses.NegativeLogLikelihood(model.get_layer("density").distribution)
        model.compile(keras.optimizers.Adam(5e-3, global_clipnorm=1.0), loss=loss, jit_compile=False)

        def inputs(part, number=number):
            return (part[0], part[2]) if number else part[0]

        model.fit(inputs(train), train[0] / scale, sample_weight=train[1], epochs=10, batch_size=32, verbose=0)
        scores.append(model.evaluate(inputs(test), test[0] / scale, sample_weight=test[1], batch_size=200, verbose=0))
    return networks[1], scores, test


def test_synthesis_has_a_lower_log_loss_than_prediction(trained):
    """Table 4 against table 3: knowing the text is worth nats."""
    _, (prediction, synthesis), _ = trained
    assert synthesis < prediction - 0.2


def test_the_window_moves_monotonically_and_ends_at_the_last_character(trained):
    """Figure 13, on real lines of the held-out set."""
    model, _, (offsets, mask, text) = trained
    inputs = keras.Model(model.inputs, [model.get_layer("previous").output, model.get_layer("characters").output])
    window = layers.GaussianWindow.from_config({**model.get_layer("window").get_config(), "return_weights": True})
    read = inputs((offsets, text))
    window(*read)
    window.set_weights(model.get_layer("window").get_weights())
    weights = np.asarray(window(*read)[2])
    right = 0
    for phi, valid, codes in zip(weights, mask > 0, text, strict=True):
        read = phi[valid][:, : (codes > 0).sum()].argmax(axis=1)
        right += bool((np.diff(read) >= 0).all() and read[-1] == (codes > 0).sum() - 1)
    assert right > 0.9 * len(weights)


def test_a_higher_bias_gives_lower_variance(trained):
    """Section 5.4: lines of one text differ less from each other."""
    writer = Writer(trained[0])
    spread = []
    for bias in (0.0, 1.0, 3.0):
        offsets = np.stack([w.offsets[: 2 * POINTS, :2] for w in writer.write(["abcde"] * 24, bias, max_points=80)])
        spread.append(offsets.var(axis=0).mean())
    assert spread[0] > spread[1] > spread[2]


def test_a_primed_line_is_in_its_primers_hand(trained):
    """Section 5.5: height and slant of the primed line follow the primer's, pair by pair."""
    writer, random = Writer(trained[0]), np.random.default_rng(9)

    def height(offsets):
        return np.abs(offsets[:, 1]).mean()

    right = 0
    for pair in range(10):
        low, tall = line(random, 0), line(random, 1)
        heights = [
            height(writer.write(["abcde"], 0.5, max_points=60, seed=pair, prime=primer)[0].offsets)
            for primer in (low, tall)
        ]
        right += heights[0] < heights[1]
    assert right >= 9


def test_the_line_ends_by_itself_after_its_text(trained):
    """The stop rule of section 5.3: as many points as the text has, give or take a letter."""
    writer = Writer(trained[0])
    for text in ("abc", "edcba"):
        for written in writer.write([text] * 8, bias=1.0, max_points=100):
            assert written.ended and abs(len(written.offsets) - POINTS * len(text)) <= POINTS
