import keras
import numpy as np
import pytest
import tensorflow as tf

from toolkit.training.optimizers import optimizers_of, wait_for_gradients


def compiled(**attributes):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="last")], name="net")
    model.compile(keras.optimizers.SGD(), "mse")
    for name, value in attributes.items():
        setattr(model, name, value)
    return model


def built(optimizer):
    optimizer.build([keras.Variable([1.0])])
    return optimizer


def test_finds_all_wherever_they_are():
    model = compiled(
        one=built(keras.optimizers.Adam()), many=[built(keras.optimizers.Adam()), {"x": built(keras.optimizers.SGD())}]
    )
    model.get_layer("last").its_own = built(keras.optimizers.SGD())
    found = optimizers_of(model)
    assert set(found) == {
        "optimizer",
        "optimizer.one",
        "optimizer.many.0",
        "optimizer.many.1.x",
        "optimizer.2.its_own",
    }
    assert found["optimizer"] is model.optimizer and found["optimizer.one"] is model.one


def test_a_model_inside_with_an_optimizer_of_its_own():
    inner = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)], name="inner")
    inner.compile(keras.optimizers.Adam(), "mse")
    inner.optimizer.build(inner.trainable_variables)
    model = keras.Sequential([keras.Input((2,)), inner])
    model.compile("sgd", "mse")
    assert optimizers_of(model) == {"optimizer": model.optimizer, "optimizer.2.optimizer": inner.optimizer}


def test_names_do_not_depend_on_what_was_built_before():
    def keys():
        inner = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
        inner.compile(keras.optimizers.Adam(), "mse")
        inner.optimizer.build(inner.trainable_variables)
        model = keras.Sequential([keras.Input((2,)), inner])
        model.compile("sgd", "mse")
        model.more = {"a/b": built(keras.optimizers.Adam()), "_a": built(keras.optimizers.Adam())}
        model._more = built(keras.optimizers.Adam())
        return list(optimizers_of(model))

    first = keys()
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    assert keys() == first and len(first) == 5 and not any("/" in key for key in first)


def test_each_once_and_loss_scaling_is_one():
    shared = built(keras.optimizers.Adam())
    assert list(optimizers_of(compiled(one=shared, other=shared))) == ["optimizer", "optimizer.one"]
    model = compiled()
    inner = built(keras.optimizers.Adam())
    model.compile(keras.optimizers.LossScaleOptimizer(inner), "mse")
    model.inner = inner
    assert list(optimizers_of(model)) == ["optimizer"]


def test_what_is_not_built_is_named():
    with pytest.raises(ValueError, match="net.many.0, a further optimizer of net, is not built"):
        optimizers_of(compiled(many=[keras.optimizers.Adam()]))


def excluding(optimizer):
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


OPTIMIZERS = {
    "momentum": lambda: keras.optimizers.SGD(0.1, momentum=0.9, weight_decay=0.1),
    "nesterov": lambda: keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True, global_clipnorm=0.1),
    "rmsprop": lambda: keras.optimizers.RMSprop(0.1, momentum=0.9, centered=True),
    "decay": lambda: excluding(
        keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(0.1, 4), weight_decay=0.1)
    ),
    "average": lambda: keras.optimizers.Adam(0.1, use_ema=True),
    "scaled": lambda: keras.optimizers.LossScaleOptimizer(
        keras.optimizers.SGD(0.1, momentum=0.9, weight_decay=0.1), initial_scale=4.0
    ),
    "accumulating": lambda: keras.optimizers.AdamW(0.1, gradient_accumulation_steps=2),
    "muon": lambda: keras.optimizers.Muon(0.1, weight_decay=0.1),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_waiting_changes_no_weight(name):
    """Three steps of Keras' own and of one that waits; an embedding's gradient is not a tensor."""

    def trained(wait):
        keras.utils.set_random_seed(0)
        layers = [keras.layers.Embedding(5, 4), keras.layers.Flatten(), keras.layers.Dense(3, name="dense")]
        model = keras.Sequential([keras.Input((2,), dtype="int32"), *layers])
        optimizer = OPTIMIZERS[name]()
        for _ in range(wait):
            wait_for_gradients(optimizer)
        model.compile(optimizer, "mse", jit_compile=False)
        x = np.array([[0, 1], [2, 3], [4, 4], [1, 0]])
        model.fit(x, np.ones((4, 3)), batch_size=2, epochs=2, shuffle=False, verbose=0)
        return [np.asarray(each) for each in (*model.weights, *optimizer.variables)]

    for after, expected in zip(trained(2), trained(0), strict=True):  # told twice, as by two stages of one training
        np.testing.assert_allclose(after, expected, rtol=1e-5, atol=1e-7)  # TensorFlow may multiply in another order


@pytest.mark.parametrize("name", ["momentum", "rmsprop", "decay", "scaled"])
def test_nothing_as_large_as_a_weight_is_there_before_its_gradient(name):
    def early(wait):
        weight, optimizer = keras.Variable(np.ones((3, 4)), name="kernel"), OPTIMIZERS[name]()
        if wait:
            wait_for_gradients(optimizer)
        optimizer.build([weight])
        step = tf.function(lambda gradient: optimizer.apply([gradient], [weight]))
        graph = step.get_concrete_function(tf.TensorSpec((3, 4), name="gradient")).graph
        waiting, found = [graph.get_operation_by_name("gradient")], set()
        while waiting:
            found.add(operation := waiting.pop())
            followers = {each for output in operation.outputs for each in output.consumers()}
            waiting.extend((followers | set(operation._control_outputs)) - found)
        large = {op.name for op in graph.get_operations() for output in op.outputs if output.shape == (3, 4)}
        return large - {op.name for op in found}

    assert not early(True)
    assert early(False) or name == "scaled"  # loss scaling looks at all gradients first
