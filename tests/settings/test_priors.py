import pytest

from toolkit.settings import priors


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"kernel_size": 4}, "--kernel_size=4 must be odd"),
        ({"prior": "pixelsnail", "filters": 10}, "--filters=10 is no multiple of --num_heads=4"),
        ({"prior": "transformer"}, "--prior must be one of pixelcnn, pixelsnail; got 'transformer'"),
    ],
)
def test_networks_that_cannot_be(how, told):
    with pytest.raises(ValueError, match=told):
        priors.CodePrior(workdir="w", **how)


def test_a_pixelcnn_has_no_heads():
    assert priors.CodePrior(workdir="w", prior="pixelcnn", filters=10).prior == "pixelcnn"


def test_a_share_that_keeps_nothing():
    with pytest.raises(ValueError, match="--keep must be at least 0.01; got 0.0"):
        priors.ImageSampling(workdir="w", keep=0.0)


def test_a_prior_trains_on_as_its_vqvae_does():
    field = priors.PriorTraining.__dataclass_fields__["prior_epochs"]
    assert field.metadata["changeable"] and field.metadata["remembered"]
    assert priors.PriorTraining(workdir="w").prior_epochs == 10
