"""VQ-VAE-2 of two levels as a PyTorch user would write it, in the manner of rosinality's vq-vae-2-pytorch.

The codebooks are vector-quantize-pytorch's.
"""

import torch
from pixelcnn_in_pytorch import take
from torch import nn
from vector_quantize_pytorch import VectorQuantize
from vqvae_in_pytorch import nats, take_codebook


class Residual(nn.Module):
    def __init__(self, units, residual_units):
        super().__init__()
        self.inner = nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(units, residual_units, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(residual_units, units, 1),
        )

    def forward(self, x):
        out = self.inner(x)
        out += x
        return out


def blocks(units, residual_units, num_blocks):
    return [*(Residual(units, residual_units) for _ in range(num_blocks)), nn.ReLU(inplace=True)]


def down(channels, units, *how, stride):
    """A map of a `stride`-th of the side."""
    halvings = [nn.Conv2d(channels, units, 4, 2, 1), nn.ReLU(inplace=True)]
    if stride == 4:
        first = [nn.Conv2d(channels, units // 2, 4, 2, 1), nn.ReLU(inplace=True)]
        halvings = [*first, nn.Conv2d(units // 2, units, 4, 2, 1), nn.ReLU(inplace=True)]
    return nn.Sequential(*halvings, nn.Conv2d(units, units, 3, padding=1), *blocks(units, *how))


def up(channels, out_channels, units, *how, stride):
    """A map of `stride` times the side."""
    doublings = [nn.ConvTranspose2d(units, out_channels, 4, 2, 1)]
    if stride == 4:
        first = [nn.ConvTranspose2d(units, units // 2, 4, 2, 1), nn.ReLU(inplace=True)]
        doublings = [*first, nn.ConvTranspose2d(units // 2, out_channels, 4, 2, 1)]
    return nn.Sequential(nn.Conv2d(channels, units, 3, padding=1), *blocks(units, *how), *doublings)


class VQVAE2(nn.Module):
    def __init__(self, units, residual_units, num_blocks, num_embeddings, embedding_dim):
        super().__init__()
        how = (units, residual_units, num_blocks)

        def codebook():
            return VectorQuantize(
                dim=embedding_dim,
                codebook_size=num_embeddings,
                decay=0.99,
                commitment_weight=0.25,
                accept_image_fmap=True,
            )

        self.to_bottom = down(3, *how, stride=4)
        self.to_top = down(units, *how, stride=2)
        self.vectors_top = nn.Conv2d(units, embedding_dim, 1)
        self.codebook_top = codebook()
        self.from_top = up(embedding_dim, embedding_dim, *how, stride=2)
        self.vectors_bottom = nn.Conv2d(units + embedding_dim, embedding_dim, 1)
        self.codebook_bottom = codebook()
        self.larger_top = nn.ConvTranspose2d(embedding_dim, embedding_dim, 4, 2, 1)
        self.decoder = up(2 * embedding_dim, 9, *how, stride=4)

    def forward(self, images):
        """Raw parameters (batch, channels, 3, height, width), and the codebooks' loss."""
        bottom = self.to_bottom(images / 127.5 - 1)
        top, _, top_loss = self.codebook_top(self.vectors_top(self.to_top(bottom)))
        bottom = self.vectors_bottom(torch.cat([bottom, self.from_top(top)], 1))
        bottom, _, bottom_loss = self.codebook_bottom(bottom)
        params = self.decoder(torch.cat([self.larger_top(top), bottom], 1))
        return params.unflatten(1, (3, 3)), top_loss.sum() + bottom_loss.sum()

    def take(self, weights, embeddings):
        """Keras' weights, in the order of the layers above, and its codebooks, the top's first."""
        take(self, weights)
        for codebook, each in zip((self.codebook_top, self.codebook_bottom), embeddings, strict=True):
            take_codebook(codebook, each)


def stepper(model, images):
    """What takes a step of Adam, and returns the likelihood part of its loss."""
    optimizer = torch.optim.Adam(model.parameters(), 3e-4)
    images = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
    model.train()

    def step():
        optimizer.zero_grad()
        params, other = model(images)
        loss = nats(params, images).mean()
        (loss + other).backward()
        optimizer.step()
        return loss.item()

    return step
