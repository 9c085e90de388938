"""A gated PixelCNN, or a PixelSNAIL, one row and one place at a time.

The vertical stack is computed once for each row, from a few rows of its inputs that are kept; the horizontal one at
each place, from a short queue of each block's inputs: a code takes one step through the blocks, however many are before
it. Attention alone looks back at all of them.
"""

from typing import NamedTuple

import keras
import tensorflow as tf
from numpy.typing import ArrayLike

from toolkit.generation.attention_cache import AttentionCache, PreparedAttention
from toolkit.models import pixelcnn


class PreparedRows(NamedTuple):
    """What is the same at every place: weights as `CodeRows` reads them, and what is conditioned on.

    Shapes, of N blocks of F filters whose kernels read R rows above and R places to the left:
        lookup: (num_codes + 1, F), the last row zeros: before a row there is nothing.
        vertical: N times (kernel (R, or from the second on R + 1, K, F, 2 F), bias (2 F,)).
        across: N times (2 F, 2 F), from the vertical stack to the horizontal one.
        past: (N, R F, 2 F), horizontal kernels of the places in the queues.
        now: N - 1 times (F, 2 F), those of the place itself, which the first block does not read.
        constant: N times (2 F,), the horizontal convolutions' biases.
        outward: N times (kernel (F, F), bias (F,)).
        attention: What `AttentionCache` reads.
        output: For each residual block before the head twice (kernel, bias).
        head: (kernel, bias) of "logits", before it of "hidden" where the network has that.
        condition: (batch, height or 1, width or 1, channels), what is known of the places; None for a network that is
            told nothing.
        projection: N times (channels, 4 F); None likewise.
    """

    lookup: tf.Tensor
    vertical: list[tuple[tf.Tensor, tf.Tensor]]
    across: list[tf.Tensor]
    past: tf.Tensor
    now: list[tf.Tensor]
    constant: list[tf.Tensor]
    outward: list[tuple[tf.Tensor, tf.Tensor]]
    attention: dict[int, PreparedAttention]
    output: list[tuple[tuple[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]]
    head: list[tuple[tf.Tensor, tf.Tensor]]
    condition: tf.Tensor | None
    projection: list[tf.Tensor] | None


class CodeRows:
    """The steps of a gated PixelCNN, pure functions with their state laid open; `CodeMapGenerator` draws with them.

    Zeros in the kept rows and queues are what the convolutions have beyond the map's edges, so that one step after
    another computes what the network does at once.

    Args:
        model: What `models.pixelcnn.pixelcnn` or `models.pixelsnail.pixelsnail` returned.

    Example:

    >>> from toolkit import models
    >>> rows = CodeRows(models.pixelcnn.pixelcnn(4, 6, 16, filters=8, num_blocks=3, head_filters=8))
    >>> prepared, none = rows.prepare(), tf.fill((1, 6), 16)
    >>> given, kept = rows.read_row(none, 0, rows.initial_rows(batch_size=1), prepared)
    >>> logits, state = rows.step(none[:, 0], rows.initial_state(batch_size=1), prepared, given)
    >>> logits.shape, kept.shape, state["queues"].shape, state["column"].numpy().tolist()
    (TensorShape([1, 16]), TensorShape([3, 1, 2, 6, 8]), TensorShape([3, 1, 2, 8]), [1])

    Reference: van den Oord et al. 2016, arXiv 1606.05328, section 2; the queues: Ramachandran et al. 2017, arXiv
    1704.06001.
    """

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        self.blocks = pixelcnn.blocks(model)
        self.attention = AttentionCache(model)
        self.filters = self.blocks[0].filters
        self.reach = self.blocks[0].kernel_size // 2
        _, self.height, self.width, self.num_codes = model.output_shape
        told = {name: tensor for name, tensor in model.input.items() if name != "codes"}
        self.reads = list(told)
        if told:
            self._condition = keras.Model(told, model.get_layer("condition").output)

    def prepare(self, label: ArrayLike | None = None, context: ArrayLike | None = None) -> PreparedRows:
        """Brings the weights, the class and the known maps into the form that every step reads.

        Args:
            label: (batch,), integers, for a network that reads them.
            context: (batch, num_maps, rows, columns), integers, likewise.

        Raises:
            ValueError: Where the network reads what is not given, or the reverse.
        """
        given = {"label": label, "context": context}
        for name, value in given.items():
            if (name in self.reads) != (value is not None):
                raise ValueError(f"This network reads {f'a {name}: give it' if name in self.reads else f'no {name}'}.")

        def pair(layer):
            return tf.convert_to_tensor(layer.kernel), tf.convert_to_tensor(layer.bias)

        condition = projection = None
        if self.reads:
            given = {name: clamped(given[name], self.num_values(name)) for name in self.reads}
            condition = tf.cast(self._condition(given), tf.float32)
            projection = [tf.convert_to_tensor(block.condition_projection.kernel) for block in self.blocks]
        horizontal = [pair(block.horizontal_convolution) for block in self.blocks]
        lookup = tf.pad(tf.convert_to_tensor(self.model.get_layer("lookup").embeddings), [[0, 1], [0, 0]])
        dense = {layer.name: layer for layer in self.model.layers if isinstance(layer, keras.layers.Dense)}
        num_outputs = sum(name.startswith("output_") for name in dense) // 2
        return PreparedRows(
            lookup=lookup,
            vertical=[pair(block.vertical_convolution) for block in self.blocks],
            across=[tf.convert_to_tensor(block.vertical_to_horizontal.kernel) for block in self.blocks],
            past=tf.stack([tf.concat(tf.unstack(kernel[0, : self.reach]), axis=0) for kernel, _ in horizontal]),
            now=[kernel[0, self.reach] for kernel, _ in horizontal[1:]],
            constant=[bias for _, bias in horizontal],
            outward=[pair(block.outward) for block in self.blocks],
            attention=self.attention.prepare(lookup),
            output=[
                (pair(dense[f"output_{number}_in"]), pair(dense[f"output_{number}_out"]))
                for number in range(1, num_outputs + 1)
            ],
            head=[pair(dense[name]) for name in ("hidden", "logits") if name in dense],
            condition=condition,
            projection=projection,
        )

    def initial_rows(self, batch_size: int | tf.Tensor) -> tf.Tensor:
        """The vertical stack before the first row.

        Args:
            batch_size: Maps written at once, a number or a scalar tensor.

        Returns:
            (blocks, batch, R, width, F), zeros: of each block's inputs the R rows that it reads next.
        """
        return tf.zeros((len(self.blocks), batch_size, self.reach, self.width, self.filters))

    def read_row(
        self, codes: tf.Tensor, row: tf.Tensor, rows: tf.Tensor, prepared: PreparedRows
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Runs the vertical stack over one row.

        Args:
            codes: (batch, width), integers, the row above; `num_codes` before the first.
            row: The row that is to be written, int32 ().
            rows: As `initial_rows` makes them.
            prepared: As `prepare` makes it.

        Returns:
            (width, blocks, batch, 2 F), what the vertical stack, the condition and the biases give to the horizontal
            stack at each place; and the next rows.
        """
        x, kept, given = tf.gather(prepared.lookup, codes), [], []
        here = None
        if prepared.condition is not None:
            here = prepared.condition[:, row if prepared.condition.shape[1] > 1 else 0]
        for number, above in enumerate(tf.unstack(rows)):
            read = tf.concat([above, x[:, None]], axis=1)
            kept.append(read[:, 1:])
            kernel, bias = prepared.vertical[number]
            columns = tf.pad(read if number else kept[0], [[0, 0], [0, 0], [self.reach] * 2, [0, 0]])
            a, constant = tf.nn.conv2d(columns, kernel, 1, "VALID")[:, 0] + bias, prepared.constant[number]
            if here is not None:
                shares = tf.split(tf.matmul(here, prepared.projection[number]), 2, axis=-1)
                a, constant = a + shares[0], constant + shares[1]
            given.append(tf.matmul(a, prepared.across[number]) + constant)
            x = _gate(a)
        return tf.transpose(tf.stack(given), (2, 0, 1, 3)), tf.stack(kept)

    def initial_state(self, batch_size: int | tf.Tensor) -> dict[str, tf.Tensor]:
        """The state before the first place of a map.

        Args:
            batch_size: Maps written at once.

        Returns:
            {"queues": (blocks, batch, R, F), zeros: the inputs of each block at the places to the left; "column": (1,),
            int32, places of the row read}, and what `AttentionCache` keeps.
        """
        queues = tf.zeros((len(self.blocks), batch_size, self.reach, self.filters))
        return {"queues": queues, "column": tf.zeros((1,), tf.int32), **self.attention.initial_state(batch_size)}

    def next_row(self, state: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """The state before the first place of another row.

        Args:
            state: That after the last place of the row above.

        Returns:
            The same with the queues emptied; what attention has seen is kept.
        """
        return {**state, **{name: tf.zeros_like(state[name]) for name in ("queues", "column")}}

    def step(
        self, code: tf.Tensor, state: dict[str, tf.Tensor], prepared: PreparedRows, given: tf.Tensor
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Reads one code.

        Args:
            code: (batch,), integers, the one before: to the left, at the first place of a row the last of the row
                above, `num_codes` at the first of all.
            state: As `initial_state` makes it.
            prepared: As `prepare` makes it.
            given: What the vertical stack gives to the row, as `read_row` returns it.

        Returns:
            Logits of the code here (batch, num_codes); and the next state.
        """
        queues, column = state["queues"], state["column"]
        # To the left of a row there is nothing.
        x = tf.gather(prepared.lookup, tf.where(tf.equal(column, 0), self.num_codes, code))
        first, others = tf.concat([queues[:1], x[None, :, None]], axis=2)[:, :, 1:], queues[1:]
        left = tf.reshape(tf.concat([first, others], axis=0), (len(self.blocks), -1, self.reach * self.filters))
        left = tf.unstack(tf.matmul(left, prepared.past) + given[column[0]])
        kernel, bias = prepared.outward[0]
        h, entering = tf.matmul(_gate(left[0]), kernel) + bias, []
        h, seen = self.attention.attend(1, h, code, state, prepared.attention)
        for before, now, (kernel, bias) in zip(left[1:], prepared.now, prepared.outward[1:], strict=True):
            entering.append(h)
            h = h + (tf.matmul(_gate(before + tf.matmul(h, now)), kernel) + bias)
            h, found = self.attention.attend(len(entering) + 1, h, code, state, prepared.attention)
            seen |= found
        if entering:
            others = tf.concat([others, tf.stack(entering)[:, :, None]], axis=2)[:, :, 1:]
            first = tf.concat([first, others], axis=0)
        for (inner, inner_bias), (kernel, bias) in prepared.output:
            h = h + (tf.matmul(tf.nn.relu(tf.matmul(tf.nn.relu(h), inner) + inner_bias), kernel) + bias)
        for kernel, bias in prepared.head:
            h = tf.matmul(tf.nn.relu(h), kernel) + bias
        seen |= {"place": state["place"] + 1} if seen else {}
        return h, {"queues": first, "column": column + 1, **seen}

    def num_values(self, name: str) -> int:
        """How many different values there are of what the network is told.

        Args:
            name: "label" or "context".
        """
        return self.model.get_layer(f"{name}_embedding").input_dim


def _gate(x):
    opened, closing = tf.split(x, 2, axis=-1)
    return tf.tanh(opened) * tf.sigmoid(closing)


def clamped(values: ArrayLike, most: int) -> tf.Tensor:
    """Brings integers into range.

    Args:
        values: Integers; those out of range count as the nearest that is in it.
        most: How many different values there are.

    Returns:
        From 0 to below `most`, int32.
    """
    # Of `tf.clip_by_value` from 0 to 6 the converter makes a Relu6 of integers.
    values = tf.cast(values, tf.int32)
    return tf.where(values < 0, 0, tf.minimum(values, most - 1))
