"""A classifier for programs that learns a new class from one picture: its memory is what the program keeps."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from toolkit import layers
from toolkit.data.characters import episodes
from toolkit.export import signature
from toolkit.lazy import tensorflow as tf
from toolkit.serving.served import Served

_NUM_WAYS = 5  # classes of a measured episode, if there are as many


def remembering_classifier(
    embedding: Any,
    num_slots: int = 256,
    *,
    num_neighbors: int = 256,
    margin: float = 0.1,
    measured: tuple[np.ndarray, np.ndarray] | None = None,
    num_episodes: int = 20,
    typical: Iterable[np.ndarray] = (),
    card: dict | None = None,
) -> Served:
    """Makes the signatures "embed", "remember" and "classify".

    The memory is three arrays, keys, values and ages, which the program holds: `remember` takes them with a picture and
    its label, any number from 0 on, and returns them as they are afterwards; `classify` takes a picture and says the
    label of what is most like it. A memory in which nothing is: keys 0, values -1, ages 0. Where it is full, the slot
    that was used longest ago is overwritten.

    Args:
        embedding: A model from images (batch, height, width, channels), 0 to 255, to keys (batch, key_size).
        num_slots: Slots of the memory.
        num_neighbors: Of a query, among which its confidence is shared.
        margin: That the embedding was trained with.
        measured: Images uint8 (drawings, height, width, channels) of classes that were not trained on, and their labels
            (drawings,): of these each file tells five apart that it has seen in one drawing each, in some episodes. On
            the first Keras, SavedModel and TFLite are compared. None: nothing is measured.
        num_episodes: How many episodes.
        typical: Images on which int8's ranges are measured, read only then.
        card: What else the card says.

    Returns:
        What an export is made of; its measure gives "accuracy_percent" and "episodes".

    Raises:
        ValueError: Where there are fewer slots than one, or fewer than a measured episode has classes.

    Reference: Kaiser et al. 2017, arXiv 1703.03129, section 2.
    """
    ways = min(_NUM_WAYS, len(np.unique(measured[1]))) if measured else 1
    if num_slots < ways:
        raise ValueError(f"num_slots={num_slots}: expected {ways} or more, a slot for each class of an episode.")
    shape, key_size = tuple(embedding.input_shape[1:]), embedding.output_shape[-1]

    def key_of(image):
        return layers.memory_state.unit(embedding(tf.cast(image, tf.float32)))

    def embed(image):
        return {"key": key_of(image)}

    def remember(image, label, keys, values, ages):
        # The noise that a training adds to ages breaks ties between replicas; a program has one memory.
        state = layers.memory_state.remembered(keys, values, ages, key_of(image), label, tf.zeros(num_slots))
        return dict(zip(("keys", "values", "ages"), state, strict=True))

    def classify(image, keys, values):
        found = layers.memory_state.recalled(keys, values, key_of(image), num_neighbors, margin)
        return {"label": found["value"], "confidence": found["confidence"], "slot": found["slot"]}

    def nothing():
        state = map(np.asarray, layers.memory_state.empty(num_slots, key_size))
        return dict(zip(("keys", "values", "ages"), state, strict=True))

    def asked(image, state):
        return {"image": image[None], "keys": state["keys"], "values": state["values"]}

    def measure(call):
        images, labels = measured
        drawn = episodes.shots(labels, range(num_episodes), num_ways=ways, num_shots=1)
        right = []
        for rows, values in zip(drawn.rows, drawn.values, strict=True):
            state = nothing()
            for row, value in zip(rows[:ways], values[:ways], strict=True):
                state = call("remember", image=images[row][None], label=np.array([value], "int32"), **state)
            for row, value in zip(rows[ways:], values[ways:], strict=True):
                right.append(int(call("classify", **asked(images[row], state))["label"][0]) == value)
        return {"accuracy_percent": 100 * float(np.mean(right)), "episodes": num_episodes}

    first = measured[0][0] if measured else np.full(shape, 255, "uint8")

    def seen(image, label):
        state = remember(image[None], np.array([label], "int32"), **nothing())
        return {name: np.asarray(each) for name, each in state.items()}

    def inputs(image, label):
        state = seen(image, label)
        return {
            "embed": {"image": image[None]},
            "remember": {"image": image[None], "label": np.array([label], "int32"), **state},
            "classify": asked(image, state),
        }

    keys = (num_slots, key_size), "float32", "length 1; 0 where a slot is empty"
    values = (num_slots,), "int32", "label, -1 where a slot is empty"
    ages = (num_slots,), "int32", "calls of remember since the slot was used"
    image = (1, *shape), "uint8", "0 to 255, dark on white"
    return Served(
        signatures={
            "embed": signature(embed, image=image, outputs={"key": "direction, of length 1"}),
            "remember": signature(
                remember,
                image=image,
                label=((1,), "int32", "any number from 0 on"),
                keys=keys,
                values=values,
                ages=ages,
                outputs={"keys": keys[2], "values": values[2], "ages": ages[2]},
            ),
            "classify": signature(
                classify,
                image=image,
                keys=keys,
                values=values,
                outputs={
                    "label": "of what is most like it; -1: nothing is remembered",
                    "confidence": "0 to 1: the weight of the near slots of this label",
                    "slot": "which slot it is",
                },
            ),
        },
        trackables=(embedding,),
        examples=inputs(first, 3),
        calibrate=lambda: (inputs(image, 3) for image in typical),
        measure=measure if measured else None,
        card={"slots": num_slots, "key_size": key_size, **(card or {})},
    )
