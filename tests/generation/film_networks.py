"""A small prior of films and the autoencoder of its codes."""

import keras

from toolkit import models


def networks():
    keras.utils.set_random_seed(0)
    autoencoder = models.vqvae.vqvae(8, 1, units=8, residual_units=8, num_residual_blocks=1, embedding_dim=4)
    prior = models.pixelcnn.pixelcnn(2, 2, 512, filters=8, num_blocks=1, head_filters=8, num_maps=2)
    return prior, autoencoder
