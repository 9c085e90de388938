"""Metrics of drawn samples beside the usual ways: Fréchet distance, and improved precision and recall.

  ./run benchmarks tests/benchmarks/bench_sample_metrics.py

Fréchet distance: of two sets of 2,048 features, from their means and covariances, beside SciPy's root of the product of
the covariances, as pytorch-fid computes it. With fewer samples than features the covariances have no inverse; SciPy's
root of their product is then not exact, and the values may differ.

Precision and recall: of 5,000 features of 64 a side, beside plain NumPy, which has the distances of all pairs at once;
both must be the same.

Each measurement has a process of its own, on the CPU; megabytes are what the metric adds to a process that has the
features, or their moments. A ratio below 1 means that the toolkit takes less.
"""

import argparse

from measuring import apart, machine, peak_megabytes, print_row, timed_twice, version

# Samples a set.
FRECHET, DIMENSIONS = (10_000, 1_000), 2_048
NEIGHBOURS = ((5_000, 64), (5_000, 2_048))


def batches(num, dimensions):
    """Two sets that differ a little, of features that go together; some at a time, to leave memory as it was."""
    import numpy as np

    random = np.random.default_rng(0)
    mixing = random.standard_normal((dimensions, dimensions)) / np.sqrt(dimensions)

    def drawn(scale, moved):
        for start in range(0, num, 500):
            yield scale * random.standard_normal((min(500, num - start), dimensions)) @ mixing + moved

    return drawn(1.0, 0.0), drawn(1.1, 0.05)


def features(num, dimensions):
    import numpy as np

    sets = batches(num, dimensions)
    return [np.fromiter((row for each in some for row in each), np.dtype((float, dimensions)), num) for some in sets]


def moments(num):
    from toolkit import metrics

    found = []
    for some in batches(num, DIMENSIONS):
        found.append(metrics.frechet_distance.FeatureMoments())
        for each in some:
            found[-1].update(each)
    return found


def toolkit_frechet(num, repeats):
    """The distance, seconds, processor seconds and megabytes; so of all that follow."""
    from toolkit import metrics

    first, second = moments(num)
    return measured(lambda: metrics.frechet_distance.frechet_distance(first, second), repeats)


def scipy_frechet(num, repeats):
    import numpy as np
    from scipy import linalg

    means, covariances = zip(*((each.mean, each.covariance) for each in moments(num)), strict=True)

    def distance():
        one, other = covariances
        root = linalg.sqrtm(one @ other)
        if not np.isfinite(root).all():
            offset = 1e-6 * np.eye(DIMENSIONS)
            root = linalg.sqrtm((one + offset) @ (other + offset))
        moved = means[0] - means[1]
        return float(moved @ moved + np.trace(one) + np.trace(other) - 2 * np.trace(root.real))

    return measured(distance, repeats)


def toolkit_neighbours(num, dimensions, repeats):
    from toolkit import metrics

    real, generated = features(num, dimensions)
    return measured(
        lambda: tuple(metrics.improved_precision_recall.improved_precision_recall(real, generated)), repeats
    )


def numpy_neighbours(num, dimensions, repeats):
    import numpy as np

    real, generated = features(num, dimensions)

    def distances(left, right):
        squares = [np.sum(each**2, axis=1) for each in (left, right)]
        return np.sqrt(np.maximum(squares[0][:, None] + squares[1] - 2 * left @ right.T, 0))

    def covered(here, there):
        # A sample is the nearest to itself.
        radii = np.sort(distances(there, there), axis=1)[:, 3]
        return float((distances(here, there) <= radii).any(axis=1).mean())

    return measured(lambda: (covered(generated, real), covered(real, generated)), repeats)


def measured(function, repeats):
    before = peak_megabytes()
    results, seconds = timed_twice(function, repeats, 0)
    return results[0], *seconds, peak_megabytes() - before


def compare(name, ours, theirs):
    for what, place, scale in (("ms", 1, 1e3), ("ms of processor", 2, 1e3), ("MB", 3, 1)):
        values = [scale * side[place] for side in (ours, theirs)]
        print_row(f"{name}, {what}", *(f"{value:.0f}" for value in values), f"{values[0] / max(values[1], 0.1):.2f}")


def compare_frechet(repeats):
    for num in FRECHET:
        ours, theirs = (apart(function, num, repeats) for function in (toolkit_frechet, scipy_frechet))
        name = f"Fréchet distance, {num:,} x {DIMENSIONS:,}"
        compare(name, ours, theirs)
        print_row(f"{name}, value", f"{ours[0]:.6f}", f"{theirs[0]:.6f}")
        if num > DIMENSIONS and abs(ours[0] - theirs[0]) > 1e-6 * ours[0]:
            raise SystemExit(f"{name}: the values differ: {ours[0]} and {theirs[0]}.")


def compare_neighbours(repeats):
    for sizes in NEIGHBOURS:
        ours, theirs = (apart(function, *sizes, repeats) for function in (toolkit_neighbours, numpy_neighbours))
        name = f"precision and recall, {sizes[0]:,} x {sizes[1]:,}"
        compare(name, ours, theirs)
        print_row(f"{name}, value", *("{:.4f}, {:.4f}".format(*side[0]) for side in (ours, theirs)))
        if ours[0] != theirs[0]:
            raise SystemExit(f"{name}: the values differ: {ours[0]} and {theirs[0]}.")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3, help="times that each is computed (3)")
    asked = parser.parse_args()
    print(machine())
    print_row("", "toolkit", f"SciPy {version('scipy')}, NumPy", "ratio")
    compare_frechet(asked.repeats)
    compare_neighbours(asked.repeats)


if __name__ == "__main__":
    main()
