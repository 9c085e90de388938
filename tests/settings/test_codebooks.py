import pytest

from toolkit.settings import codebooks


def test_a_codebook_as_its_layer_is_asked():
    found = codebooks.SplitCodebook(workdir="w", num_codebooks=2, embedding_dim=6, codebook_momentum=0.0).quantizer()
    assert found == {"num_embeddings": 128, "num_codebooks": 2, "commitment_cost": 0.25, "momentum": None}
    assert "num_codebooks" not in codebooks.Codebook(workdir="w").quantizer()
    with pytest.raises(ValueError, match="--embedding_dim=7 is no multiple of --num_codebooks=2"):
        codebooks.SplitCodebook(workdir="w", num_codebooks=2, embedding_dim=7)


def test_networks_are_asked_for_by_their_arguments_names():
    """Each builder takes what its group gives, and nothing of it is missing."""
    several = {"units", "residual_units", "num_residual_blocks", "embedding_dim"}
    assert codebooks.ImageAutoencoder(workdir="w").convolutions().keys() == several
    assert codebooks.OneLevelAutoencoder(workdir="w").convolutions().keys() == several | {"num_downsamplings"}


def test_a_codebook_that_the_first_batch_cannot_begin_is_said(capsys):
    codebook = codebooks.Codebook(num_embeddings=128)
    codebook.warn_of_few_vectors(128)
    assert not capsys.readouterr().err
    codebook.warn_of_few_vectors(127)
    assert "--num_embeddings=128: the first batch has 127 vectors" in capsys.readouterr().err
    codebooks.Codebook(num_embeddings=128, codebook_momentum=0.0).warn_of_few_vectors(1)
    assert not capsys.readouterr().err, "learned by gradient it begins with random values"


@pytest.mark.parametrize(
    ("data", "size", "channels"), [("embedded:100", 16, 1), ("embedded:shapes", 64, 3), ("keras:cifar10", 32, 3)]
)
def test_images_of_which_codes_are_made(data, size, channels):
    """Of a size and colours that follow from the data, or are said."""
    asked = codebooks.EncodedImages(data=data, seed=3).reading()
    assert asked == {
        **{"source": data, "image_size": size, "channels": channels},
        **{"seed": 3, "held_out": 0.1, "skip_corrupt": False},
    }
    said = codebooks.EncodedImages(data=data, image_size=24, channels=4 - channels)
    assert (said.size, said.reading()["image_size"], said.reading()["channels"]) == (24, 24, 4 - channels)
    with pytest.raises(ValueError, match="--channels=2: expected 1, grey, or 3, in colour"):
        codebooks.EncodedImages(data=data, channels=2)
