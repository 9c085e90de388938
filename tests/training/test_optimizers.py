import keras
import pytest

from toolkit.training.optimizers import optimizers_of


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
