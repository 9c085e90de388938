import numpy as np

from toolkit.data.draws import draws

NAMES = tuple(f"draw {number}" for number in range(20))


def splitmix64(state):
    state = (state + 0x9E3779B97F4A7C15) % 2**64
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        state = (state ^ state >> shift) * factor % 2**64
    return state ^ state >> 31


def test_draws_are_the_hashes_of_the_two_seeds():
    first = splitmix64(0)
    assert first == 0xE220A8397B1DCDAF  # as published
    drawn, keys = draws(NAMES, 0, np.array([0, 7, 2**40]))
    for row, seed in enumerate((0, 7, 2**40)):
        key = splitmix64((first + seed * 0x9E3779B97F4A7C15) % 2**64)
        for number, name in enumerate(NAMES):
            bits = splitmix64((key + number * 0x9E3779B97F4A7C15) % 2**64)
            mixed = splitmix64((bits - 0x9E3779B97F4A7C15) % 2**64)
            assert drawn[name][row].numpy() == np.float32((mixed >> 40) / 2**24)
        assert keys[row].numpy() == mixed >> 32


def test_draws_are_uniform_and_independent():
    count = 20_000
    drawn, _ = draws(NAMES, 5, np.arange(count))
    numbers = np.stack(list(drawn.values()), 1)
    assert numbers.min() >= 0 and numbers.max() < 1
    for column in numbers.T:
        counts = np.histogram(column, 50, (0, 1))[0]
        assert (np.square(counts - count / 50) / (count / 50)).sum() < 49 + 5 * np.sqrt(98)
    limit = 5 / np.sqrt(count)
    assert np.abs(np.corrcoef(numbers.T) - np.eye(numbers.shape[1])).max() < limit
    # Nor do they know those of the next image, the next epoch's same image, or another seed's.
    other = np.stack(list(draws(NAMES, 6, np.arange(count))[0].values()), 1)
    for one, two in ((numbers[:-1], numbers[1:]), (numbers[:-1797], numbers[1797:]), (numbers, other)):
        assert np.abs(np.corrcoef(one.T, two.T)[:20, 20:]).max() < 1.1 * limit


def test_another_purpose_draws_other_numbers():
    """At every seed: what mixes an image must not know how it was mirrored."""
    count = 20_000
    for seed in (0, 3):
        (one, _), (other, _) = draws(NAMES, seed, np.arange(count)), draws(NAMES, seed, np.arange(count), "mixing")
        both = np.stack([np.stack(list(each.values())) for each in (one, other)]).reshape(2 * len(NAMES), -1)
        correlation = np.corrcoef(both)[: len(NAMES), len(NAMES) :]
        assert np.abs(correlation).max() < 5 / count**0.5
