"""Settings of sparse Gaussian processes."""

from toolkit.settings.fields import group, setting
from toolkit.settings.lists import numbers
from toolkit.settings.running import Run


@group
class SparseProcess(Run):
    """The process."""

    kernel: str = setting(
        "squared_exponential",
        "covariance of two rows, with a length scale for each column",
        choices=("squared_exponential", "matern12", "matern32", "matern52"),
    )
    num_inducing: int = setting(40, "inducing inputs", minimum=1, maximum=5000)
    inducing: str = setting(
        "greedy_variance",
        "how inducing inputs are chosen: uniform, k_dpp, greedy_variance among the rows, k_means as their means",
        choices=("uniform", "k_means", "k_dpp", "greedy_variance"),
    )
    num_choices: int = setting(
        2, "times that they are chosen, each by the kernel that was fitted before", minimum=1, maximum=100
    )
    train_inducing: bool = setting(False, "move the inducing inputs too, as hyper-parameters")
    method: str = setting(
        "auto",
        "collapsed: L-BFGS on the bound of all rows; batches: natural gradients and Adam, --batch_size rows at a time; "
        "auto: the latter of more than 20,000 rows",
        choices=("auto", "collapsed", "batches"),
    )
    max_iterations: int = setting(100, "most steps of L-BFGS after each choice", minimum=1, maximum=100_000)
    natural_step: float = setting(0.1, "of batches: size of the posterior's steps", minimum=1e-6, maximum=1.0)
    learning_rate: float = setting(0.01, "of batches: of Adam, which does all else", minimum=0.0, maximum=10.0)
    start_rows: int = setting(
        2000, "of batches: rows whose collapsed bound decides where they begin", minimum=10, maximum=20_000
    )

    def by_batches(self, num_rows: int) -> bool:
        """Says whether so many rows are trained on a batch at a time.

        Args:
            num_rows: How many there are.

        Example:

        >>> SparseProcess().by_batches(20_000), SparseProcess().by_batches(20_001)
        (False, True)
        """
        return self.method == "batches" or (self.method == "auto" and num_rows > _MOST_ROWS)


@group
class ConvergenceRates(Run):
    """How near the process comes to the exact one."""

    sizes: str = setting("250,500,1000,1800", "of --mode=rates: numbers of rows", changeable=True, maximum=1000)
    counts: str = setting(
        "5,8,10,12,15,20,25,30,40", "of --mode=rates: numbers of inducing inputs", changeable=True, maximum=1000
    )
    divergence: float = setting(
        0.1, "of --mode=rates and continual: nats that are asked for", minimum=1e-6, maximum=1e6, changeable=True
    )
    max_exact: int = setting(
        2000, "training rows up to which the exact process is beside it", minimum=0, maximum=10_000, changeable=True
    )

    def check(self) -> None:
        """Says what is out of range.

        Raises:
            ValueError: Where no number of rows or of inducing inputs is named.
        """
        for name in ("sizes", "counts"):
            if not numbers(getattr(self, name), name, int):
                raise ValueError(f"--{name} must be numbers over 0 between commas; got none.")

    def measured_at(self, num_rows: int) -> tuple[list[int], list[int]]:
        """Gives the numbers of rows and of inducing inputs that are measured.

        Args:
            num_rows: How many rows there are.

        Returns:
            (sizes, counts), ascending; sizes from the largest count to what there is.

        Raises:
            ValueError: Where no size is left.

        Example:

        >>> ConvergenceRates(sizes="250,40,5", counts="20,10").measured_at(100)
        ([40], [10, 20])
        """
        counts, asked = (sorted(set(numbers(getattr(self, name), name, int))) for name in ("counts", "sizes"))
        sizes = [size for size in asked if max(counts) <= size <= num_rows]
        if not sizes:
            raise ValueError(
                f"--sizes={self.sizes}: expected numbers from {max(counts)}, the largest of --counts, to the table's "
                f"{num_rows} training rows."
            )
        return sizes, counts


_MOST_ROWS = 20_000  # of which a step of L-BFGS takes a second
