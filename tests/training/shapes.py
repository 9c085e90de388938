"""Throw-away recipes: each shape of a training that the runner must carry, as small as can be."""

import keras
import numpy as np
import tensorflow as tf
from scipy import optimize

from toolkit import layers, settings
from toolkit.data.pipelines import Batches
from toolkit.data.plans import shuffled_plan
from toolkit.settings.fields import setting

INPUTS = np.random.default_rng(0).standard_normal((40, 3)).astype("float32")
TARGETS = INPUTS.sum(axis=1, keepdims=True)


@settings.recipe
class Example(settings.Devices, settings.Export, settings.Study):
    units: int = setting(4, "cells", minimum=1)
    epochs: int = 3
    batch_size: int = 8


def batches(targets=TARGETS, seed=0):
    signature = (tf.TensorSpec([None, 3]), tf.TensorSpec([None, 1]))
    plan = shuffled_plan(len(INPUTS), 8, seed=seed)
    return Batches(lambda i: (INPUTS[i], targets[i]), plan, signature, num_examples=len(INPUTS))


def network(s, name="net"):
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(s.units), keras.layers.Dropout(0.2), keras.layers.Dense(1)]
    )
    model.compile(keras.optimizers.Adam(0.01), loss="mse", jit_compile=False)
    return model


def one_model(run, callbacks=(), data=None):
    with run.scope():
        model = network(run.settings)
    run.fit(model, data or batches(), batches(), callbacks=callbacks)
    return [model]


def two_stages(run, callbacks=()):
    with run.scope("first"):
        first = network(run.settings)
    run.fit(first, batches(), batches(), stage="first", callbacks=callbacks)
    with run.scope("second"):
        second = network(run.settings)
    codes = batches().map(lambda x, y: (x, first(x)))
    run.fit(second, codes, codes, stage="second", epochs=2, callbacks=callbacks)
    return [first, second]


class Rivals(keras.Model):
    """One network makes what the other is to tell from the targets, each with an optimizer of its own."""

    def __init__(self, units):
        super().__init__()
        self.maker = keras.Sequential([keras.Input((3,)), keras.layers.Dense(units), keras.layers.Dense(1)])
        self.judge = keras.Sequential([keras.Input((1,)), keras.layers.Dense(units, "tanh"), keras.layers.Dense(1)])
        self.optimizers = {"judge": keras.optimizers.Adam(0.02)}

    def call(self, inputs, training=False):
        return self.maker(inputs, training=training)

    def train_step(self, batch):
        inputs, targets = batch
        with tf.GradientTape(persistent=True) as tape:
            made = self.maker(inputs, training=True)
            told = keras.ops.softplus(self.judge(made)) + keras.ops.softplus(-self.judge(targets))
            judge_loss = keras.ops.mean(told) / self.distribute_strategy.num_replicas_in_sync
            fooled = keras.ops.mean((made - targets) ** 2 + keras.ops.softplus(-self.judge(made)))
            maker_loss = fooled / self.distribute_strategy.num_replicas_in_sync
        for loss, network, optimizer in (
            (judge_loss, self.judge, self.optimizers["judge"]),
            (maker_loss, self.maker, self.optimizer),
        ):
            weights = network.trainable_variables
            optimizer.apply(tape.gradient(loss, weights), weights)
        return {"judge": judge_loss, "loss": maker_loss}


def two_optimizers(run, callbacks=(), build=True):
    with run.scope():
        model = Rivals(run.settings.units)
        model.compile(keras.optimizers.Adam(0.01), loss="mse")
        model.optimizer.build(model.maker.trainable_variables)
        if build:
            model.optimizers["judge"].build(model.judge.trainable_variables)
    run.fit(model, batches(), batches(), network={"maker": model.maker, "judge": model.judge}, callbacks=callbacks)
    return [model, model.optimizer, model.optimizers["judge"]]


def own_loop(run, callbacks=()):
    """Two models and two optimisers that take turns."""
    with run.scope():
        left, right = network(run.settings), network(run.settings)
        optimizers = [keras.optimizers.Adam(0.01), keras.optimizers.SGD(0.01)]
    for optimizer, model in zip(optimizers, (left, right), strict=True):
        optimizer.build(model.trainable_variables)
    state = {"left": left, "right": right, "left_optimizer": optimizers[0], "right_optimizer": optimizers[1]}

    def validation():
        return {"loss": float(tf.reduce_mean((left(INPUTS) - TARGETS) ** 2))}

    for (inputs, targets), log in run.loop(batches(), stage="turns", state=state, validation=validation):
        total = 0.0
        for model, other, optimizer in ((left, right, optimizers[0]), (right, left, optimizers[1])):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((model(inputs, training=True) - targets - 0.1 * other(inputs)) ** 2)
            optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
            total += float(loss)
        log(loss=total)
        for callback in callbacks:
            callback.on_train_batch_end(None, None)
    return [left, right]


class Kill(keras.callbacks.Callback):
    """Stops as a power cut would, at some step of the process."""

    def __init__(self, after):
        super().__init__()
        self.left = after

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if not self.left:
            raise RuntimeError("power cut")


def weights(models):
    return [np.asarray(variable) for model in models for variable in model.variables]


def rounds(run, callbacks=()):
    """Active learning: each round trains anew on what has been asked for so far, and asks for more."""
    asked, models = np.arange(4), []
    for number in range(2):
        inner = run.round(number)
        with inner.scope():
            model = network(run.settings)
        pool = batches().subset(asked, shuffled_plan(len(asked), 4, seed=number))
        inner.fit(model, pool, batches(), epochs=2, callbacks=callbacks)
        inner.report({"error_squared_units": float(model.evaluate(INPUTS, TARGETS, verbose=0))})

        def farthest(model=model, asked=asked):
            errors = np.abs(model.predict_on_batch(INPUTS) - TARGETS)[:, 0]
            errors[asked] = -np.inf
            return {"asked": np.concatenate([asked, np.argsort(-errors)[:4]])}

        asked = inner.compute(farthest, stage="asked")["asked"]
        models.append(model)
    return models


def closed_form(run, callbacks=()):
    """Float64 mathematics: ridge regression, then SciPy's optimum of its penalty, then power iterations in place."""
    inputs = INPUTS.astype("float64")

    def ridge(penalty):
        return np.linalg.solve(inputs.T @ inputs + penalty * np.eye(3), inputs.T @ TARGETS[:, 0])

    def best():
        found = optimize.minimize_scalar(lambda p: np.sum((ridge(np.exp(p)) - 1) ** 2), bounds=(-9, 9))
        return {"log_penalty": found.x, "weights": ridge(np.exp(found.x))}

    kept = run.compute(best, stage="ridge")
    vector, scatter = np.ones(3), inputs.T @ inputs
    for _, log in run.loop(6, stage="power", state={"vector": vector}):
        vector[:] = scatter @ vector / np.linalg.norm(scatter @ vector)
        log(eigenvalue=vector @ scatter @ vector)
        for callback in callbacks:
            callback.on_train_batch_end(None, None)
    return [type("Arrays", (), {"variables": [*kept.values(), vector]})]


@keras.saving.register_keras_serializable(package="shapes")
class Watch(keras.layers.Layer):
    """Keeps a moving mean of what it sees in training, outside all gradients, the same on every replica."""

    def build(self, shape):
        how = {"shape": (), "initializer": "zeros", "trainable": False, "dtype": "float32", "autocast": False}
        self.mean = self.add_weight(name="mean", **how)

    def call(self, inputs, training=False):
        if training:
            seen = keras.ops.mean(keras.ops.cast(inputs, "float32"))
            seen = keras.ops.moments(seen[None], [0], synchronized=True)[0]
            self.mean.assign(0.5 * self.mean + 0.5 * seen)
        return inputs


def state_outside_gradients(run, callbacks=()):
    with run.scope():
        model = keras.Sequential([keras.Input((3,)), Watch(name="watch"), keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(0.01), "mse")
    run.fit(model, batches(), batches(), callbacks=callbacks)
    return [model]


WORDS = ("<pad>", "<unk>", "red", "blue", "is", "it")


def question_answering(run, callbacks=()):
    """An image and a question, as numbers of a vocabulary that the network keeps, to an answer."""
    random = np.random.default_rng(1)
    images, answers = random.random((40, 4, 4, 1)).astype("float32"), np.arange(40) % 2
    questions = np.array([[4, 5, 2, 0], [4, 5, 3, 1]])[answers].astype("int32")
    signature = (
        {"image": tf.TensorSpec([None, 4, 4, 1]), "question": tf.TensorSpec([None, 4], tf.int32)},
        tf.TensorSpec([None], tf.int64),
    )
    data = Batches(
        lambda i: ({"image": images[i], "question": questions[i]}, answers[i]),
        shuffled_plan(40, 8, seed=0),
        signature,
        num_examples=40,
    )
    with run.scope():
        image, question = keras.Input((4, 4, 1), name="image"), keras.Input((4,), dtype="int32", name="question")
        words = layers.Vocabulary(WORDS, "word", name="vocabulary")(question)
        read = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(len(WORDS), 4, mask_zero=True)(words))
        seen = keras.layers.Flatten()(keras.layers.Conv2D(2, 3, activation="relu")(image))
        both = keras.layers.Concatenate()([read, seen])
        model = keras.Model({"image": image, "question": question}, keras.layers.Dense(2, name="answer")(both))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(0.05), loss, metrics=["accuracy"])
    run.fit(model, data, data, monitor="accuracy", mode="max", callbacks=callbacks)
    return [model]


SHAPES = [one_model, two_stages, two_optimizers, own_loop]
SHAPES += [rounds, closed_form, state_outside_gradients, question_answering]
