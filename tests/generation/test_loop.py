"""The loop by itself, with toy steps whose outcome NumPy gives."""

import numpy as np
import pytest
import tensorflow as tf

from toolkit import export
from toolkit.generation import drawing, loop

NUM_STEPS = 6
GIVEN = np.array([[3, 1, 4, 1], [5, 9, 0, 0], [0, 0, 0, 0]], "int32")
GIVEN_LENGTH = np.array([4, 2, 0], "int32")
LENGTH = np.array([6, 99, 3], "int32")
NOISE = np.random.default_rng(0).integers(1, 50, (3, NUM_STEPS)).astype("int32")


def step(value, total, factor):
    """Adds up what it is given; its output holds the sum so far."""
    total = total + value
    return {"next": factor * total, "share": tf.cast(total, tf.float32)[:, None] / 2.0}, total


def draw(output, noise):
    return (output["next"] + noise) % 97


def stop(output, value):
    return value % 7 == 0


def toy(given=None, given_length=None, length=None, noise=NOISE, stops=True, factor=3):
    rows = noise.shape[0] or tf.shape(noise)[0]
    start = (tf.zeros((rows,), tf.int32), tf.zeros((rows,), tf.int32))
    context = (tf.constant(factor),)
    how = {"given": given, "given_length": given_length, "length": length, "stop": stop if stops else None}
    how |= {"num_steps": NUM_STEPS, "context": context, "draw": draw, "noise": noise, "keep": {"share": (1,)}}
    found = loop.generate(step, *start, **how)
    return {"values": found.values, "share": found.kept["share"], "length": found.length}


def in_numpy(given=(), length=NUM_STEPS, noise=NOISE[0], stops=True, factor=3):
    """One row: its values and shares."""
    total, value, given = 0, 0, list(given)
    values, shares = [], []
    for t in range(len(given) + min(length, NUM_STEPS)):
        total += value
        if t < len(given):
            value = given[t]
            continue
        value = (factor * total + noise[t - len(given)]) % 97
        if stops and value % 7 == 0:
            break
        values.append(value)
        shares.append([total / 2])
    return values, shares


def check(found, rows):
    for row, (values, shares) in enumerate(rows):
        rest = NUM_STEPS - len(values)
        assert found["values"][row].numpy().tolist() == [*values, *[0] * rest]
        assert found["share"][row].numpy().tolist() == [*shares, *[[0.0]] * rest]
        assert int(found["length"][row]) == len(values)


def test_prompts_and_lengths_are_each_rows():
    expected = [in_numpy(GIVEN[i, : GIVEN_LENGTH[i]], LENGTH[i], NOISE[i], stops=False) for i in range(3)]
    assert [len(values) for values, _ in expected] == [6, 6, 3]
    check(toy(tf.constant(GIVEN), tf.constant(GIVEN_LENGTH), tf.constant(LENGTH), stops=False), expected)


def test_a_row_may_end_early():
    noise = np.random.default_rng(2).integers(1, 50, (40, NUM_STEPS)).astype("int32")
    expected = [in_numpy(noise=each) for each in noise]
    lengths = {len(values) for values, _ in expected}
    assert {0, 1, 6} <= lengths
    check(toy(noise=noise), expected)
    given = np.random.default_rng(3).integers(0, 9, (40, 3)).astype("int32")
    expected = [in_numpy(given[i], noise=noise[i]) for i in range(40)]
    check(toy(tf.constant(given), noise=noise), expected)  # all rows have all of them
    length = np.arange(40, dtype="int32") % 5
    expected = [in_numpy(given[i], length[i], noise[i]) for i in range(40)]
    assert any(len(values) < n for (values, _), n in zip(expected, length, strict=True))
    check(toy(tf.constant(given), length=length, noise=noise), expected)


def test_a_given_value_ends_nothing():
    given = np.full((3, 2), 7, "int32")
    check(toy(tf.constant(given)), [in_numpy(given[i], noise=NOISE[i]) for i in range(3)])


def test_it_ends_with_its_longest_row():
    steps = []

    def counted(value, state):
        steps.append(1)
        return value + 1, state

    loop.generate(counted, tf.zeros(2, tf.int32), (), num_steps=50, stop=lambda output, value: value > [3, 5])
    assert len(steps) == 6  # outside a graph each step runs as Python
    steps.clear()
    loop.generate(counted, tf.zeros(2, tf.int32), (), num_steps=50, length=tf.constant([2, 4]))
    assert len(steps) == 4


def test_lengths_are_held_to_what_there_is():
    """As a program may ask: too much is all of it, less than nothing is nothing."""
    asked, held = np.array([-7, 2**31 - 1, 3], "int32"), np.array([0, 4, 3], "int32")
    one, other = (toy(tf.constant(GIVEN), lengths, LENGTH, NOISE) for lengths in (asked, held))
    check(one, [in_numpy(GIVEN[i, : held[i]], LENGTH[i], NOISE[i]) for i in range(3)])
    one, other = (toy(tf.constant(GIVEN), GIVEN_LENGTH, lengths, NOISE) for lengths in (asked, [0, NUM_STEPS, 3]))
    for name, found in one.items():
        np.testing.assert_array_equal(found, other[name])
    total = loop.score(lambda value, state: (value, state), tf.zeros(3, tf.int32), (), tf.constant(GIVEN), asked,
                       lambda output, value: tf.cast(value, tf.float32))  # fmt: skip
    np.testing.assert_array_equal(total, [0, GIVEN[1].sum(), GIVEN[2, :3].sum()])


def test_rows_may_be_any_number():
    specs = [tf.TensorSpec((None, *each.shape[1:]), tf.int32) for each in (GIVEN, GIVEN_LENGTH, LENGTH, NOISE)]
    function = tf.function(toy, input_signature=specs, autograph=False)
    for rows in (1, 3):
        arrays = [each[:rows] for each in (GIVEN, GIVEN_LENGTH, LENGTH, NOISE)]
        check(function(*arrays), [in_numpy(g[:n], k, u) for g, n, k, u in zip(*arrays, strict=True)])


def test_is_the_same_in_every_runtime(tmp_path):
    """The export compares SavedModel and TFLite, of builtin ops only, with the function itself."""
    inputs = {"given": GIVEN, "given_length": GIVEN_LENGTH, "length": LENGTH, "noise": NOISE}
    signatures = {
        "rows": export.signature(toy, **{name: (array.shape, "int32") for name, array in inputs.items()}),
        "all": export.signature(lambda given, noise: toy(given, noise=noise), given=((3, 4), "int32"),
                                noise=((3, NUM_STEPS), "int32")),
    }  # fmt: skip
    examples = {"rows": inputs, "all": {"given": GIVEN, "noise": NOISE}}
    report = export.write(tmp_path / "toy", signatures, examples=examples)
    found = export.run_tflite(report.folder / "model.tflite", examples)[0]
    check(
        {name: tf.constant(array) for name, array in found["rows"].items()},
        [in_numpy(GIVEN[i, : GIVEN_LENGTH[i]], LENGTH[i], NOISE[i]) for i in range(3)],
    )


def pixel_logits(picture, code, kernel, mask):
    """A masked network: each of 16 places sees those before it, and a code; for 3 channels 5 levels each."""
    seen = tf.reshape(tf.cast(picture, tf.float32), (-1, 16 * 3)) @ (kernel * mask)
    return tf.reshape(seen, (-1, 16, 3, 5)) + code[:, None, :, None] * tf.range(5.0)


@pytest.fixture(scope="module")
def pixels():
    """The masked network's kernel and mask, noise and codes."""
    random = np.random.default_rng(5)
    place, source = np.repeat(np.arange(16), 3 * 5), np.repeat(np.arange(16), 3)
    mask = (source[:, None] < place[None]).astype("float32")
    kernel = random.normal(size=mask.shape).astype("float32")
    return kernel, mask, random.uniform(size=(2, 16, 3)).astype("float32"), random.normal(size=(2, 3)).astype("float32")


def test_pictures_place_by_place(pixels, tmp_path):
    """As a PixelCNN draws 4x4 places of three channels: cached equals naive exactly, in every runtime."""
    kernel, mask, noise, codes = pixels

    def cached(value, state, code):
        """Adds what the last place says to the logits of all places: a step costs one row of places."""
        t, logits = state
        rows = tf.gather((kernel * mask).reshape(16, 3, 16 * 15), tf.maximum(t[0] - 1, 0))
        logits = tf.where(t[0] > 0, logits + tf.cast(value, tf.float32) @ rows, logits)
        here = tf.gather(tf.reshape(logits, (-1, 16, 3, 5)), tf.minimum(t[0], 15), axis=1)
        return here + code[:, :, None] * tf.range(5.0), (t + 1, logits)

    def paint(code, noise):
        state = (tf.zeros((2,), tf.int32), tf.zeros((2, 16 * 15)))
        first = tf.zeros((2, 3), tf.int32)
        how = {"num_steps": 16, "draw": drawing.draw_token, "noise": noise, "context": (code,)}
        written = loop.generate(cached, first, state, **how)
        return {"picture": tf.reshape(written.values, (2, 4, 4, 3)), "length": written.length}

    naive = np.zeros((2, 16, 3), "int32")
    for t in range(16):
        logits = pixel_logits(naive, codes, kernel, mask)[:, t]
        naive[:, t] = drawing.draw_token(logits, tf.constant(noise[:, t]))
    painted = paint(codes, noise)
    assert painted["picture"].numpy().reshape(2, 16, 3).tolist() == naive.tolist()
    assert painted["length"].numpy().tolist() == [16, 16] and len(np.unique(naive)) == 5
    signature = export.signature(paint, code=((2, 3), "float32"), noise=((2, 16, 3), "float32"))
    export.write(tmp_path / "p", {"paint": signature}, examples={"paint": {"code": codes, "noise": noise}})


def test_without_draw_the_output_is_the_value_and_the_state_comes_back():
    found = loop.generate(lambda value, state: (value * 2, state + 1), tf.ones(2), tf.zeros(2), num_steps=3)
    assert found.values.numpy().tolist() == [[2, 4, 8]] * 2 and found.state.numpy().tolist() == [3, 3]
    assert found.kept == {}


def test_score_adds_up_to_each_rows_length():
    values = np.random.default_rng(1).integers(0, 9, (3, 5)).astype("int32")
    length = np.array([5, 0, 3], "int32")

    def measure(output, value):
        return tf.cast(output["next"] - value, tf.float32)

    zeros = tf.zeros(3, tf.int32)
    found = loop.score(step, zeros, zeros, tf.constant(values), length, measure, (tf.constant(3),))
    before = np.cumsum(np.pad(values, ((0, 0), (1, 0)))[:, :-1], axis=1)
    each = (3 * before - values) * (np.arange(5) < length[:, None])
    assert found.numpy().tolist() == each.sum(axis=1).tolist()


def test_along_gives_what_the_step_meets():
    def advance(value, state, factor):
        return None, {"total": state["total"] + factor * value}

    start = {"total": tf.zeros(1, tf.int32)}
    met = list(loop.along(advance, np.zeros(1, "int32"), start, np.int32([4, 5, 6]), (tf.constant(2),)))
    assert [(int(value[0]), int(state["total"][0])) for value, state in met] == [(0, 0), (4, 0), (5, 8)]


def test_errors():
    with pytest.raises(ValueError, match=r"noise for 6 steps, \(batch, 6, ...\); got \(3, 5\)"):
        toy(noise=NOISE[:, :5])
    specs = [tf.TensorSpec((3, None), tf.int32)]
    with pytest.raises(ValueError, match="known number of places"):
        tf.function(toy, autograph=False).get_concrete_function(*specs)
