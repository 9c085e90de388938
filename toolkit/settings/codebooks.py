"""Settings of autoencoders that make discrete codes: the codebook, the network round it, the images."""

import sys

from toolkit.settings.domains import Images, NamedImages
from toolkit.settings.fields import group, other, setting
from toolkit.settings.running import Run


@group
class Codebook(Run):
    """The codebook."""

    num_embeddings: int = setting(128, "vectors of a codebook", paper="512", minimum=1, maximum=65_536)
    embedding_dim: int = setting(32, "numbers of a vector, of all codebooks together", minimum=1, maximum=65_536)
    commitment_cost: float = setting(
        0.25, "weight of the encoder's distance to its codes", paper="0.25", minimum=0.0, maximum=1000.0
    )
    codebook_momentum: float = setting(
        0.99,
        "momentum of the moving averages that the codebook is; 0: it is learned by gradient",
        minimum=0.0,
        maximum=0.99999,
    )

    def quantizer(self) -> dict:
        """Gives what `layers.VectorQuantizer` is asked for, by its arguments' names."""
        return {"momentum": self.codebook_momentum or None, **self.only("num_embeddings", "commitment_cost")}

    def warn_of_few_vectors(self, num_vectors: int) -> None:
        """Says that a first batch has too few vectors to begin all codes with, where they begin with vectors at all.

        Args:
            num_vectors: Vectors of a batch.
        """
        if self.codebook_momentum and num_vectors < self.num_embeddings:
            print(
                f"--num_embeddings={self.num_embeddings}: the first batch has {num_vectors} vectors; some codes begin "
                "as copies of others, and are drawn anew from the batches that follow.",
                file=sys.stderr,
            )


@group
class SplitCodebook(Codebook):
    """The codebook, or several."""

    num_codebooks: int = setting(
        1, "codebooks, each with a code for its part of a place's channels", minimum=1, maximum=256
    )

    def check(self) -> None:
        """Says what does not go together.

        Raises:
            ValueError: Where the vectors cannot be split among the codebooks.
        """
        if self.embedding_dim % self.num_codebooks:
            raise ValueError(
                f"--embedding_dim={self.embedding_dim} is no multiple of --num_codebooks={self.num_codebooks}."
            )

    def quantizer(self) -> dict:
        """Gives what `layers.VectorQuantizer` is asked for, by its arguments' names."""
        return {**super().quantizer(), **self.only("num_codebooks")}


@group
class ImageAutoencoder(SplitCodebook):
    """The network between images and codes: of sizes that two cores train in minutes."""

    units: int = setting(64, "channels of the convolutions", paper="256", minimum=1, maximum=8192)
    residual_units: int = setting(32, "channels inside the residual blocks", paper="256", minimum=1, maximum=8192)
    num_residual_blocks: int = setting(
        2, "residual blocks before the codes, and after them", paper="2", minimum=0, maximum=100
    )

    def convolutions(self) -> dict:
        """Gives what `models.vqvae.vqvae` and `models.vqvae2.vqvae2` are asked for, by their arguments' names."""
        return self.only("units", "residual_units", "num_residual_blocks", "embedding_dim")


@group
class OneLevelAutoencoder(ImageAutoencoder):
    """The network between images and codes of one level."""

    num_downsamplings: int = setting(2, "halvings of height and width", paper="2", minimum=1, maximum=8)

    def convolutions(self) -> dict:
        """Gives what `models.vqvae.vqvae` is asked for beside the codebook, by its arguments' names."""
        return {**super().convolutions(), **self.only("num_downsamplings")}


@group
class EncodedImages(Images, NamedImages):
    """The images, of which codes are made."""

    image_size: int | None = other(
        None, help="pixels of height and width; left out: 16 for embedded digits, 64 for embedded:shapes, else 32"
    )
    channels: int | None = setting(
        None, "1: grey, 3: in colour; left out: 1 for embedded digits, else 3", minimum=1, maximum=3
    )

    def check(self) -> None:
        """Says what is out of range.

        Raises:
            ValueError: Where the channels are neither grey nor a colour's.
        """
        if self.channels == 2:
            raise ValueError("--channels=2: expected 1, grey, or 3, in colour.")

    @property
    def size(self) -> int:
        """Pixels of height and width."""
        return self.image_size or self.embedded_size or 32

    def reading(self) -> dict:
        """Gives what `data.images.load` is asked for, but for the batch size, by its arguments' names."""
        how = {"image_size": self.size, "channels": self.channels or (1 if self.digits else 3)}
        return {"source": self.data, **how, **self.only("seed", "held_out", "skip_corrupt")}
