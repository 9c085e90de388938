"""A PixelSNAIL as a PyTorch user would write it, and attention in the manner of rosinality's vq-vae-2-pytorch.

The gated blocks are a PixelCNN's. Attention makes the weights of all places at once, and masks them.
"""

import functools
import math

import torch
from pixelcnn_in_pytorch import Block, gate
from torch import nn
from torch.nn.functional import cross_entropy, pad, scaled_dot_product_attention


@functools.lru_cache
def masks(num_places):
    """What each place sees, those before it; and 0 for the first, which sees none."""
    seen = torch.ones(num_places, num_places, dtype=torch.bool).tril(-1)
    return seen, seen.any(dim=1, keepdim=True).float()


def attend_at_once(queries, keys, values):
    """(batch, heads, places, channels), all weights of all places at once."""
    scores = torch.matmul(queries, keys.transpose(2, 3)) / math.sqrt(queries.shape[-1])
    seen, starts = masks(scores.shape[-1])
    weights = torch.softmax(scores.masked_fill(~seen, -1e9), 3) * starts
    return weights @ values


def attend_fused(queries, keys, values):
    """The same by PyTorch's own attention: a place sees itself there, so that the keys are moved on by one."""
    seen = scaled_dot_product_attention(queries[:, :, 1:], keys[:, :, :-1], values[:, :, :-1], is_causal=True)
    return pad(seen, (0, 0, 1, 0))


class CausalAttention(nn.Module):
    def __init__(self, query_channels, key_channels, channels, num_heads, attend=attend_at_once):
        super().__init__()
        self.query = nn.Linear(query_channels, channels)
        self.key, self.value = nn.Linear(key_channels, channels), nn.Linear(key_channels, channels)
        self.num_heads, self.attend = num_heads, attend

    def forward(self, query, key):
        batch, _, height, width = query.shape

        def heads(x):
            return x.view(batch, height * width, self.num_heads, -1).transpose(1, 2)

        query, key = query.flatten(2).transpose(1, 2), key.flatten(2).transpose(1, 2)
        seen = self.attend(heads(self.query(query)), heads(self.key(key)), heads(self.value(key)))
        return seen.transpose(1, 2).reshape(batch, height, width, -1).permute(0, 3, 1, 2)


class Attended(nn.Module):
    def __init__(self, filters, num_heads):
        super().__init__()
        self.attention = CausalAttention(filters + 2, 2 * filters + 2, filters, num_heads)
        self.gates, self.outward = nn.Conv2d(2 * filters, 2 * filters, 1), nn.Conv2d(filters, filters, 1)

    def forward(self, h, looked_up, places):
        found = self.attention(torch.cat([h, places], 1), torch.cat([h, looked_up, places], 1))
        return h + self.outward(gate(self.gates(torch.cat([h, found], 1))))


class Residual(nn.Module):
    def __init__(self, filters, kernel_size):
        super().__init__()
        self.inner = nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(filters, filters, kernel_size, padding=kernel_size // 2),
            nn.ReLU(inplace=True),
            nn.Conv2d(filters, filters, 1),
        )

    def forward(self, x):
        return x + self.inner(x)


class PixelSNAIL(nn.Module):
    """Of one map that is known above, of half the side, where there are `num_context_blocks`."""

    def __init__(
        self,
        num_codes,
        filters,
        num_blocks,
        kernel_size,
        attention_every,
        num_heads,
        num_output_blocks,
        num_context_blocks,
    ):
        super().__init__()
        told, self.context = filters if num_context_blocks else 0, None
        if num_context_blocks:
            self.context_lookup = nn.Embedding(num_codes, filters)
            self.context = nn.Sequential(
                nn.Conv2d(filters, filters, 3, padding=1),
                *(Residual(filters, 3) for _ in range(num_context_blocks)),
                nn.ConvTranspose2d(filters, filters, 2, 2),
            )
        self.lookup = nn.Embedding(num_codes, filters)
        self.blocks = nn.ModuleList(Block(filters, kernel_size, number == 0, told) for number in range(num_blocks))
        self.attended = nn.ModuleDict(
            {
                str(number): Attended(filters, num_heads)
                for number in range(1, num_blocks + 1)
                if attention_every and number % attention_every == 0
            }
        )
        self.out = nn.Sequential(
            *(Residual(filters, 1) for _ in range(num_output_blocks)), nn.ReLU(), nn.Conv2d(filters, num_codes, 1)
        )

    def forward(self, codes, above=None):
        condition = None
        if self.context is not None:
            condition = self.context(self.context_lookup(above).permute(0, 3, 1, 2).contiguous())
        looked_up = v = h = self.lookup(codes).permute(0, 3, 1, 2).contiguous()
        rows, columns = (torch.linspace(-0.5, 0.5, side) for side in codes.shape[1:])
        places = torch.stack(torch.meshgrid(rows, columns, indexing="ij")).expand(len(codes), -1, -1, -1)
        for number, block in enumerate(self.blocks, 1):
            v, h = block(v, h, condition)
            if str(number) in self.attended:
                h = self.attended[str(number)](h, looked_up, places)
        return self.out(h)


def stepper(model, codes, *above):
    """What takes a step of Adam, and returns its loss."""
    optimizer = torch.optim.Adam(model.parameters(), 3e-4)
    codes, *above = (torch.from_numpy(each).long() for each in (codes, *above))

    def step():
        optimizer.zero_grad()
        loss = cross_entropy(model(codes, *above), codes)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def attention_stepper(layer, query, key):
    """What attends, and back; returns what it found and the query's gradient, channels last as in its inputs."""
    query, key = (torch.from_numpy(x).permute(0, 3, 1, 2).contiguous().requires_grad_() for x in (query, key))

    def step():
        found = layer(query, key)
        gradients = torch.autograd.grad(found.square().sum(), [query, key, *layer.parameters()])
        return [x.detach().permute(0, 2, 3, 1).numpy() for x in (found, gradients[0])]

    return step
