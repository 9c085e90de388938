import pytest

from toolkit.settings.sparse_processes import ConvergenceRates, SparseProcess


@pytest.mark.parametrize(
    "method, few, many", [("auto", False, True), ("collapsed", False, False), ("batches", True, True)]
)
def test_what_is_trained_by_batches(method, few, many):
    settings = SparseProcess(method=method)
    assert (settings.by_batches(20_000), settings.by_batches(20_001)) == (few, many)


def test_kernels_and_ways_are_those_of_the_methods():
    from toolkit.methods import gp_covariance, inducing_inputs

    fields = SparseProcess.__dataclass_fields__
    assert fields["kernel"].metadata["choices"] == tuple(gp_covariance.KERNELS)
    assert fields["inducing"].metadata["choices"] == inducing_inputs.WAYS


def test_numbers_of_rows_that_are_measured():
    settings = ConvergenceRates(sizes="90,40,40,200", counts="20,5,20")
    assert settings.measured_at(100) == ([40, 90], [5, 20])
    told = "--sizes=90,40,40,200: expected numbers from 20, the largest of --counts, to the table's 30 training rows"
    with pytest.raises(ValueError, match=told):
        settings.measured_at(30)
    with pytest.raises(ValueError, match="--sizes must be numbers over 0 between commas; got none"):
        ConvergenceRates(sizes="")
