"""What Munjal et al. 2022 and SYSTEMS say of active learning: small networks of scikit-learn's digits, many at once."""

import functools
import types

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
from sklearn.datasets import load_digits

from toolkit.data.images.labelled import Part
from toolkit.data.images.pool import PoolShape
from toolkit.data.images.store import Store
from toolkit.methods.active_learning import ActiveLearning

pytestmark = pytest.mark.claims

SEEDS, INITIAL, QUERY, ROUNDS, POOL = range(8), 40, 20, 9, 1259
DIGITS = load_digits()
ORDER = np.random.default_rng(0).permutation(len(DIGITS.target))
X, Y = (DIGITS.data / 16).astype("float32")[ORDER], DIGITS.target[ORDER]
STEPS, BATCH, RATE = 400, 32, 3e-3
DROPPED = 0.2


class Networks:
    """A network of two layers for each labelled set, all of them trained in the same steps by Adam.

    Args:
        count: How many.
        units: Of the hidden layer.
        regularized: Whether with dropout, images moved by up to a pixel, and the mean of the weights of the last third.
    """

    def __init__(self, count, units=64, regularized=False):
        self.regularized, self.shapes = regularized, [(64, units), (1, units), (units, 10), (1, 10)]
        self.count = count
        self._train = tf.function(self._train_eagerly, reduce_retracing=True)

    def hidden(self, x, weights):
        return tf.nn.relu(x @ weights[0] + weights[1])

    def trained(self, x, y, seed):
        """Weights of networks that are trained on x (count, labelled, 64) and y (count, labelled)."""
        random = np.random.default_rng(seed)
        first = [
            random.uniform(-1, 1, (self.count, *shape)) * (np.sqrt(6 / sum(shape)) if shape[0] > 1 else 0)
            for shape in self.shapes
        ]
        picks = random.integers(0, x.shape[1], (STEPS, self.count, BATCH)).astype("int32")
        first = [tf.constant(each, tf.float32) for each in first]
        return self._train(first, tf.constant(x), tf.constant(y, tf.int32), tf.constant(picks), tf.constant(seed))

    def _train_eagerly(self, weights, x, y, picks, seed):
        state = [*weights, *(tf.zeros_like(each) for each in 3 * weights)]
        size = len(weights)

        def step(number, *state):
            weights, first, second, mean = (state[start : start + size] for start in range(0, 4 * size, size))
            images, labels = (tf.gather(each, picks[number], batch_dims=1) for each in (x, y))
            if self.regularized:
                images = moved(images, tf.random.stateless_uniform((self.count, BATCH, 2), [seed, number]))
            with tf.GradientTape() as tape:
                tape.watch(weights)
                hidden = self.hidden(images, weights)
                if self.regularized:
                    kept = tf.random.stateless_uniform((self.count, BATCH, self.shapes[0][1]), [seed + 1000, number])
                    hidden *= tf.cast(kept > DROPPED, tf.float32) / (1 - DROPPED)
                logits = hidden @ weights[2] + weights[3]
                loss = tf.reduce_sum(tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits), 1))
            time = tf.cast(number + 1, tf.float32)
            made = [[], [], [], []]
            for w, m, v, a, g in zip(weights, first, second, mean, tape.gradient(loss, weights), strict=True):
                m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
                w -= RATE * (m / (1 - 0.9**time)) / (tf.sqrt(v / (1 - 0.999**time)) + 1e-7)
                count = tf.maximum(time - 2 * STEPS / 3, 1.0)
                for values, value in zip(made, (w, m, v, a + (w - a) / count), strict=True):
                    values.append(value)
            return (number + 1, *(value for values in made for value in values))

        found = tf.while_loop(lambda number, *_: number < STEPS, step, (0, *state))[1:]
        return found[3 * size :] if self.regularized else found[:size]

    def asked(self, weights, x):
        """Features and probabilities of all networks for x (pool, 64), or for one pool each."""
        hidden = self.hidden(x, weights)
        return hidden.numpy(), tf.nn.softmax(hidden @ weights[2] + weights[3]).numpy()

    def right(self, weights, x):
        """Test digits x that each network tells right, in %."""
        return 100 * np.mean(self.asked(weights, x)[1].argmax(-1) == Y[POOL:], axis=-1)


def moved(images, drawn):
    """Digits moved by up to a pixel, by what is drawn from 0 to 1, between pixels on a line, black coming in."""
    found = tf.reshape(images, (-1, 8, 8))
    places = 2 * tf.reshape(drawn, (-1, 2)) - 1
    for axis in (0, 1):
        # Weights of each pixel for each place: 1 - distance, where that is under 1.
        distances = places[:, axis, None, None] + tf.range(8.0)[:, None] - tf.range(8.0)
        found = tf.linalg.matrix_transpose(tf.nn.relu(1 - tf.abs(distances)) @ found)
    return tf.reshape(found, tf.shape(images))


def curves(strategies, pools, test, regularized=False):
    """Accuracies (strategies, seeds, rounds) in %, and what was asked for, by strategy and seed.

    Args:
        strategies: Names.
        pools: For each seed (x, labels as they are told).
        test: The test digits.
        regularized: As of `Networks`.
    """
    seeds = range(len(pools))
    runs = [(strategy, seed) for strategy in strategies for seed in seeds]
    loops = [
        ActiveLearning(len(pools[seed][1]), strategy, query_size=QUERY, initial=INITIAL, seed=seed)
        for strategy, seed in runs
    ]
    oracles = [lambda rows, number, seed=seed: pools[seed][1][rows] for _, seed in runs]
    networks = Networks(len(runs), regularized=regularized)
    whole = np.stack([pools[seed][0] for _, seed in runs])
    found = np.zeros((len(runs), ROUNDS))
    turns = zip(*(loop.rounds(ROUNDS, oracle) for loop, oracle in zip(loops, oracles, strict=True)), strict=True)
    for number, turn in enumerate(turns):
        rows, labels = (np.stack([getattr(each, name) for each in turn]) for name in ("labelled", "labels"))
        x = np.take_along_axis(whole, rows[..., None], axis=1)
        weights = networks.trained(x, labels, number)
        found[:, number] = networks.right(weights, test)
        for each, features, probabilities in zip(turn, *networks.asked(weights, whole), strict=True):
            if not each.is_last:
                each.query(_committee(features, probabilities))
    return found.reshape(len(strategies), len(pools), ROUNDS), {
        run: loop.queries for run, loop in zip(runs, loops, strict=True)
    }


def _committee(features, probabilities):
    return types.SimpleNamespace(features=lambda rows: features[rows], probabilities=lambda rows: probabilities[rows])


def shaped(**how):
    """Pools of the same digits, made uneven or repetitive."""
    store = Store(np.zeros((POOL, 1, 1, 1), "uint8"), np.arange(POOL))
    rows = []
    for seed in SEEDS:
        parts = {"train": Part(store, Y[:POOL]), "validation": Part(store, Y[:POOL])}
        rows.append(PoolShape(**how, seed=seed)(parts)["train"].store.rows)
    return [(X[each], Y[each]) for each in rows]


def shown(title, strategies, found, at=range(0, ROUNDS, 2)):
    print(f"\n{title}")
    for strategy, each in zip(strategies, found, strict=True):
        values = [f"{INITIAL + QUERY * n}: {each[:, n].mean():.1f} ({each[:, n].std(ddof=1):.1f})" for n in at]
        print(f"  {strategy:18} {', '.join(values)}; mean {each.mean():.2f}")


COMPARED = ("random", "least_confidence", "coreset", "center_of_gravity")
AT_100 = (100 - INITIAL) // QUERY


def somewhere():
    """The digits, each somewhere within a pixel of its place."""
    places = np.random.default_rng(5).uniform(size=(len(X), 2))
    return moved(tf.constant(X), tf.constant(places, tf.float32)).numpy()


@functools.cache
def usual(regularized=False, anywhere=False):
    x = somewhere() if anywhere else X
    found, queries = curves(COMPARED, [(x[:POOL], Y[:POOL]) for _ in SEEDS], x[POOL:], regularized)
    shown(f"regularized {regularized}, anywhere {anywhere}", COMPARED, found)
    return found, queries


def gain(found, strategy="least_confidence", strategies=COMPARED):
    """Of the mean over a curve above random's, seed by seed."""
    return (found[strategies.index(strategy)] - found[strategies.index("random")]).mean(axis=1)


def surely_more(differences):
    """Whether their mean is over 0, by a paired test on one side at 5 %."""
    return scipy.stats.ttest_1samp(differences, 0, alternative="greater").pvalue < 0.05


def test_the_first_images_matter_as_much_as_the_strategy():
    found, _ = usual()
    by_chance, doubtful = (found[COMPARED.index(name), :, AT_100] for name in ("random", "least_confidence"))
    gap, spread = doubtful.mean() - by_chance.mean(), by_chance.std(ddof=1)
    print(f"100 labels: gap {gap:.2f}, spread over first images {spread:.2f}")
    assert spread >= gap / 2


def test_on_easy_data_doubt_beats_random_and_the_centre_of_gravity_does_not():
    found, _ = usual()
    assert surely_more(gain(found)) and surely_more(gain(found, "coreset"))
    outliers = gain(found, "center_of_gravity")
    print(f"centre of gravity above random: {outliers.mean():.2f}")
    assert outliers.max() < -3, "it asks for outliers"


def test_the_gap_is_gone_under_regularization_while_random_rises():
    """Of digits that lie anywhere within a pixel: what doubt asks for, moved images teach as well."""
    before, after = (usual(each, anywhere=True)[0] for each in (False, True))
    gap, left, rise = gain(before), gain(after), (after[0] - before[0]).mean(axis=1)
    print(f"gap {gap.mean():.2f} -> {left.mean():.2f}; random rises by {rise.mean():.2f}")
    assert surely_more(gap) and left.mean() < gap.mean() / 2
    assert surely_more(rise)


def test_with_regularization_none_is_always_surely_above_random():
    found, _ = usual(regularized=True, anywhere=True)
    by_chance = found[COMPARED.index("random")]
    for name in COMPARED[1:]:
        differences = found[COMPARED.index(name)] - by_chance
        half = scipy.stats.t.ppf(0.975, len(SEEDS) - 1) * differences.std(axis=0, ddof=1) / np.sqrt(len(SEEDS))
        above = differences.mean(axis=0) - half > 0
        print(f"{name}: surely above random in {above.sum()} of {ROUNDS} rounds")
        assert not above.all()


@pytest.mark.parametrize("how", [{"redundancy": 0.9}, {"imbalance": 50.0}], ids=str)
def test_on_redundant_and_uneven_pools_a_good_strategy_beats_random_by_far(how):
    strategies = ("random", "least_confidence", "coreset")
    found, _ = curves(strategies, shaped(**how), X[POOL:])
    shown(how, strategies, found)
    for name in strategies[1:]:
        found_gain = gain(found, name, strategies)
        print(f"{name} above random: {found_gain.mean():.2f}; on the plain pool {gain(usual()[0], name).mean():.2f}")
        assert surely_more(found_gain - 2 * gain(usual()[0], name).mean())


def test_chosen_sets_transfer_to_a_like_network_and_to_a_regularized_one_in_part():
    (found, queries), x = usual(anywhere=True), somewhere()
    sets = {name: [np.concatenate(queries[name, seed]) for seed in SEEDS] for name in COMPARED[:2]}
    there, count = {}, 2 * len(SEEDS)
    for kind, networks in (("wide", Networks(count, units=128)), ("regularized", Networks(count, regularized=True))):
        curve = []
        for number in range(ROUNDS):
            rows = np.stack([each[: INITIAL + QUERY * number] for name in sets for each in sets[name]])
            curve.append(networks.right(networks.trained(x[rows], Y[rows], number), x[POOL:]))
        by_chance, chosen = np.stack(curve, axis=1).reshape(2, len(SEEDS), ROUNDS)
        there[kind] = (chosen - by_chance).mean(axis=1)
        print(f"gain of the network that chose {gain(found).mean():.2f}, of a {kind} one {there[kind].mean():.2f}")
    assert surely_more(there["wide"])
    assert surely_more(gain(found) - there["regularized"])
