"""VGG8B on local errors as the published code trains it: each block goes back and takes its step within the forward."""

import time

import torch
from torch import nn
from torch.nn import functional

PLAN = (128, 256, "pool", 256, 512, "pool", 512, "pool", 512, "pool")
BETA = 0.99


def similarity_matrix(x):
    if x.dim() == 4:
        x = x.flatten(2).std(dim=2) if x.shape[1] > 3 and x.shape[2] > 1 else x.flatten(1)
    x = x - x.mean(dim=1, keepdim=True)
    x = x / (1e-8 + x.square().sum(dim=1, keepdim=True).sqrt())
    return (x @ x.T).clamp(-1, 1)


class Block(nn.Module):
    def __init__(self, linear, window, decoder_size, num_classes, local):
        super().__init__()
        self.linear, self.window, self.local = linear, window, local
        channels = linear.weight.shape[0]
        dense = isinstance(linear, nn.Linear)
        self.bn = nn.BatchNorm1d(channels) if dense else nn.BatchNorm2d(channels)
        if local:
            self.prediction = nn.Linear(decoder_size, num_classes)
            self.similarity_map = (
                nn.Linear(channels, channels, bias=False)
                if dense
                else nn.Conv2d(channels, channels, 3, padding=1, bias=False)
            )
            self.optimizer = torch.optim.Adam(self.parameters(), 5e-4)

    def forward(self, x, labels, one_hot):
        """What is passed on, and the loss."""
        h = self.bn(self.linear(x))
        h = functional.leaky_relu(h, 0.01) if self.local else functional.relu(h)
        if not self.local:
            return h, 0.0
        similarities = functional.mse_loss(similarity_matrix(self.similarity_map(h)), similarity_matrix(one_hot))
        # Keras flattens channels last.
        averaged = functional.avg_pool2d(h, self.window).permute(0, 2, 3, 1) if h.dim() == 4 else h
        said = functional.cross_entropy(self.prediction(averaged.flatten(1)), labels)
        loss = (1 - BETA) * said + BETA * similarities
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return h.detach(), loss.item()


class Network(nn.Module):
    def __init__(self, width, units, side, windows, num_classes, local):
        """`windows`: of each block, the (height, width) that its maps are averaged over."""
        super().__init__()
        self.blocks, self.pooled, channels, number = nn.ModuleList(), [], 3, 0
        for place, filters in enumerate(PLAN):
            if filters == "pool":
                continue
            filters = filters * width // 128
            window = windows[number]
            size = filters * (side // window[0]) * (side // window[1])
            linear = nn.Conv2d(channels, filters, 3, padding=1)
            self.blocks.append(Block(linear, window, size, num_classes, local))
            self.pooled.append(PLAN[place + 1 : place + 2] == ("pool",))
            side, channels, number = side // 2 if self.pooled[-1] else side, filters, number + 1
        self.blocks.append(Block(nn.Linear(channels * side * side, units), None, units, num_classes, local))
        self.last, self.local = nn.Linear(units, num_classes), local
        self.optimizer = torch.optim.Adam(self.last.parameters() if local else self.parameters(), 5e-4)

    def take(self, weights):
        """Keras' weights, by their paths."""
        parts = {f"block_{number}": block for number, block in enumerate(self.blocks, 1)}
        with torch.no_grad():
            for path, value in weights.items():
                layer, kind = path.split("/")
                if layer.startswith("standardize"):
                    continue
                value = torch.from_numpy(value)
                if layer == "logits":
                    part = self.last
                else:
                    name = "_".join(layer.split("_")[:2])
                    part = getattr(parts[name], layer.removeprefix(f"{name}_"))
                if kind == "kernel":
                    value = value.permute(3, 2, 0, 1) if value.dim() == 4 else value.T
                names = {"kernel": "weight", "gamma": "weight", "beta": "bias", "moving_mean": "running_mean"}
                getattr(part, names.get(kind, "running_var" if kind == "moving_variance" else kind)).copy_(value)

    def step(self, images, labels, one_hot):
        """The sum of all losses."""
        self.optimizer.zero_grad()
        x, total = images, 0.0
        for block, pooled in zip(self.blocks[:-1], self.pooled, strict=True):
            x, loss = block(x, labels, one_hot)
            x, total = functional.max_pool2d(x, 2) if pooled else x, total + loss
        x, loss = self.blocks[-1](x.permute(0, 2, 3, 1).flatten(1), labels, one_hot)
        paid = functional.cross_entropy(self.last(x), labels) * (1 - BETA if self.local else 1.0)
        paid.backward()
        self.optimizer.step()
        return total + loss + paid.item()


def train(model, images, one_hot, num_steps, seconds):
    """The first step's loss."""
    images = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
    one_hot, first = torch.from_numpy(one_hot), None
    labels = one_hot.argmax(dim=1)
    for _ in range(num_steps):
        start = time.perf_counter()
        loss = model.step(images, labels, one_hot)
        first = loss if first is None else first
        seconds.append(time.perf_counter() - start)
    return first
