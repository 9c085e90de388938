import pytest

from toolkit.settings.sparse_processes import SparseProcess


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
