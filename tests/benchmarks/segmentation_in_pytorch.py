"""DeepLab v3+ on a ResNet as one would write it in PyTorch: the other side of bench_segmentation.py.

It never imports the toolkit. Images are (batch, 3, height, width), 0 to 255. Layers are registered in the order in
which `bench_segmentation.py` writes Keras' weights.
"""

import torch
from images_in_pytorch import Residual, Standardize
from torch import nn

RATES, GRID = (6, 12, 18), (1, 2, 4)  # at output stride 16


def unit(before, after, kernel_size=1, stride=1, rate=1, *, relu=True, depthwise=False, epsilon=1e-5):
    """A convolution without bias, batch normalization, ReLU."""
    padding, groups = rate * (kernel_size // 2), before if depthwise else 1
    layers = [
        nn.Conv2d(before, after, kernel_size, stride, padding, rate, groups, bias=False),
        nn.BatchNorm2d(after, eps=epsilon, momentum=0.1),
    ]
    return nn.Sequential(*layers, *([nn.ReLU(inplace=True)] if relu else []))


def separable(before, after, rate=1):
    return nn.Sequential(unit(before, before, 3, rate=rate, depthwise=True), unit(before, after))


class Trunk(nn.Module):
    """A ResNet of output stride 16: the features at a quarter of the image, and the last ones."""

    def __init__(self, counts, width, bottleneck):
        super().__init__()
        self.standardize = Standardize()
        self.stem = _unit(3, width, 7, 2)
        self.pool = nn.MaxPool2d(3, 2, padding=1)
        self.stages, before = nn.ModuleList(), width
        for stage, count in enumerate(counts):
            filters, blocks = width * 2**stage, []
            after = 4 * filters if bottleneck else filters
            for number in range(count):
                stride = 2 if stage in (1, 2) and not number else 1
                times, dilation = (GRID[number % 3], 2) if stage == 3 else (1, 1)
                rate = dilation * times
                if bottleneck:
                    body = [
                        _unit(before, filters, 1, stride),
                        _unit(filters, filters, 3, rate=rate),
                        _unit(filters, after, relu=False),
                    ]
                else:
                    first = rate if number else times  # what stands for the stride is not dilated by it
                    body = [_unit(before, filters, 3, stride, first), _unit(filters, filters, 3, rate=rate, relu=False)]
                same = stride == 1 and before == after
                shortcut = nn.Identity() if same else _unit(before, after, 1, stride, relu=False)
                blocks.append(Residual(shortcut, nn.Sequential(*body)))
                before = after
            self.stages.append(nn.Sequential(*blocks))
        self.channels = before // 8, before

    def forward(self, images):
        fine = self.stages[0](self.pool(self.stem(self.standardize(images))))
        return fine, self.stages[3](self.stages[2](self.stages[1](fine)))


def _unit(*sizes, **how):
    return unit(*sizes, epsilon=1.001e-5, **how)


class Pyramid(nn.Module):
    def __init__(self, channels, filters):
        super().__init__()
        branches = [unit(channels, filters), *(separable(channels, filters, rate) for rate in RATES)]
        self.branches = nn.ModuleList(branches)
        self.pooled = unit(channels, filters)
        self.mix = unit((len(RATES) + 2) * filters, filters)

    def forward(self, x):
        mean = self.pooled(x.mean((2, 3), keepdim=True)).expand(-1, -1, *x.shape[2:])
        return self.mix(torch.cat([*(branch(x) for branch in self.branches), mean], dim=1))


class DeepLab(nn.Module):
    def __init__(self, counts, num_classes, width, bottleneck):
        super().__init__()
        filters = 256 * width // 64
        self.trunk = Trunk(counts, width, bottleneck)
        low, high = self.trunk.channels
        narrow = filters * 48 // 256
        self.pyramid = Pyramid(high, filters)
        self.fine = unit(low, narrow)
        self.decoder = nn.Sequential(separable(filters + narrow, filters), separable(filters, filters))
        self.scores = nn.Conv2d(filters, num_classes, 1)

    def forward(self, images):
        fine, x = self.trunk(images)
        fine, x = self.fine(fine), self.pyramid(x)
        x = torch.cat([enlarged(x, fine.shape[2:]), fine], dim=1)
        return enlarged(self.scores(self.decoder(x)), images.shape[2:])


def enlarged(x, size):
    """Four times as large, the pixels of x staying where they are; beyond the last ones, their value."""
    height, width = (4 * (side - 1) + 1 for side in x.shape[2:])
    x = nn.functional.interpolate(x, (height, width), mode="bilinear", align_corners=True)
    more = max(0, size[1] - width), max(0, size[0] - height)
    if any(more):
        x = nn.functional.pad(x, (0, more[0], 0, more[1]), mode="replicate")
    return x[:, :, : size[0], : size[1]]


def network(backbone, width, num_classes):
    counts, bottleneck = {"resnet18": ((2, 2, 2, 2), False), "resnet50": ((3, 4, 6, 3), True)}[backbone]
    return DeepLab(counts, num_classes, width, bottleneck)
