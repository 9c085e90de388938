"""What only importing a library can tell; `toolkit.doctor` runs it in a process of its own, which may crash or hang.

`python -m toolkit.doctor._probe tensorflow keras speed` prints one line of JSON for each, as soon as it is known.
"""

import importlib
import json
import os
import sys
import time


def gpus(tf) -> dict[str, list]:
    """TensorFlow's GPUs: name and compute capability."""
    found = [tf.config.experimental.get_device_details(gpu) for gpu in tf.config.list_physical_devices("GPU")]
    return {
        "gpus": [
            {"name": details.get("device_name", "GPU"), "capability": list(details.get("compute_capability", ()))}
            for details in found
        ]
    }


def native(_) -> dict[str, bool]:
    """Whether tensorflow-io's library of decoders loads beside this TensorFlow."""
    from toolkit.data.audio.files import has_native_decoders

    return {"native": has_native_decoders()}


def speed() -> dict[str, dict[str, float]]:
    """Milliseconds of a matrix product and of an LSTM's training step in each precision."""
    import keras
    import tensorflow as tf

    if keras.config.backend() != "tensorflow":
        raise RuntimeError(f"Keras runs on {keras.config.backend()}")
    on_gpu = bool(tf.config.list_physical_devices("GPU"))
    precisions = ["float32", "mixed_bfloat16", *(["mixed_float16"] if on_gpu else [])]
    size, units, batch = (8192, 1024, 256) if on_gpu else (1024, 256, 16)

    def product(precision):
        matrix = tf.cast(tf.random.stateless_normal([size, size], [0, 0]), precision.removeprefix("mixed_"))
        # One number is read back, so that the copy from the device does not count.
        multiply = tf.function(lambda: tf.linalg.matmul(matrix, matrix)[0, 0])
        return lambda: multiply().numpy()

    def step(precision):
        layer = keras.layers.LSTM(units, dtype=precision)
        inputs = tf.random.stateless_normal([batch, 32, units], [0, 0])
        layer.build(inputs.shape)
        weights = [weight.value for weight in layer.trainable_variables]

        @tf.function(autograph=False)
        def gradients():
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(tf.cast(layer(inputs), "float32"))
            return tf.add_n([tf.reduce_sum(gradient) for gradient in tape.gradient(loss, weights)])

        return lambda: gradients().numpy()

    def milliseconds(make):
        timed = {precision: make(precision) for precision in precisions}
        best = {}
        for turn in range(4):  # in turns, so that what else the machine does falls on all alike; the first warms up
            for precision, call in timed.items():
                start = time.perf_counter()
                call()
                taken = 1e3 * (time.perf_counter() - start)
                best[precision] = taken if turn < 2 else min(taken, best[precision])
        return best

    return {"matrix_product": milliseconds(product), "lstm_step": milliseconds(step)}


DETAILS = {
    "tensorflow": gpus,
    "keras": lambda keras: {"backend": keras.config.backend()},
    "tensorflow_probability": lambda tfp: {"works": callable(tfp.distributions.Normal)},  # it imports at first use
    "tensorflow_io": native,
}


def answer(question) -> dict:
    """The version and details of a library, or the measured speed."""
    if question == "speed":
        return speed()
    library = importlib.import_module(question)
    version = str(getattr(library, "__version__", ""))
    return {"version": version, **DETAILS.get(question, lambda _: {})(library)}


def main(questions) -> None:
    """Answers on what was standard output; what libraries print there goes to standard error."""
    lines = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for question in questions:
        try:
            found = answer(question)
        except Exception as error:  # whatever a library raises is the answer
            found = {"error": f"{type(error).__name__}: {error}".partition("\n")[0]}
        print(json.dumps({"question": question, **found}), file=lines, flush=True)
        if question == "tensorflow" and "error" in found:
            break  # the others need it


if __name__ == "__main__":
    main(sys.argv[1:])
