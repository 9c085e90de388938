"""Attention to what is before, one place at a time: keys and values are kept as they are made."""

from typing import NamedTuple

import keras
import tensorflow as tf

from toolkit.layers.coordinate_channels import coordinates
from toolkit.models import pixelsnail


class PreparedAttention(NamedTuple):
    """Weights of one attention of a PixelSNAIL, of H heads with K and V channels, as `AttentionCache` reads them.

    Shapes, of F filters:
        query: (F, H K).
        query_there: (places, H K), what a place's coordinates and the bias add.
        known: (F, H (K + V)), keys and values of the features.
        known_there: (places, H (K + V)), likewise.
        code: (num_codes + 1, H (K + V)), likewise of a code.
        gates: (kernel (F + H V, 2 F), bias (2 F,)).
        outward: (kernel (F, F), bias (F,)).
    """

    query: tf.Tensor
    query_there: tf.Tensor
    known: tf.Tensor
    known_there: tf.Tensor
    code: tf.Tensor
    gates: tuple[tf.Tensor, tf.Tensor]
    outward: tuple[tf.Tensor, tf.Tensor]


class AttentionCache:
    """What attention has seen, an explicit state, and what it finds there at the next place.

    A place's keys and values are of its code too, which is not known before the place's step is over. So a step leaves
    what its features give, and the next one adds the code and keeps the whole. A place costs as much as there are
    places in the map, of which those to come are not looked at.

    Args:
        model: What `models.pixelsnail.pixelsnail` returned; or `models.pixelcnn.pixelcnn`, with nothing to keep.

    Reference: Chen et al. 2018, arXiv 1712.09763, section 2.3.
    """

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        self.layers = pixelsnail.attentions(model)
        self.height, self.width = model.output_shape[1:3]

    def prepare(self, lookup: tf.Tensor) -> dict[int, PreparedAttention]:
        """Brings the weights into the form that every step reads.

        Args:
            lookup: (num_codes + 1, F), the vector of each code, and zeros.

        Returns:
            Each attention's, by the number of gated blocks before it.
        """
        filters = lookup.shape[1]
        there = tf.reshape(coordinates(self.height, self.width), (-1, 2))

        def pair(layer):
            return tf.convert_to_tensor(layer.kernel), tf.convert_to_tensor(layer.bias)

        def prepared(layer):
            query, query_bias = pair(layer.query_projection)
            known, known_bias = pair(layer.value_projection)
            return PreparedAttention(
                query=query[:filters],
                query_there=tf.matmul(there, query[filters:]) + query_bias,
                known=known[:filters],
                known_there=tf.matmul(there, known[2 * filters :]) + known_bias,
                code=tf.matmul(lookup, known[filters : 2 * filters]),
                gates=pair(self.model.get_layer(f"{layer.name}_gates")),
                outward=pair(self.model.get_layer(f"{layer.name}_outward")),
            )

        return {number: prepared(layer) for number, layer in self.layers.items()}

    def initial_state(self, batch_size: int | tf.Tensor) -> dict[str, tf.Tensor]:
        """The state before the first place of a map.

        Args:
            batch_size: Maps written at once.

        Returns:
            Nothing without attention; else "place": (1,), int32, places read; and of each attention, for one after N
            blocks, "keys_N": (batch, H, places, K) and "values_N": (batch, H, places, V), of the places that are
            complete; "left_N": (batch, H (K + V)), what the features of the place before give to those.
        """
        state, places = {}, self.height * self.width
        for number, layer in self.layers.items():
            heads, key_dim, value_dim = layer.num_heads, layer.key_dim, layer.value_dim
            state["place"] = tf.zeros((1,), tf.int32)
            state[f"keys_{number}"] = tf.zeros((batch_size, heads, places, key_dim))
            state[f"values_{number}"] = tf.zeros((batch_size, heads, places, value_dim))
            state[f"left_{number}"] = tf.zeros((batch_size, heads * (key_dim + value_dim)))
        return state

    def attend(
        self,
        number: int,
        h: tf.Tensor,
        code: tf.Tensor,
        state: dict[str, tf.Tensor],
        prepared: dict[int, PreparedAttention],
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Adds what the attention after some block finds.

        Args:
            number: Of gated blocks passed.
            h: (batch, F), the features after them.
            code: (batch,), integers, of the place before; any at the first.
            state: As `initial_state` makes it.
            prepared: As `prepare` makes it.

        Returns:
            (batch, F), `h` itself where no attention follows the block; and this attention's entries of the next state.
        """
        if number not in self.layers:
            return h, {}
        layer, weights, place = self.layers[number], prepared[number], state["place"][0]
        cut, places = layer.num_heads * layer.key_dim, tf.range(self.height * self.width)
        complete = state[f"left_{number}"] + tf.gather(weights.code, code)
        # A map's first step completes no place: none is before it.
        here = tf.equal(places, place - 1)[:, None]
        keys, values = (
            tf.where(here, tf.reshape(each, (-1, layer.num_heads, 1, each.shape[-1] // layer.num_heads)), kept)
            for each, kept in (
                (complete[:, :cut], state[f"keys_{number}"]),
                (complete[:, cut:], state[f"values_{number}"]),
            )
        )
        query = tf.matmul(h, weights.query) + weights.query_there[place]
        query = tf.reshape(query, (-1, layer.num_heads, 1, layer.key_dim)) * layer.key_dim**-0.5
        scores = tf.where(places < place, tf.matmul(query, keys, transpose_b=True), -1e30)
        # Where no place is before, all scores are alike, and all values still zero.
        found = tf.reshape(tf.matmul(tf.nn.softmax(scores), values), (-1, layer.num_heads * layer.value_dim))
        kernel, bias = weights.gates
        opened, closing = tf.split(tf.matmul(tf.concat([h, found], axis=-1), kernel) + bias, 2, axis=-1)
        kernel, bias = weights.outward
        left = tf.matmul(h, weights.known) + weights.known_there[place]
        h += tf.matmul(tf.tanh(opened) * tf.sigmoid(closing), kernel) + bias
        return h, {f"keys_{number}": keys, f"values_{number}": values, f"left_{number}": left}
