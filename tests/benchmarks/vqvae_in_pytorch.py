"""A VQ-VAE of images as a PyTorch user would write it: vector-quantize-pytorch between two stacks of convolutions."""

import time

import torch
from pixelcnn_in_pytorch import take
from torch import nn
from torch.nn.functional import softplus
from vector_quantize_pytorch import VectorQuantize


class Residual(nn.Module):
    def __init__(self, units, residual_units):
        super().__init__()
        self.wide, self.out = nn.Conv2d(units, residual_units, 3, padding=1), nn.Conv2d(residual_units, units, 1)

    def forward(self, x):
        return x + self.out(torch.relu(self.wide(torch.relu(x))))


class VQVAE(nn.Module):
    def __init__(self, units, residual_units, num_blocks, num_embeddings, embedding_dim):
        super().__init__()

        def blocks():
            return (*(Residual(units, residual_units) for _ in range(num_blocks)), nn.ReLU())

        self.encoder = nn.Sequential(
            nn.Conv2d(3, units // 2, 4, 2, 1),
            nn.ReLU(),
            nn.Conv2d(units // 2, units, 4, 2, 1),
            nn.ReLU(),
            nn.Conv2d(units, units, 3, padding=1),
            *blocks(),
            nn.Conv2d(units, embedding_dim, 1),
        )
        self.codebook = VectorQuantize(
            dim=embedding_dim, codebook_size=num_embeddings, decay=0.99, commitment_weight=0.25, accept_image_fmap=True
        )
        self.decoder = nn.Sequential(
            nn.Conv2d(embedding_dim, units, 3, padding=1),
            *blocks(),
            nn.ConvTranspose2d(units, units // 2, 4, 2, 1),
            nn.ReLU(),
            nn.ConvTranspose2d(units // 2, 9, 4, 2, 1),
        )

    def forward(self, images):
        """Raw parameters (batch, channels, 3, height, width), and the codebook's loss."""
        quantized, _, loss = self.codebook(self.encoder(images / 127.5 - 1))
        return self.decoder(quantized).unflatten(1, (3, 3)), loss.sum()

    def take(self, weights, embeddings):
        """Keras' weights, in their order, and its codebook."""
        take(self, weights)
        take_codebook(self.codebook, embeddings)


def take_codebook(codebook, embeddings):
    with torch.no_grad():
        inner = codebook._codebook
        inner.embed.copy_(torch.from_numpy(embeddings)[None])
        inner.embed_avg.copy_(inner.embed)
        inner.initted.fill_(1)


def nats(params, images):
    """-log p of each channel of each pixel, a logistic discretised to 256 levels."""
    _, means, log_scales = params.unbind(2)
    inverse, half = torch.exp(-log_scales.clip(-12, 12)), 1 / 255
    distance = images / 127.5 - 1 - means
    above, below = (distance + half) * inverse, (distance - half) * inverse
    width = half * inverse
    inside = torch.log(torch.tanh(width)) + softplus(-2 * width)
    lowest, highest = images < 0.5, images > 254.5
    found = torch.where(highest, 0.0, -softplus(-above)) + torch.where(lowest, 0.0, -softplus(below))
    return -(found + torch.where(lowest | highest, 0.0, inside))


def train(model, images, num_steps, seconds):
    """The likelihood part of each step's loss."""
    optimizer = torch.optim.Adam(model.parameters(), 3e-4)
    images, losses = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(), []
    model.train()
    for _ in range(num_steps):
        start = time.perf_counter()
        optimizer.zero_grad()
        params, other = model(images)
        loss = nats(params, images).mean()
        (loss + other).backward()
        optimizer.step()
        losses.append(loss.item())
        seconds.append(time.perf_counter() - start)
    return losses
