"""Settings of sparse Gaussian processes."""

from toolkit.settings.fields import group, setting
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


_MOST_ROWS = 20_000  # of which a step of L-BFGS takes a second
