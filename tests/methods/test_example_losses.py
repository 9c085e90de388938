import keras
import numpy as np
import pytest
import tensorflow as tf

from toolkit.methods.example_losses import ExampleLosses

CROSS_ENTROPY = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
STEP = 1e-5


def network(kind):
    """A model in float64 and inputs of 5 examples."""
    random, how = np.random.default_rng(0), {"dtype": "float64"}
    keras.utils.set_random_seed(0)
    dense = keras.layers.Dense(3, **how)
    if kind == "dense":
        hidden, shape = [keras.layers.Dense(4, "tanh", **how), keras.layers.Dropout(0.5, **how)], (6,)
    elif kind == "convolution":
        hidden, shape = (
            [keras.layers.Conv2D(2, 3, activation="tanh", **how), keras.layers.MaxPooling2D(**how)],
            (6, 6, 1),
        )
        hidden += [keras.layers.BatchNormalization(**how), keras.layers.Flatten(**how)]
    elif kind == "recurrent":
        hidden, shape = [keras.layers.SimpleRNN(3, unroll=True, **how)], (3, 2)
    else:
        inputs = keras.Input((4, 6), dtype="float64")
        attended = keras.layers.MultiHeadAttention(2, 3, **how)(inputs, inputs)
        return keras.Model(inputs, dense(keras.layers.Flatten(**how)(attended))), random.standard_normal((5, 4, 6))
    model = keras.Sequential([keras.Input(shape, dtype="float64"), *hidden, dense])
    return model, random.standard_normal((5, *shape))


def moved(model, direction, step):
    """The model's losses and the gradient of their sum after a step of its weights, by Keras and one tape."""
    start, before = 0, [variable.numpy() for variable in model.trainable_variables]
    for variable, value in zip(model.trainable_variables, before, strict=True):
        variable.assign(value + step * direction[start : start + value.size].reshape(value.shape))
        start += value.size

    def measure(x, y):
        with tf.GradientTape() as tape:
            losses = keras.ops.sparse_categorical_crossentropy(y, model(x), from_logits=True)
        gradients = tape.gradient(losses, [variable.value for variable in model.trainable_variables])
        return losses.numpy(), np.concatenate([np.ravel(each) for each in gradients])

    def back():
        for variable, value in zip(model.trainable_variables, before, strict=True):
            variable.assign(value)

    return measure, back


def differences(model, x, y, direction):
    """Central differences: of the losses, and of the gradient of their sum."""
    found = []
    for step in (STEP, -STEP):
        measure, back = moved(model, direction, step)
        found.append(measure(x, y))
        back()
    return [(above - below) / (2 * STEP) for above, below in zip(*found, strict=True)]


@pytest.mark.filterwarnings("ignore:Taken as in inference")
@pytest.mark.parametrize(
    "kind",
    ["dense", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("convolution", "recurrent", "attention"))],
)
def test_derivatives_are_those_of_finite_differences(kind):
    model, x = network(kind)
    losses, y = ExampleLosses(model, CROSS_ENTROPY), np.array([0, 2, 1, 1, 0])
    vectors = np.random.default_rng(1).standard_normal((2, losses.num_weights))
    along, curved = zip(*(differences(model, x, y, vector) for vector in vectors), strict=True)
    assert losses.dtype == "float64"
    assert losses.num_weights == sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    np.testing.assert_allclose(losses.directional(x, y, vectors), along, atol=1e-7)
    gradients = losses.gradients(x, y)
    np.testing.assert_allclose(gradients @ vectors.T, np.transpose(along), atol=1e-7)
    np.testing.assert_allclose(losses.sum_gradient(x, y), gradients.sum(axis=0), atol=1e-12)
    np.testing.assert_allclose(losses.hessian_products(x, y, vectors), curved, atol=1e-6)
    mixed, bump = losses.input_gradients(x, y, vectors), np.zeros_like(x)
    bump[(slice(None), *(0,) * (x.ndim - 1))] = STEP
    expected = (losses.directional(x + bump, y, vectors) - losses.directional(x - bump, y, vectors)) / (2 * STEP)
    np.testing.assert_allclose(mixed[(slice(None), slice(None), *(0,) * (x.ndim - 1))], expected, atol=1e-7)


def test_gauss_newton_is_the_jacobian_twice_round_the_softmax():
    model, x = network("dense")
    with pytest.warns(UserWarning, match="inference"):
        losses = ExampleLosses(model, CROSS_ENTROPY)
    with tf.GradientTape() as tape:
        logits = model(x)
    jacobians = tape.jacobian(logits, [variable.value for variable in model.trainable_variables])
    jacobian = np.concatenate([np.reshape(each, (5, 3, -1)) for each in jacobians], axis=2)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    around = np.einsum("ij,jk->ijk", p, np.eye(3)) - np.einsum("ij,ik->ijk", p, p)
    expected = np.einsum("nap,nab,nbq->pq", jacobian, around, jacobian)
    found = losses.gauss_newton_products(x, np.array([0, 2, 1, 1, 0]), np.eye(losses.num_weights))
    np.testing.assert_allclose(found, expected, atol=1e-10)
    # The Hessian has the curvature of the network too, and its least eigenvalue is below 0.
    hessian = losses.hessian_products(x, np.array([0, 2, 1, 1, 0]), np.eye(losses.num_weights))
    assert np.linalg.eigvalsh(expected).min() > -1e-9 > np.linalg.eigvalsh(hessian).min()


def test_the_hessian_is_tensorflows():
    """`tf.hessians` of the same network, written out."""
    model, x = network("dense")
    y = np.array([0, 2, 1, 1, 0])

    @tf.function
    def hessian(kernel):
        hidden = tf.tanh(x @ kernel + model.layers[0].bias.value)
        logits = hidden @ model.layers[2].kernel.value + model.layers[2].bias.value
        loss = tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits))
        return tf.hessians(loss, kernel)[0]

    expected = np.reshape(hessian(tf.constant(model.layers[0].kernel.numpy())), (24, 24))
    with pytest.warns(UserWarning, match="dropout"):
        losses = ExampleLosses(model, CROSS_ENTROPY)
    np.testing.assert_allclose(losses.hessian_products(x, y, np.eye(losses.num_weights))[:24, :24], expected, atol=1e-9)


@pytest.mark.filterwarnings("ignore:Taken as in inference")
def test_layers_are_chosen_by_name():
    model, x = network("dense")
    y = np.zeros(5, "int32")
    all_of_it, last = ExampleLosses(model, CROSS_ENTROPY), ExampleLosses(model, CROSS_ENTROPY, [model.layers[-1].name])
    assert last.num_weights == 15
    np.testing.assert_allclose(last.gradients(x, y), all_of_it.gradients(x, y)[:, -15:], atol=1e-12)
    np.testing.assert_allclose(last.values(x, y), all_of_it.values(x, y))
    inner = keras.Sequential([keras.Input((6,)), keras.layers.Dense(2, name="within")])
    outer = keras.Sequential([keras.Input((6,)), inner, keras.layers.Dense(3, name="after")])
    assert ExampleLosses(outer, CROSS_ENTROPY, ["within"]).num_weights == 14
    with pytest.raises(ValueError, match=r"no layer 'withim'\. Did you mean 'within'\? It has: .*within, after\."):
        ExampleLosses(outer, CROSS_ENTROPY, ["withim"])
    with pytest.raises(ValueError, match="'dropout.*' has no weights that can be trained; these have: dense"):
        ExampleLosses(model, CROSS_ENTROPY, [model.layers[1].name])


def test_a_loss_may_be_any_function_of_any_outputs():
    inputs = keras.Input((2,), name="x")
    model = keras.Model({"x": inputs}, {"mean": keras.layers.Dense(1)(inputs), "scale": keras.layers.Dense(1)(inputs)})
    losses = ExampleLosses(model, lambda y, outputs: (outputs["mean"][:, 0] - y["of"]) ** 2)
    x, y = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0.5, 1.5])
    kernel, bias = (np.asarray(each) for each in losses.split(losses.weights)[:2])
    errors = (x @ kernel + bias)[:, 0] - y
    np.testing.assert_allclose(losses.values({"x": x}, {"of": y}), errors**2, rtol=1e-5)
    expected = np.concatenate([2 * errors[:, None] * x, 2 * errors[:, None], np.zeros((2, 3))], axis=1)
    np.testing.assert_allclose(losses.gradients({"x": x}, {"of": y}), expected, rtol=1e-5)


def test_models_that_cannot_be_taken_are_refused():
    rolled = keras.Sequential([keras.Input((4, 2)), keras.layers.GRU(3, name="rolled")])
    with pytest.raises(ValueError, match="Layer 'rolled' is a loop over time.*set its `unroll` to True"):
        ExampleLosses(rolled, CROSS_ENTROPY)
    with pytest.raises(ValueError, match="has no weights yet: call it once"):
        ExampleLosses(keras.Sequential([keras.layers.Dense(2)]), CROSS_ENTROPY)
    with pytest.raises(ValueError, match="has no weights that can be trained"):
        ExampleLosses(keras.Sequential([keras.Input((2,)), keras.layers.ReLU()]), CROSS_ENTROPY)
    half = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, dtype="float16")])
    with pytest.raises(ValueError, match="all float32 or all float64; .*kernel is float16"):
        ExampleLosses(half, CROSS_ENTROPY)
