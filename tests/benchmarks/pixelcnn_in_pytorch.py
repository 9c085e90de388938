"""A gated PixelCNN as a PyTorch user would write it: nn.Conv2d with channels first, padded and cropped."""

import time

import torch
from torch import nn
from torch.nn.functional import cross_entropy, pad


class Block(nn.Module):
    def __init__(self, filters, kernel_size, first, condition_filters=0):
        super().__init__()
        self.first, self.reach = first, kernel_size // 2
        taps = self.reach + (not first)
        self.vertical = nn.Conv2d(filters, 2 * filters, (taps, kernel_size))
        self.horizontal = nn.Conv2d(filters, 2 * filters, (1, taps))
        self.across = nn.Conv2d(2 * filters, 2 * filters, 1, bias=False)
        self.outward = nn.Conv2d(filters, filters, 1)
        self.condition = nn.Conv2d(condition_filters, 4 * filters, 1, bias=False) if condition_filters else None

    def forward(self, v, h, condition=None):
        residual = h
        if self.first:
            v, h = v[:, :, :-1], h[..., :-1]
        above = self.vertical(pad(v, (self.reach, self.reach, self.reach, 0)))
        left = self.horizontal(pad(h, (self.reach, 0)))
        if condition is not None:
            to_above, to_left = self.condition(condition).chunk(2, dim=1)
            above, left = above + to_above, left + to_left
        h = self.outward(gate(left + self.across(above)))
        return gate(above), h if self.first else residual + h


def gate(x):
    opened, closing = x.chunk(2, dim=1)
    return torch.tanh(opened) * torch.sigmoid(closing)


class PixelCNN(nn.Module):
    def __init__(self, num_codes, filters, num_blocks, kernel_size, head_filters):
        super().__init__()
        self.lookup = nn.Embedding(num_codes, filters)
        self.blocks = nn.ModuleList(Block(filters, kernel_size, number == 0) for number in range(num_blocks))
        self.hidden = nn.Conv2d(filters, head_filters, 1)
        self.logits = nn.Conv2d(head_filters, num_codes, 1)

    def forward(self, codes):
        v = h = self.lookup(codes).permute(0, 3, 1, 2).contiguous()
        for block in self.blocks:
            v, h = block(v, h)
        return self.logits(torch.relu(self.hidden(torch.relu(h))))


def take(model, weights):
    """Gives the layers Keras' weights, which are in the order in which the layers were made."""
    arrays = iter(torch.from_numpy(array) for array in weights)
    with torch.no_grad():
        for layer in model.modules():
            if isinstance(layer, nn.Embedding):
                layer.weight.copy_(next(arrays))
            elif isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
                kernel = next(arrays)
                kernel = kernel.permute(3, 2, 0, 1) if kernel.ndim == 4 else kernel.T
                layer.weight.copy_(kernel.reshape(layer.weight.shape))
                if layer.bias is not None:
                    layer.bias.copy_(next(arrays))
    if any(True for _ in arrays):
        raise ValueError("more weights than the layers have.")


def emit(model, *given):
    """Logits, the codes last."""
    with torch.no_grad():
        return model(*(torch.from_numpy(codes).long() for codes in given)).permute(0, 2, 3, 1).numpy()


def train(model, codes, num_steps, seconds):
    optimizer = torch.optim.Adam(model.parameters(), 3e-4)
    codes, losses = torch.from_numpy(codes).long(), []
    for _ in range(num_steps):
        start = time.perf_counter()
        optimizer.zero_grad()
        loss = cross_entropy(model(codes), codes)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        seconds.append(time.perf_counter() - start)
    return losses
