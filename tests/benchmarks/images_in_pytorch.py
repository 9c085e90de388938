"""The image networks and their input as one would write them in PyTorch: the other side of bench_images.py.

It never imports the toolkit. Images are (batch, 3, height, width), 0 to 255. A network's layers are registered in the
order in which `toolkit.models.pretrained.in_order` has the same ones, which is how they get Keras' weights.
"""

import math
import random

import numpy as np
import torch
from torch import nn

# Networks. ------------------------------------------------------------------------------------------------------------


class Standardize(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(3, 1, 1))
        self.register_buffer("scale", torch.ones(3, 1, 1))

    def forward(self, images):
        return (images - self.mean) / self.scale


class Residual(nn.Module):
    def __init__(self, shortcut, body):
        super().__init__()
        self.shortcut, self.body = shortcut, body

    def forward(self, x):
        return nn.functional.relu(self.shortcut(x) + self.body(x), inplace=True)


class Paths(nn.Module):
    """Side by side, their results one after another in the channels."""

    def __init__(self, *paths):
        super().__init__()
        self.paths = nn.ModuleList(paths)

    def forward(self, x):
        return torch.cat([path(x) for path in self.paths], dim=1)


def conv(before, after, kernel_size, stride=1, *, padded=True, relu=True, epsilon=1.001e-5, scale=True):
    """A convolution without bias, batch normalization, ReLU; padded by as much on each side."""
    kernel_size = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
    padding = tuple((size - 1) // 2 for size in kernel_size) if padded else 0
    # Keras' momentum of 0.9 is PyTorch's of 0.1.
    normalization = nn.BatchNorm2d(after, eps=epsilon, momentum=0.1)
    if not scale:
        normalization.weight.requires_grad_(False)  # stays 1
    layers = [nn.Conv2d(before, after, kernel_size, stride, padding, bias=False), normalization]
    return nn.Sequential(*layers, *([nn.ReLU(inplace=True)] if relu else []))


def resnet(counts, num_classes, width=64, bottleneck=False, small=False):
    """Version 1; a bottleneck's stride is in its first 1 x 1 convolution; shortcuts of other sizes are convolutions."""
    layers = [Standardize(), conv(3, width, 3 if small else 7, 1 if small else 2)]
    if not small:
        layers.append(nn.MaxPool2d(3, 2, padding=1))
    before = width
    for stage, count in enumerate(counts):
        filters = width * 2**stage
        after = 4 * filters if bottleneck else filters
        for number in range(count):
            stride = 2 if stage and not number else 1
            if bottleneck:
                body = [
                    conv(before, filters, 1, stride),
                    conv(filters, filters, 3),
                    conv(filters, after, 1, relu=False),
                ]
            else:
                body = [conv(before, filters, 3, stride), conv(filters, filters, 3, relu=False)]
            same = stride == 1 and before == after
            shortcut = nn.Identity() if same else conv(before, after, 1, stride, relu=False)
            layers.append(Residual(shortcut, nn.Sequential(*body)))
            before = after
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, num_classes))


def vgg16(num_classes):
    layers, before = [Standardize()], 3
    for count, filters in ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)):
        for _ in range(count):
            layers += [nn.Conv2d(before, filters, 3, padding=1), nn.ReLU(inplace=True)]
            before = filters
        layers.append(nn.MaxPool2d(2))
    layers.append(nn.Flatten())
    for inputs in (7 * 7 * 512, 4096):
        layers += [nn.Linear(inputs, 4096), nn.ReLU(inplace=True), nn.Dropout(0.5)]
    return nn.Sequential(*layers, nn.Linear(4096, num_classes))


def inception_v3(num_classes):
    """Without the auxiliary head."""

    def unit(before, after, kernel_size, stride=1, padded=True):
        return conv(before, after, kernel_size, stride, padded=padded, epsilon=1e-3, scale=False)

    def path(before, *steps, stride=1):
        """Convolutions, each (filters, kernel_size); the last one strided, and then not padded."""
        units = []
        for place, (filters, kernel_size) in enumerate(steps, start=1):
            strided = stride > 1 and place == len(steps)
            units.append(unit(before, filters, kernel_size, stride if strided else 1, not strided))
            before = filters
        return nn.Sequential(*units)

    def averaged(before, filters):
        return nn.Sequential(nn.AvgPool2d(3, 1, padding=1, count_include_pad=False), unit(before, filters, 1))

    def block_of_35(before, pooled):
        return Paths(
            path(before, (64, 1)),
            path(before, (48, 1), (64, 5)),
            path(before, (64, 1), (96, 3), (96, 3)),
            averaged(before, pooled),
        )

    def block_of_17(filters):
        row, column = (1, 7), (7, 1)
        double = [(filters, 1), (filters, column), (filters, row), (filters, column), (192, row)]
        return Paths(
            path(768, (192, 1)),
            path(768, (filters, 1), (filters, row), (192, column)),
            path(768, *double),
            averaged(768, 192),
        )

    def cross():
        return Paths(unit(384, 384, (1, 3)), unit(384, 384, (3, 1)))

    def block_of_8(before):
        return Paths(
            path(before, (320, 1)),
            nn.Sequential(unit(before, 384, 1), cross()),
            nn.Sequential(path(before, (448, 1), (384, 3)), cross()),
            averaged(before, 192),
        )

    return nn.Sequential(
        Standardize(),
        unit(3, 32, 3, 2, padded=False),
        unit(32, 32, 3, padded=False),
        unit(32, 64, 3),
        nn.MaxPool2d(3, 2),
        unit(64, 80, 1),
        unit(80, 192, 3, padded=False),
        nn.MaxPool2d(3, 2),
        block_of_35(192, 32),
        block_of_35(256, 64),
        block_of_35(288, 64),
        Paths(
            path(288, (384, 3), stride=2),
            path(288, (64, 1), (96, 3), (96, 3), stride=2),
            nn.MaxPool2d(3, 2),
        ),
        *map(block_of_17, (128, 160, 160, 192)),
        Paths(
            path(768, (192, 1), (320, 3), stride=2),
            path(768, (192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3), stride=2),
            nn.MaxPool2d(3, 2),
        ),
        block_of_8(1280),
        block_of_8(2048),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(2048, num_classes),
    )


def network(name, num_classes):
    if name == "resnet18":
        return resnet((2, 2, 2, 2), num_classes)
    if name == "resnet50":
        return resnet((3, 4, 6, 3), num_classes, bottleneck=True)
    if name == "resnet20":
        return resnet((3, 3, 3), num_classes, width=16, small=True)
    return {"vgg16": vgg16, "inception_v3": inception_v3}[name](num_classes)


def take(model, layers):
    """Gives a network Keras' weights.

    `layers` are those with weights, each a dict of arrays: mean and scale; kernel and bias; or gamma, beta, moving_mean
    and moving_variance.
    """
    kinds = Standardize | nn.Conv2d | nn.BatchNorm2d | nn.Linear
    own = [module for module in model.modules() if isinstance(module, kinds)]
    channels = None  # of features that are flattened with their places
    is_pooled = any(isinstance(module, nn.AdaptiveAvgPool2d) for module in model.modules())
    for module, arrays in zip(own, layers, strict=True):
        given = {name: array for name, array in arrays.items() if name != "kernel"}
        if isinstance(module, Standardize):
            names = {"mean": module.mean, "scale": module.scale}
            given = {name: array.reshape(3, 1, 1) for name, array in given.items()}
        elif isinstance(module, nn.BatchNorm2d):
            names = {"beta": module.bias, "moving_mean": module.running_mean, "moving_variance": module.running_var}
            if module.weight.requires_grad:
                names["gamma"] = module.weight
        else:
            names = {"kernel": module.weight} | ({} if module.bias is None else {"bias": module.bias})
            if isinstance(module, nn.Conv2d):
                channels, given["kernel"] = module.out_channels, arrays["kernel"].transpose(3, 2, 0, 1)
            else:
                kernel = arrays["kernel"].T
                if channels and not is_pooled:  # Keras has a place's channels together
                    side = math.isqrt(module.in_features // channels)
                    kernel = kernel.reshape(-1, side, side, channels).transpose(0, 3, 1, 2).reshape(kernel.shape)
                channels, given["kernel"] = None, kernel
        if names.keys() != given.keys():
            raise ValueError(f"{module} has {sorted(names)}, Keras' layer {sorted(given)}.")
        with torch.no_grad():
            for name, parameter in names.items():
                if tuple(parameter.shape) != given[name].shape:
                    raise ValueError(f"{module}, {name}: {tuple(parameter.shape)}, in Keras {given[name].shape}.")
                parameter.copy_(torch.from_numpy(np.ascontiguousarray(given[name])))
    return model


def as_images(array, channels_last):
    """Keras' (batch, height, width, channels) as PyTorch has it, in one of its two orders in memory."""
    images = torch.from_numpy(array).permute(0, 3, 1, 2)
    return images.contiguous(memory_format=torch.channels_last if channels_last else torch.contiguous_format)


def in_order_of(model, channels_last):
    return model.to(memory_format=torch.channels_last if channels_last else torch.contiguous_format)


def stepping(model, learning_rate):
    """A function that takes a step on images and labels and gives the loss before it."""
    optimizer = torch.optim.SGD(model.parameters(), learning_rate, momentum=0.9)
    model.train()

    def step(images, labels):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


# Input. ---------------------------------------------------------------------------------------------------------------


class Files(torch.utils.data.Dataset):
    """Image files: a part of 8 to 100 % of the image, resized; mirrored half of the time; colours changed."""

    def __init__(self, paths, labels, size, color):
        self.paths, self.labels, self.size, self.color = paths, labels, size, color

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        from PIL import Image, ImageEnhance  # here: bench_gpu.py has the networks where there may be no Pillow

        with Image.open(self.paths[index]) as file:
            image = file.convert("RGB")
        image = image.resize((self.size, self.size), Image.Resampling.BILINEAR, box=part_of(*image.size))
        if random.random() < 0.5:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        for change in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
            image = change(image).enhance(random.uniform(1 - self.color, 1 + self.color))
        return torch.from_numpy(np.array(image)).permute(2, 0, 1).float(), self.labels[index]


def part_of(width, height):
    """Left, top, right and bottom of a part whose width to height is 3/4 to 4/3."""
    for _ in range(10):
        area = width * height * random.uniform(0.08, 1)
        aspect = math.exp(random.uniform(math.log(3 / 4), math.log(4 / 3)))
        columns, rows = math.sqrt(area * aspect), math.sqrt(area / aspect)
        if columns <= width and rows <= height:
            left, top = random.uniform(0, width - columns), random.uniform(0, height - rows)
            return left, top, left + columns, top + rows
    side = min(width, height)
    return (width - side) / 2, (height - side) / 2, (width + side) / 2, (height + side) / 2


def batches_of_files(paths, labels, size, color, batch_size, num_workers):
    """Endless."""
    dataset = Files(paths, labels, size, color)
    loader = torch.utils.data.DataLoader(
        dataset, batch_size, shuffle=True, num_workers=num_workers, drop_last=True, persistent_workers=True
    )
    while True:
        yield from loader


def batches_of_arrays(images, labels, batch_size):
    """Endless, from uint8 (count, side, side, 3): shifted by up to an eighth, half of them mirrored, whole batches."""
    images, labels = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(), torch.from_numpy(labels)
    side = images.shape[-1]
    border = side // 8
    places = torch.arange(side)
    while True:
        for rows in torch.randperm(len(images)).split(batch_size):
            batch = nn.functional.pad(images[rows], (border,) * 4)
            top, left = torch.randint(0, 2 * border + 1, (2, len(rows), 1))
            columns = torch.where(torch.rand(len(rows), 1) < 0.5, places, places.flip(0)) + left
            numbers = torch.arange(len(rows))[:, None, None, None]
            channels = torch.arange(batch.shape[1])[:, None, None]
            batch = batch[numbers, channels, (places + top)[:, None, :, None], columns[:, None, None]]
            yield batch.float(), labels[rows]
