"""Films in codes: each frame's map is drawn given the frames before it, of which the first ones are given."""

import tensorflow as tf
from numpy.typing import ArrayLike

from toolkit.generation.code_maps import CodeMapGenerator


class CodeFilmGenerator:
    """Carries films on in the space of their codes alone; the same graph in Keras, SavedModel and TFLite.

    Args:
        maps: The generator of a network that reads the frames before.

    Raises:
        ValueError: Where the network reads none.

    Reference: van den Oord et al. 2017, arXiv 1711.00937, section 4.4.
    """

    def __init__(self, maps: CodeMapGenerator) -> None:
        shapes = {each.name: each.shape for each in maps.model.inputs}
        if "context" not in shapes:
            raise ValueError(f"{maps.model.name} reads no frames before: it has no input 'context'.")
        self.maps = maps
        self.num_maps = shapes["context"][1]

    def generate(
        self, frames: ArrayLike, temperature: ArrayLike = 1.0, *, num_frames: int, noise: ArrayLike | None = None
    ) -> tf.Tensor:
        """Draws frames after given ones.

        Args:
            frames: Codes of the frames so far, (batch, frames, height, width), integers; the last ones count.
            temperature: A number or (batch,): 1 to draw as the model expects, less for the likelier.
            num_frames: Frames to draw.
            noise: (batch, num_frames, height, width), uniform in [0, 1), for a result that can be repeated.

        Returns:
            int32 (batch, num_frames, height, width).

        Raises:
            ValueError: Where fewer frames are given than the network reads.
        """
        frames = tf.cast(frames, tf.int32)
        if frames.shape[1] < self.num_maps:
            raise ValueError(f"expected {self.num_maps} frames before or more; got {frames.shape[1]}.")
        shape = (frames.shape[0] or tf.shape(frames)[0], num_frames, *frames.shape[2:])
        noise = tf.random.uniform(shape) if noise is None else tf.cast(noise, tf.float32)

        def draw(place, before, drawn):
            own = tf.reshape(tf.gather(noise, place, axis=1), (-1, *frames.shape[2:]))
            frame = self.maps.generate(context=before, temperature=temperature, noise=own)
            before = tf.concat([before[:, 1:], frame[:, None]], axis=1)
            return place + 1, before, drawn.write(place, frame)

        array = tf.TensorArray(tf.int32, num_frames, element_shape=(frames.shape[0], *frames.shape[2:]))
        start = tf.constant(0), frames[:, frames.shape[1] - self.num_maps :], array
        *_, drawn = tf.while_loop(lambda place, *_: place < num_frames, draw, start)
        return tf.transpose(drawn.stack(), (1, 0, 2, 3))
