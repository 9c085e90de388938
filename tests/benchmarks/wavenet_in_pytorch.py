"""WaveNet as a PyTorch user would write it: nn.Conv1d with channels first, and a loop with a ring a layer."""

import time

import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, filters, skip_filters, dilation):
        super().__init__()
        self.dilation = dilation
        self.convolution = nn.Conv1d(filters, 2 * filters, 2, dilation=dilation)
        self.outward = nn.Conv1d(filters, filters + skip_filters, 1)

    def forward(self, x):
        opened, gate = self.convolution(nn.functional.pad(x, (self.dilation, 0))).chunk(2, dim=1)
        outward = self.outward(torch.tanh(opened) * torch.sigmoid(gate))
        return x + outward[:, : x.shape[1]], outward[:, x.shape[1] :]


class WaveNet(nn.Module):
    def __init__(self, dilations, filters, skip_filters, num_levels=256):
        super().__init__()
        self.lookup = nn.Embedding(num_levels, filters)
        self.blocks = nn.ModuleList(Block(filters, skip_filters, dilation) for dilation in dilations)
        self.hidden = nn.Conv1d(skip_filters, skip_filters, 1)
        self.output = nn.Conv1d(skip_filters, num_levels, 1)

    def forward(self, levels):
        x, total = self.lookup(levels).transpose(1, 2), 0
        for block in self.blocks:
            x, skip = block(x)
            total = total + skip
        return self.output(torch.relu(self.hidden(torch.relu(total))))

    def take(self, weights):
        """Keras' weights, in their order."""
        arrays = iter(torch.from_numpy(array) for array in weights)
        with torch.no_grad():
            self.lookup.weight.copy_(next(arrays))
            for layer in (*(part for block in self.blocks for part in (block.convolution, block.outward)),
                          self.hidden, self.output):  # fmt: skip
                kernel = next(arrays)
                layer.weight.copy_(kernel.permute(2, 1, 0) if kernel.ndim == 3 else kernel.T[..., None])
                layer.bias.copy_(next(arrays))


def train(model, levels, targets, num_steps, seconds):
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    levels, targets, losses = torch.from_numpy(levels).long(), torch.from_numpy(targets).long(), []
    for _ in range(num_steps):
        start = time.perf_counter()
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(levels), targets)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        seconds.append(time.perf_counter() - start)
    return losses


def write(model, noise, silence=128):
    """Sample by sample, with the noise given; each block's last inputs wait in a ring."""
    level, written = silence, []
    with torch.inference_mode():
        parts = []
        for block in model.blocks:
            old, new = (block.convolution.weight[..., tap].T.contiguous() for tap in (0, 1))
            outward = block.outward.weight[..., 0].T.contiguous()
            ring = torch.zeros(block.dilation, len(old))
            parts.append((old, new, block.convolution.bias, outward, block.outward.bias, ring))
        hidden, output = (layer.weight[..., 0].T.contiguous() for layer in (model.hidden, model.output))
        for t, u in enumerate(noise):
            x, total = model.lookup.weight[level][None], 0
            for old, new, bias, outward, outward_bias, ring in parts:
                place = t % len(ring)
                before = torch.addmm(bias, ring[place : place + 1], old)
                opened, gate = torch.addmm(before, x, new).chunk(2, dim=1)
                ring[place] = x[0]
                out = torch.addmm(outward_bias, torch.tanh(opened) * torch.sigmoid(gate), outward)
                x, total = x + out[:, : x.shape[1]], total + out[:, x.shape[1] :]
            logits = torch.addmm(model.hidden.bias, torch.relu(total), hidden)
            logits = torch.addmm(model.output.bias, torch.relu(logits), output)[0]
            shares = torch.cumsum(torch.softmax(logits, dim=-1), dim=-1)
            level = min(int(torch.sum(shares <= float(u) * shares[-1])), 255)
            written.append(level)
    return written
