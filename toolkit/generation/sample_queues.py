"""A WaveNet one sample at a time.

Each block's inputs wait in a queue until they are read: a sample takes one step through the blocks, however far they
see. All queues lie in one tensor, each a ring: a step reads them at once, writes them at once and moves nothing.
"""

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from toolkit.models import wavenet

# Samples that are written between two looks into the long queues.
CHUNK = 32


class Prepared(NamedTuple):
    """What is the same at every sample: weights as `SampleQueues.step` reads them, and what is conditioned on.

    Shapes, of L blocks of F filters, C channels and S skip filters, and of kernels that read K samples:
        lookup: (levels, C), a row a level.
        past: (L (K - 1), C, 2 F), kernels of the samples in the queues.
        now: L times (C, 2 F), kernels of the sample that is read.
        constant: (L, batch, 2 F), the convolutions' biases, and the speaker's share.
        local: (condition size, L 2 F), kernels of the units; None for a network that reads none.
        frames: (batch, frames, condition size), what the units are; None likewise.
        residual: L times (kernel (F, C), bias (C,)).
        skip: kernel (L F, S), bias (S,).
        head: Twice (kernel, bias): "hidden" and the output.
    """

    lookup: tf.Tensor
    past: tf.Tensor
    now: list[tf.Tensor]
    constant: tf.Tensor
    local: tf.Tensor | None
    frames: tf.Tensor | None
    residual: list[tuple[tf.Tensor, tf.Tensor]]
    skip: tuple[tf.Tensor, tf.Tensor]
    head: list[tuple[tf.Tensor, tf.Tensor]]


class SampleQueues:
    """The step of a WaveNet, a pure function with its state laid open; `audio.SoundGenerator` draws with it.

    A sample costs as much as the network has blocks, not as much as it sees. Zeros in the queues are what the causal
    convolutions have before the first sample, so that one step after another computes what the network does at once.

    Args:
        model: What `models.wavenet.wavenet` returned.

    Example:

    >>> from toolkit import models
    >>> queues = SampleQueues(models.wavenet.wavenet([1, 2, 4], filters=8, skip_filters=8))
    >>> state, prepared = queues.initial_state(batch_size=1), queues.prepare(batch_size=1)
    >>> logits, state = queues.step(tf.constant([128]), state, prepared)
    >>> logits.shape, state["queues"].shape, state["position"].numpy().tolist()
    (TensorShape([1, 256]), TensorShape([7, 1, 8]), [1])

    Reference: Le Paine et al. 2016, "Fast Wavenet generation algorithm", arXiv 1611.09482.
    """

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        self.levels = model.get_layer("levels")
        self.distribution = wavenet.distribution(model)
        self.blocks = wavenet.blocks(model)
        self.num_params = model.output_shape[-1]
        names = {layer.name for layer in model.layers}
        self.reads = {name: f"{name}_embedding" in names for name in ("speaker", "unit")}
        self.filters = self.blocks[0].filters
        self.channels = self.blocks[0].convolution.kernel.shape[1]
        taps = self.blocks[0].kernel_size - 1
        dilations = np.array([block.dilation_rate for block in self.blocks], "int32")
        self.num_rows = int(taps * dilations.sum())
        # In the tensors of all blocks those come last whose dilation is whole chunks: `audio` keeps them apart.
        self._order = sorted(range(len(dilations)), key=lambda block: dilations[block] % CHUNK == 0)
        dilations = dilations[self._order]
        self.num_far = int((dilations % CHUNK == 0).sum())
        self.num_far_rows = int(taps * dilations[len(dilations) - self.num_far :].sum())
        # Of each block: where its ring begins, how long it is, and how far back its taps read, the oldest first.
        self._starts = (taps * (np.cumsum(dilations) - dilations)).astype("int32")[:, None]
        self._lengths = (taps * dilations)[:, None]
        self._back = dilations[:, None] * np.arange(taps, 0, -1, dtype="int32")

    def initial_state(self, batch_size: int | tf.Tensor) -> dict[str, tf.Tensor]:
        """The state before the first sample.

        Args:
            batch_size: Sounds written at once, a number or a scalar tensor.

        Returns:
            {"queues": (rows, batch, channels), zeros: the inputs that the blocks have yet to read, of all blocks;
            "position": (1,), int32, samples read}.
        """
        return {
            "queues": tf.zeros((self.num_rows, batch_size, self.channels)),
            "position": tf.zeros((1,), tf.int32),
        }

    def frames(self, units: ArrayLike) -> tf.Tensor:
        """What the units of a sound are to the blocks, each seen with its neighbours.

        Args:
            units: (batch, frames), integers; those that are none count as the nearest.

        Returns:
            (batch, frames, condition size).
        """
        embedding, number = self.model.get_layer("unit_embedding"), 1
        x = embedding(tf.clip_by_value(tf.cast(units, tf.int32), 0, embedding.input_dim - 1))
        names = {layer.name for layer in self.model.layers}
        while f"context_{number}" in names:
            x, number = self.model.get_layer(f"context_{number}")(x), number + 1
        return tf.cast(x, tf.float32)

    def prepare(
        self, batch_size: int | tf.Tensor, speaker: ArrayLike | None = None, frames: ArrayLike | None = None
    ) -> Prepared:
        """Brings the weights, the speaker and the units into the form that every step reads.

        Args:
            batch_size: Sounds written at once.
            speaker: (batch,), integers, for a network that reads them.
            frames: As `frames` returns them, for a network that reads units.

        Raises:
            ValueError: Where the network reads what is not given, or the reverse.
        """
        for name, given in (("speaker", speaker), ("unit", frames)):
            if self.reads[name] != (given is not None):
                what = "a speaker" if name == "speaker" else "units"
                raise ValueError(f"This network reads {f'{what}: give them' if self.reads[name] else f'no {name}'}.")
        ordered, outward = [self.blocks[number] for number in self._order], [b.outward for b in self.blocks]
        kernels = [tf.convert_to_tensor(b.convolution.kernel) for b in ordered]
        width, c = 2 * self.filters, self.channels
        constant = tf.stack([tf.convert_to_tensor(b.convolution.bias) for b in ordered])[:, None]
        constant = tf.broadcast_to(constant, (len(kernels), batch_size, width))
        if speaker is not None:
            embedding = self.model.get_layer("speaker_embedding")
            numbers = tf.clip_by_value(tf.cast(speaker, tf.int32), 0, embedding.input_dim - 1)
            vector = tf.gather(tf.convert_to_tensor(embedding.embeddings), numbers)
            shares = tf.stack([tf.convert_to_tensor(b.global_projection.kernel) for b in ordered])
            constant += tf.matmul(vector[None], shares)
        local = None
        if frames is not None:
            local = tf.concat([tf.convert_to_tensor(b.local_projection.kernel) for b in ordered], axis=-1)
        outward = [(tf.convert_to_tensor(each.kernel), tf.convert_to_tensor(each.bias)) for each in outward]
        head = [self.model.get_layer("hidden"), self.model.layers[-1]]
        return Prepared(
            lookup=self._lookup(),
            past=tf.concat([kernel[:-1] for kernel in kernels], axis=0),
            now=[tf.convert_to_tensor(b.convolution.kernel)[-1] for b in self.blocks],
            constant=constant,
            local=local,
            frames=None if frames is None else tf.convert_to_tensor(frames),
            residual=[(kernel[:, :c], bias[:c]) for kernel, bias in outward],
            skip=(
                tf.concat([kernel[:, c:] for kernel, _ in outward], axis=0),
                tf.add_n([bias[c:] for _, bias in outward]),
            ),
            head=[(tf.convert_to_tensor(each.kernel), tf.convert_to_tensor(each.bias)) for each in head],
        )

    def _lookup(self):
        """What the blocks are given for each level."""
        layer = self.model.get_layer("lookup")
        if self.distribution is None:
            return tf.convert_to_tensor(layer.embeddings)
        return tf.convert_to_tensor(layer.kernel), tf.convert_to_tensor(layer.bias)

    def step(
        self, level: tf.Tensor, state: dict[str, tf.Tensor], prepared: Prepared
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Reads one sample.

        Args:
            level: (batch,), integers; the layer's `silence` before the first.
            state: As `initial_state` makes it.
            prepared: As `prepare` makes it.

        Returns:
            Logits, or parameters of the mixture, of the next sample (batch, num_params); and the next state.
        """
        position, queues = state["position"], state["queues"]
        rows, past = self._read(queues, position, prepared, len(self.blocks))
        x, entering = self._through(level, past + prepared.constant, position, prepared)
        # The oldest has been read: the newest takes its place.
        queues = tf.tensor_scatter_nd_update(queues, rows[:, :1], entering)
        return x, {"queues": queues, "position": position + 1}

    def _read(self, queues, position, prepared, count):
        """The places where the first blocks' taps read, and what the blocks make of it: (count, batch, 2 F)."""
        back, lengths = self._back[:count], self._lengths[:count]
        rows = self._starts[:count] + tf.math.floormod(position - back, lengths)
        past = tf.matmul(tf.gather(queues, tf.reshape(rows, [-1])), prepared.past[: back.size])
        if back.shape[1] > 1:
            past = tf.reduce_sum(tf.reshape(past, (*back.shape, -1, past.shape[-1])), axis=1)
        return rows, past

    def _through(self, level, before, position, prepared):
        """One sample through all blocks: what the network emits, and the blocks' inputs, in the queues' order."""
        if prepared.frames is not None:
            condition = self.model.get_layer("upsampling").step(prepared.frames, tf.maximum(position[0], 0))
            share = tf.reshape(tf.matmul(condition, prepared.local), (-1, len(self.blocks), before.shape[-1]))
            before += tf.transpose(share, (1, 0, 2))
        level = tf.clip_by_value(level, 0, self.levels.num_levels - 1)
        if self.distribution is None:
            x = tf.gather(prepared.lookup, level)
        else:
            x = self.levels.companded(level)[:, None] * prepared.lookup[0] + prepared.lookup[1]
        entering, gated, shares = [], [], dict(zip(self._order, tf.unstack(before), strict=True))
        for number, (now, (kernel, bias)) in enumerate(zip(prepared.now, prepared.residual, strict=True)):
            entering.append(x)
            opened, gate = tf.split(tf.matmul(x, now) + shares[number], 2, axis=-1)
            gated.append(tf.tanh(opened) * tf.sigmoid(gate))
            if len(gated) < len(self.blocks):
                x = x + (tf.matmul(gated[-1], kernel) + bias)
        x = tf.nn.relu(tf.matmul(tf.concat(gated, axis=-1), prepared.skip[0]) + prepared.skip[1])
        (hidden, hidden_bias), (kernel, bias) = prepared.head
        x = tf.matmul(tf.nn.relu(tf.matmul(x, hidden) + hidden_bias), kernel) + bias
        return x, tf.stack([entering[number] for number in self._order])

    def look_far(self, far: tf.Tensor, chunk: tf.Tensor, prepared: Prepared) -> tf.Tensor:
        """What the long queues give to each sample of a chunk.

        They are as long as a chunk at least, and so hold all of this when the chunk begins: it is computed at once.

        Args:
            far: The long queues, the last rows of "queues".
            chunk: The chunk's number, int32 ().
            prepared: As `prepare` makes it.

        Returns:
            (CHUNK, num_far, batch, 2 F), with what is the same for each sample, biases and the speaker's share.
        """
        near, size = len(self.blocks) - self.num_far, prepared.constant.shape[-1]
        back = self._back[near:]
        pages = tf.reshape(far, (far.shape[0] // CHUNK, CHUNK, -1, self.channels))
        read = tf.gather(pages, tf.reshape(self._pages(chunk, back), [-1]))
        read = tf.matmul(tf.reshape(read, (back.size, -1, self.channels)), prepared.past[-back.size :])
        read = tf.reduce_sum(tf.reshape(read, (*back.shape, CHUNK, -1, size)), axis=1)
        return tf.transpose(read + prepared.constant[near:, None], (1, 0, 2, 3))

    def _pages(self, chunk, back):
        near = len(self.blocks) - self.num_far
        starts, lengths = self._starts[near:] - self._starts[near], self._lengths[near:]
        return starts // CHUNK + tf.math.floormod(chunk - back // CHUNK, lengths // CHUNK)

    def step_near(
        self, level: tf.Tensor, state: dict[str, tf.Tensor], prepared: Prepared, far: tf.Tensor
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Reads one sample of a chunk.

        Args:
            level: As in `step`.
            state: "queues": the short ones, and CHUNK rows for each long one; "position" as in `step`.
            prepared: As `prepare` makes it.
            far: As `look_far` returns it.

        Returns:
            As `step` does.
        """
        position, queues, near = state["position"], state["queues"], len(self.blocks) - self.num_far
        place, before, rows = tf.math.floormod(position, CHUNK), far[position[0] % CHUNK], []
        if near:
            short, past = self._read(queues, position, prepared, near)
            before = tf.concat([past + prepared.constant[:near], before], axis=0)
            rows = [short[:, :1]]
        collected = queues.shape[0] - CHUNK * np.arange(self.num_far, 0, -1, dtype="int32")[:, None]
        x, entering = self._through(level, before, position, prepared)
        queues = tf.tensor_scatter_nd_update(queues, tf.concat([*rows, collected + place], axis=0), entering)
        return x, {"queues": queues, "position": position + 1}

    def put_far(self, far: tf.Tensor, chunk: tf.Tensor, queues: tf.Tensor) -> tf.Tensor:
        """The long queues after a chunk.

        Args:
            far: The long queues before it.
            chunk: The chunk's number, int32 ().
            queues: As `step_near` returned them last.
        """
        pages = tf.reshape(far, (far.shape[0] // CHUNK, CHUNK, -1, self.channels))
        new = tf.reshape(queues[-CHUNK * self.num_far :], (self.num_far, CHUNK, -1, self.channels))
        pages = tf.tensor_scatter_nd_update(pages, self._pages(chunk, 0)[:, :1], new)
        return tf.reshape(pages, (far.shape[0], -1, self.channels))
