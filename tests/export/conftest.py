import numpy as np
import pytest

from toolkit import export
from toolkit.lazy import tensorflow as tf

NUM_STEPS = 5


@pytest.fixture(scope="session")
def weights():
    """A matrix of shape (8, 8)."""
    return np.random.default_rng(0).normal(size=(8, 8)).astype("float32")


@pytest.fixture(scope="session")
def signatures(weights):
    """`encode`, y = tanh(x · weights), and `generate`, a random walk written step by step in a while loop."""
    kernel = tf.Variable(weights)

    def encode(x):
        return {"y": tf.tanh(x @ kernel)}

    def generate(bias):
        def step(i, position, points):
            position += tf.random.normal((1, 2)) * tf.exp(-bias)
            return i + 1, position, tf.tensor_scatter_nd_update(points, [[i]], position)

        start = (0, tf.zeros((1, 2)), tf.zeros((NUM_STEPS, 2)))
        points = tf.while_loop(lambda i, *_: i < NUM_STEPS, step, start)[2]
        return {"points": tf.ensure_shape(points, (NUM_STEPS, 2))}

    return {
        "encode": export.signature(encode, x=((2, 8), "float32", "metres"), outputs={"y": "share"}),
        "generate": export.signature(generate, random=True, bias=((1,), "float32", "0 = unbiased")),
    }


@pytest.fixture(scope="session")
def example():
    """Inputs for `encode`."""
    return np.random.default_rng(1).normal(size=(2, 8)).astype("float32")


@pytest.fixture(scope="session")
def exported(tmp_path_factory, signatures, example):
    """The report of an export of `signatures`, with a file of float16 weights."""
    return export.write(
        tmp_path_factory.mktemp("exported") / "walk",
        signatures,
        examples={"encode": {"x": example}},
        card={
            "name": "Walk",
            "metrics": {"error_metres": np.float32(0.25)},
            "licence": "MIT",
            "command": "walk --mode=all",
        },
        quantize="float16",
    )


@pytest.fixture(scope="session")
def flex_file(tmp_path_factory):
    """A `.tflite` whose one op is TensorFlow's own."""
    folder = tmp_path_factory.mktemp("flex")
    cholesky = export.signature(lambda x: {"y": tf.linalg.cholesky(x)}, x=((2, 2), "float32"))
    export.save_traced(folder / "saved_model", {"cholesky": export.trace(cholesky)})
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder / "saved_model"))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    (folder / "model.tflite").write_bytes(converter.convert())
    return folder / "model.tflite"
