import numpy as np
import pytest

from toolkit import export
from toolkit.lazy import keras
from toolkit.lazy import tensorflow as tf


def test_saved_signatures_compute_the_formula(tmp_path, signatures, weights, example):
    traced = {key: export.trace(signature) for key, signature in signatures.items()}
    export.save_traced(tmp_path / "model", traced)
    found = export.saved_model_caller(tmp_path / "model")("encode", x=example)
    np.testing.assert_allclose(found["y"], np.tanh(example @ weights), atol=1e-6)


def test_outputs_have_shape_dtype_and_unit(signatures):
    tensors = export.saved_model.output_tensors(signatures["encode"], export.trace(signatures["encode"]))
    assert tensors == {"y": export.Tensor((2, 8), "float32", "share")}


def test_a_unit_for_no_output_is_refused():
    wrong = export.signature(lambda x: {"y": x}, outputs={"z": "metres"}, x=((1,), "float32"))
    with pytest.raises(ValueError, match=r"units for \['z'\], but the outputs are \['y'\]"):
        export.saved_model.output_tensors(wrong, export.trace(wrong))


def test_a_free_axis_is_refused():
    free = export.signature(lambda x: {"y": tf.boolean_mask(x, x > 0)}, x=((3,), "float32"))
    with pytest.raises(ValueError, match=r"output 'y' has shape \(None,\)"):
        export.saved_model.output_tensors(free, export.trace(free))


def test_the_programs_seed_stays_out_of_the_model():
    noise = export.signature(lambda x: {"y": x + tf.random.normal((3,))}, x=((3,), "float32"), random=True)
    tf.random.set_seed(7)
    expected = tf.random.normal((3,)).numpy()
    tf.random.set_seed(7)
    operations = export.trace(noise).graph.get_operations()
    seeds = [(op.get_attr("seed"), op.get_attr("seed2")) for op in operations if op.type == "RandomStandardNormal"]
    assert seeds == [(0, 0)]
    np.testing.assert_array_equal(tf.random.normal((3,)).numpy(), expected)  # And the program's own noise as it was.


def test_the_optimizer_is_not_written(tmp_path):
    model = keras.Sequential([keras.Input((256,)), keras.layers.Dense(256)])
    model.compile("adam", "mse")
    model.train_on_batch(np.ones((1, 256)), np.ones((1, 256)))
    dense = export.signature(lambda x: {"y": model(x)}, x=((1, 256), "float32"))
    export.save_traced(tmp_path / "model", {"dense": export.trace(dense)}, [model])
    size = sum(path.stat().st_size for path in (tmp_path / "model" / "variables").iterdir())
    assert 4 * 256 * 257 <= size < 1.1 * 4 * 256 * 257


def test_a_lookup_table_needs_its_layer(tmp_path):
    lookup = keras.layers.StringLookup(vocabulary=["a", "b"])
    words = export.signature(lambda x: {"y": lookup(tf.as_string(x))}, x=((2,), "int32"))
    traced = {"words": export.trace(words)}
    with pytest.raises(ValueError, match="table that no trackable holds"):
        export.save_traced(tmp_path / "without", traced)
    export.save_traced(tmp_path / "with", traced, [lookup])
    found = export.saved_model_caller(tmp_path / "with")("words", x=np.zeros(2, "int32"))
    assert found["y"].tolist() == [0, 0]
