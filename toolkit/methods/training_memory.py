"""How much memory a step of training takes by depth: back-propagation, gradient checkpointing, local errors."""

import concurrent.futures
import ctypes
import multiprocessing
import os
import pathlib
import re
from collections.abc import Callable

import numpy as np

WAYS = ("back-propagation", "gradient checkpointing", "local errors, one pass", "local errors, block by block")


def peak_memory(way: str, depth: int, *, filters: int = 32, image_size: int = 32, batch_size: int = 64) -> float:
    """Measures what a step adds to a process' memory at most: activations, gradients and whatever else is computed.

    It trains in a process of its own, once on two images, by which all weights and the graph are there, and then on a
    batch.

    Args:
        way: One of `WAYS`; local errors are predsim.
        depth: Blocks of 3 x 3 convolutions, which all have maps as large as the images.
        filters: Of each block.
        image_size: Height and width, in pixels.
        batch_size: Images.

    Returns:
        Megabytes.

    Raises:
        ValueError: Where the way is unknown, or a size is below 1.
        OSError: Where the system is not Linux.
    """
    if way not in WAYS:
        raise ValueError(f"way must be one of {', '.join(WAYS)}; got {way!r}.")
    for name, size in (("depth", depth), ("filters", filters), ("image_size", image_size), ("batch_size", batch_size)):
        if size < 1:
            raise ValueError(f"{name} must be at least 1; got {size}.")
    # Spawned: of a fork, what this process has would count too.
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=spawn, initializer=_quiet) as pool:
        return pool.submit(_measured, way, depth, filters, image_size, batch_size).result()


def _quiet():
    # TensorFlow's C++ announces itself.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _measured(way, depth, filters, image_size, batch_size):
    # Each tensor's memory goes back to the system when it is free, whatever was allocated before.
    ctypes.CDLL(None).mallopt(-3, 1 << 16)  # M_MMAP_THRESHOLD, in bytes
    step = training_step(way, depth, filters=filters, image_size=image_size)
    random = np.random.default_rng(0)
    images = random.uniform(0, 255, (batch_size, image_size, image_size, 3)).astype("float32")
    labels = np.eye(10, dtype="float32")[random.integers(0, 10, batch_size)]
    for _ in range(2):
        step(images[:2], labels[:2])
    before = _kilobytes("VmRSS")
    for _ in range(2):
        step(images, labels)
    return (_kilobytes("VmHWM") - before) / 1024


def _kilobytes(what):
    """A line of the process' own status: what it has now, or the most that it has had."""
    found = re.search(rf"{what}:\s*(\d+) kB", pathlib.Path("/proc/self/status").read_text())
    if found is None:
        raise OSError(f"/proc/self/status has no {what}; expected Linux.")
    return int(found[1])


def training_step(way: str, depth: int, *, filters: int = 32, image_size: int = 32) -> Callable:
    """Makes a step of Adam on a network of equal blocks.

    Args:
        way: One of `WAYS`.
        depth: Blocks.
        filters: Of each block.
        image_size: Height and width, in pixels.

    Returns:
        A function of images (batch, image_size, image_size, 3) and one-hot labels (batch, 10), traced once for any
        batch, that takes a step and returns the loss: that step's of gradient checkpointing; else the mean of all until
        now, as Keras' own steps do.
    """
    import keras
    import tensorflow as tf

    from toolkit.methods import local_errors
    from toolkit.models import local_blocks

    keras.utils.set_random_seed(0)
    loss = "predsim" if way.startswith("local") else "global"
    network = local_blocks.local_blocks(
        (filters,) * depth, (image_size, image_size, 3), 10, loss=loss, num_hidden=0, dropout=0.0
    )
    optimizer = keras.optimizers.Adam(5e-4)
    model = local_errors.compiled(network, optimizer, loss, one_pass=way == WAYS[2])
    blocks = local_blocks.stages(network)

    def checkpointed(images, labels):
        """Each block is computed once more on the way back, from what it was given."""
        with tf.GradientTape() as tape:
            x = images
            for block in blocks[:-1]:
                x = keras.remat(lambda x, block=block: block(x, training=True)["passed"])(x)
            paid = model.compute_loss(y={"logits": labels}, y_pred=blocks[-1](x, training=True), training=True)
        weights = network.trainable_variables
        optimizer.apply(tape.gradient(paid, weights), weights)
        return paid

    def step(images, labels):
        if way == WAYS[1]:
            return checkpointed(images, labels)
        return model.train_step((images, dict.fromkeys(network.output, labels)))["loss"]

    shapes = [(None, image_size, image_size, 3), (None, 10)]
    return tf.function(step, input_signature=[tf.TensorSpec(shape) for shape in shapes], autograph=False)
