"""The variational autoencoder of the study of disentanglement, as a PyTorch user would write it."""

import time

import torch
from pixelcnn_in_pytorch import take
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits


class VAE(nn.Module):
    def __init__(self, units, latent_size):
        super().__init__()
        convolutions, channels = [], 1
        for filters in (units, units, 2 * units, 2 * units):
            convolutions += [nn.Conv2d(channels, filters, 4, 2, 1), nn.ReLU()]
            channels = filters
        self.convolutions = nn.Sequential(*convolutions)
        self.hidden = nn.Linear(32 * units, 8 * units)
        self.posterior = nn.Linear(8 * units, 2 * latent_size)
        self.first, self.second = nn.Linear(latent_size, 8 * units), nn.Linear(8 * units, 32 * units)
        transposed = []
        for filters in (2 * units, units, units):
            transposed += [nn.ConvTranspose2d(channels, filters, 4, 2, 1), nn.ReLU()]
            channels = filters
        self.transposed = nn.Sequential(*transposed, nn.ConvTranspose2d(channels, 1, 4, 2, 1))

    def forward(self, images, noise):
        """Logits, mean and log of the variance."""
        # Keras flattens channels last.
        features = self.convolutions(images).permute(0, 2, 3, 1).flatten(1)
        mean, log_variance = self.posterior(torch.relu(self.hidden(features))).chunk(2, dim=1)
        x = torch.relu(self.second(torch.relu(self.first(mean + torch.exp(0.5 * log_variance) * noise))))
        return self.transposed(x.unflatten(1, (4, 4, -1)).permute(0, 3, 1, 2)), mean, log_variance

    def take(self, weights):
        """Keras' weights, in their order."""
        take(self, weights)


def train(model, images, noise, num_steps, seconds):
    """The first step's minus log-likelihood, in nats an image."""
    optimizer = torch.optim.Adam(model.parameters(), 1e-4)
    images, fixed = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(), torch.from_numpy(noise)
    first = None
    for step in range(num_steps):
        start = time.perf_counter()
        optimizer.zero_grad()
        logits, mean, log_variance = model(images, torch.randn_like(fixed) if step else fixed)
        nats = binary_cross_entropy_with_logits(logits, images, reduction="sum") / len(images)
        divergence = 0.5 * (log_variance.exp() + mean**2 - 1 - log_variance).sum() / len(images)
        (nats + divergence).backward()
        optimizer.step()
        first = nats.item() if first is None else first
        seconds.append(time.perf_counter() - start)
    return first
