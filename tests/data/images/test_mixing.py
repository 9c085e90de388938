import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from toolkit.data import images as images_module
from toolkit.data.images.augmentation import Augmentation
from toolkit.data.images.mixing import Mixing, _symmetric_beta

SEEDS = np.arange(64)
BOTH = {"mixup": 0.8, "cutmix": 1.0}


def batch(number=64, side=8, seed=0):
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (number, side, side, 3)).astype("uint8")
    return images, np.eye(number, dtype="float32")


def partners(soft):
    """Who each one-hot label of its own was mixed with, and its share; its own place where none is left of another."""
    shares = np.diag(soft).copy()
    others = soft - np.diag(shares)
    return np.where(others.max(1) > 0, others.argmax(1), np.arange(len(soft))), shares


@pytest.mark.parametrize("per_example", [False, True])
@pytest.mark.parametrize("how", [{"mixup": 0.8}, {"cutmix": 1.0}, BOTH], ids=lambda how: "+".join(how))
def test_the_images_and_their_seeds_decide_not_their_order(how, per_example):
    mixing = Mixing(**how, per_example=per_example, seed=3)
    images, labels = batch()
    mixed, soft = (np.asarray(each) for each in mixing(images, labels, SEEDS))
    turned = np.random.default_rng(1).permutation(64)
    again = mixing(images[turned], labels[turned], SEEDS[turned])
    np.testing.assert_array_equal(again[0], mixed[turned])
    np.testing.assert_array_equal(again[1], soft[turned])
    assert mixed.dtype == soft.dtype == np.float32
    for other in (
        Mixing(**how, per_example=per_example, seed=4)(images, labels, SEEDS),
        mixing(images, labels, SEEDS + 99),
    ):
        assert np.abs(other[1] - soft).max() > 0.01


def test_mixup_is_the_formula_with_the_same_shares_for_images_and_labels():
    images, labels = batch()
    mixed, soft = (np.asarray(each) for each in Mixing(mixup=1.0, per_example=True)(images, labels, SEEDS))
    partner, share = partners(soft)
    shares = share[:, None, None, None]
    np.testing.assert_allclose(mixed, shares * images + (1 - shares) * images[partner].astype("float32"), atol=1e-3)
    np.testing.assert_allclose(soft.sum(1), 1, atol=1e-6)
    assert len(set(share)) > 60 and (partner != np.arange(64)).all()
    # A circle through all of them.
    seen, place = [], 0
    for _ in range(64):
        seen.append(place)
        place = partner[place]
    assert sorted(seen) == list(range(64)) and place == 0
    one = np.diag(np.asarray(Mixing(mixup=1.0)(images, labels, SEEDS)[1]))
    assert np.ptp(one) == 0, "once for a batch"


def test_cutmix_pastes_a_rectangle_and_counts_what_is_left():
    images, labels = batch()
    mixed, soft = (np.asarray(each) for each in Mixing(cutmix=1.0, per_example=True)(images, labels, SEEDS))
    partner, share = partners(soft)
    own, theirs = ((mixed == images[each]).all(-1) for each in (np.arange(64), partner))
    assert (own | theirs).all(), "whole pixels"
    np.testing.assert_allclose(own.mean((1, 2)), share, atol=0.02)  # noise pixels may be equal by chance
    for pasted in ~own:
        rows, columns = np.flatnonzero(pasted.any(1)), np.flatnonzero(pasted.any(0))
        assert pasted.sum() == len(rows) * len(columns), "a rectangle"
        assert len(rows) == 0 or (np.ptp(rows) == len(rows) - 1 and np.ptp(columns) == len(columns) - 1)
    assert 0.4 < share.mean() < 0.85 and share.std() > 0.1


def test_both_are_taken_half_of_the_times():
    images, labels = batch()
    mixed, soft = (np.asarray(each) for each in Mixing(**BOTH, per_example=True)(images, labels, SEEDS))
    partner, _ = partners(soft)
    cut = ((mixed == images) | (mixed == images[partner])).all((1, 2, 3))
    assert 16 < cut.sum() < 48


@pytest.mark.parametrize("alpha", [0.1, 0.5, 1.0, 4.0])
def test_shares_are_of_beta(alpha):
    """Beside SciPy's numbers, by Kolmogorov and Smirnov; rounded, for near 1 no number is nearer than 1e-16."""
    random = np.random.default_rng(0)
    found = np.asarray(_symmetric_beta(random.random(20_000), random.random(20_000), tf.constant(alpha, tf.float64)))
    assert np.isfinite(found).all() and 0 <= found.min() and found.max() <= 1
    expected = scipy.stats.beta(alpha, alpha).rvs(20_000, random_state=0)
    assert scipy.stats.ks_2samp(found.round(9), expected.round(9)).pvalue > 0.01


@pytest.mark.parametrize("radius", [0.0, 1 - 2.0**-24])
def test_the_ends_of_the_uniform_numbers_are_shares_too(radius):
    for alpha in (0.01, 1.0, 1e6):
        found = _symmetric_beta(*(tf.constant(x, tf.float64) for x in (radius, 0.3, alpha)))
        assert 0 <= float(found) <= 1


def test_in_a_pipeline_with_several_heads_and_the_same_after_a_resume():
    loaded = images_module.load("embedded:200", image_size=8, batch_size=32, seed=1)
    batches = loaded.one_hot(["logits", "auxiliary_1"]).train.map(Mixing(**BOTH), seed=7)
    whole = list(batches.dataset(num_epochs=2).as_numpy_iterator())
    resumed = list(batches.dataset(start_step=6, num_epochs=2).as_numpy_iterator())
    assert len(whole) == len(resumed) + 6
    for one, other in zip(whole[6:], resumed, strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1]["logits"], other[1]["logits"])
        np.testing.assert_array_equal(other[1]["auxiliary_1"], other[1]["logits"])
    plain = list(loaded.splits.train.dataset(num_epochs=2).as_numpy_iterator())
    assert np.abs(whole[0][0] - plain[0][0]).max() > 10
    assert not np.array_equal(whole[0][1]["logits"], whole[batches.steps_per_epoch][1]["logits"]), "an epoch is new"


def test_what_cannot_be_mixed_is_refused():
    images, labels = batch(4)
    for how in ({}, {"mixup": -1.0}, {"cutmix": float("nan")}, {"mixup": 1e7}):
        with pytest.raises(ValueError, match="alpha"):
            Mixing(**how)
    mixing = Mixing(mixup=1.0)
    with pytest.raises(ValueError, match="a batch of one image has no other one"):
        mixing(images[:1], labels[:1], SEEDS[:1])
    with pytest.raises(ValueError, match="labels of int32 cannot be mixed.*one_hot"):
        mixing(images, np.arange(4, dtype="int32"), SEEDS[:4])
    with pytest.raises(ValueError, match="labels of string cannot be mixed"):
        mixing(images, np.array(["cat", "dog", "cat", "dog"]), SEEDS[:4])
    with pytest.raises(ValueError, match=r"expected images \(batch, height, width, channels\); got \(4, 4\)"):
        mixing(labels, labels, SEEDS[:4])


def test_a_single_image_that_is_left_over_stays_as_it_is():
    images, labels = batch(5)
    data = tf.data.Dataset.from_tensor_slices((images, labels, SEEDS[:5])).batch(4).map(Mixing(**BOTH))
    *_, (last, soft) = data.as_numpy_iterator()
    np.testing.assert_array_equal(last[0], images[4])
    np.testing.assert_array_equal(soft[0], labels[4])


def test_images_meet_mirrored_ones_and_others_alike():
    """At a recipe's default seeds: who meets whom must not know what else was done to an image."""
    seeds, marked = np.arange(4000), np.zeros((4000, 2, 2, 1), "uint8")
    marked[:, :, 0] = 255
    mirrored = Augmentation(flip=True)(marked, seeds, 2).numpy()[:, 0, 0, 0] == 0
    assert 0.45 < mirrored.mean() < 0.55
    _, soft = Mixing(mixup=1.0)(marked, np.eye(2, dtype="float32")[mirrored.astype(int)], seeds)
    assert 0.45 < np.mean(soft.numpy().min(axis=1) > 0) < 0.55
