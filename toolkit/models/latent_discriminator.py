"""A discriminator of codes: a FactorVAE's, of such whose numbers come from different codes, or VAAL's."""

import keras


def latent_discriminator(
    latent_size: int, *, units: int = 1000, num_layers: int = 6, negative_slope: float = 0.2
) -> keras.Model:
    """Makes the network, of dense layers with leaky ReLU.

    Args:
        latent_size: Numbers of a code.
        units: Of each layer.
        num_layers: Hidden layers.
        negative_slope: Of the leaky ReLU; 0: an ordinary one, as VAAL's four layers of 512 have.

    Returns:
        A model from codes (batch, latent_size) to logits, float32 (batch,): over 0 where a code is taken for one, and
        where it is the best there is, log q(z) - log prod_l q(z_l). It works in float32 under every dtype policy.

    Raises:
        ValueError: Where a size is below 1.

    Example:

    >>> latent_discriminator(10, units=8, num_layers=2)(keras.ops.zeros((3, 10))).shape
    TensorShape([3])

    Reference: Kim and Mnih 2018, arXiv 1802.05983, appendix A; Locatello et al. 2019, arXiv 1811.12359, appendix.
    """
    for name, size in {"latent_size": latent_size, "units": units, "num_layers": num_layers}.items():
        if size < 1:
            raise ValueError(f"{name} must be at least 1; got {size}.")
    codes = x = keras.Input((latent_size,), dtype="float32")
    for _ in range(num_layers):
        x = keras.layers.Dense(units, dtype="float32")(x)
        x = keras.layers.LeakyReLU(negative_slope, dtype="float32")(x)
    logits = keras.layers.Dense(1, dtype="float32")(x)
    return keras.Model(codes, keras.layers.Reshape((), dtype="float32")(logits), name="discriminator")
