"""An untrained network, exported whole without any recipe: each signature against Keras, and what writes with it."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest

from toolkit import data, export, generation, models
from toolkit.export.interpreter import tflite_caller
from toolkit.serving.language_model import TextWriter, language_model

# In `./run test` the recipe of such a network exports it; what int8 costs, and each signature alone, is for CI.
pytestmark = pytest.mark.slow

TEXT = "the cat sat on the mat (and the dog sat by the door) \n" * 30
MOST_PROMPT, MOST_LENGTH = 12, 30


def exported(folder, level, **how):
    vocabulary = data.text.Vocabulary.of([TEXT], level)
    model = models.text_rnn.language_model(list(vocabulary.tokens), level, units=6, num_layers=2)
    model.set_weights([6 * weight for weight in model.get_weights()])  # sure enough that rounding does not decide
    tokens = vocabulary.encode(TEXT)
    test = tokens[-200:] if level == "char" else tokens[-700:]
    served = language_model(
        model, train=tokens[:900], test=test, max_prompt=MOST_PROMPT, max_length=MOST_LENGTH, seed=1, **how
    )
    export.write(folder, **served.arguments(), quantize="int8")
    return folder, model, vocabulary, tokens, test


@pytest.fixture(scope="module")
def characters(tmp_path_factory):
    return exported(tmp_path_factory.mktemp("export") / "char", "char")


@pytest.fixture(scope="module", params=["char", pytest.param("word", marks=pytest.mark.slow),
                                        pytest.param("byte", marks=pytest.mark.slow)])  # fmt: skip
def language(request, characters, tmp_path_factory):
    if request.param == "char":
        return characters
    return exported(tmp_path_factory.mktemp("export") / request.param, request.param)


def test_card_and_measure(language):
    folder, model, vocabulary, _, test = language
    card = json.loads((folder / "card.json").read_text())
    assert set(card["signatures"]) == {"generate", "generate_from_noise", "step", "score"}
    assert data.text.Vocabulary.read(folder / "card.json") == vocabulary
    # Twenty passages of up to 500 tokens, each read from a state of zeros on.
    length, generator = min(500, len(test)), generation.text.Generator(model)
    starts = [int(start) for start in np.linspace(0, len(test) - length, 20)]
    bits = np.mean([generator.nats(test[s : s + length]).mean() for s in starts]) / math.log(2)
    name = {"char": "bits_per_character", "word": "bits_per_word", "byte": "bits_per_byte"}[vocabulary.level]
    measured = card["measured"]
    np.testing.assert_allclose([measured["model.tflite"][name], measured["saved_model"][name]], bits, rtol=1e-4)
    assert 0 < abs(measured["model_int8.tflite"][name] - bits) < 0.3


def test_step_is_the_networks(language):
    folder, model, vocabulary, tokens, _ = language
    call, state = tflite_caller(folder / "model.tflite"), {}
    state = {f"{kind}_{n}": np.zeros((1, 6), "float32") for n in (1, 2) for kind in ("hidden", "cell")}
    token, found = np.zeros(1, "int32"), []
    for following in tokens[:8]:
        outputs = call("step", token=token, **state)
        found.append(outputs["logits"][0])
        state = {name: outputs[f"next_{name}"] for name in state}
        token = vocabulary.to_codes([following])
    expected = np.asarray(model(np.array([[0, *tokens[:7]]])))[0]
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_it_writes_what_keras_writes(language):
    folder, model, vocabulary, tokens, _ = language
    writer, prompt = TextWriter(folder), tokens[:7]
    assert (writer.vocabulary, writer.max_prompt, writer.max_length) == (vocabulary, MOST_PROMPT, MOST_LENGTH)
    written = writer.write(prompt, MOST_LENGTH, num_texts=2, temperature=0.8, seed=3)
    generator = generation.text.Generator(model, excluded=vocabulary.excluded)
    expected = generator.write(prompt, MOST_LENGTH, num_texts=2, temperature=0.8, seed=3)
    np.testing.assert_array_equal(written, expected)
    np.testing.assert_array_equal(writer.write(prompt, 10, temperature=0.8, seed=3), expected[:1, :10])


def test_longer_than_the_file_can(characters, tmp_path):
    writer = TextWriter(characters[0])
    with pytest.raises(ValueError, match="31 tokens asked for: .*model.tflite writes at most 30.*--max_length"):
        writer.write([], 31)
    with pytest.raises(ValueError, match="The prompt has 13 tokens: .*at most 12.*--max_prompt"):
        writer.write([1] * 13, 5)
    for wrong in ({"num_tokens": 0}, {"num_texts": 0}, {"temperature": -1.0}, {"temperature": math.nan}):
        with pytest.raises(ValueError, match="must be at least 1 and temperature at least 0"):
            writer.write([], **{"num_tokens": 5, **wrong})
    call = tflite_caller(characters[0] / "model.tflite")
    asked = {"prompt": np.zeros((1, 12), "int32"), "prompt_length": np.zeros(1, "int32")}
    drawn = call("generate", **asked, length=np.array([99], "int32"), temperature=np.ones(1, "float32"))
    assert drawn["length"][0] == 30  # more than the most is not written, and it says so
    assert set(map(chr, drawn["text"][0])) <= set(characters[2].tokens)


def test_another_models_card(characters, tmp_path):
    card = json.loads((characters[0] / "card.json").read_text())
    (tmp_path / "model.tflite").write_bytes((characters[0] / "model.tflite").read_bytes())
    for vocabulary, told in (
        (None, "is not a vocabulary"),
        ({"level": "word", "tokens": ["<unk>"]}, "of another model"),
    ):
        (tmp_path / "card.json").write_text(json.dumps({**card, "vocabulary": vocabulary}))
        with pytest.raises(ValueError, match=f"card.json.* {told}"):
            TextWriter(tmp_path)
    (tmp_path / "card.json").write_text("{}")
    with pytest.raises(ValueError, match="card.json is not the card of an exported model: it has no signatures"):
        TextWriter(tmp_path)


WRONG = {
    "lengths": {"prompt_length": 10**9, "length": 2**31 - 1},
    "negative lengths": {"prompt_length": -5, "length": -(2**31)},
    "temperature -1": {"temperature": -1.0},
    "temperature nan": {"temperature": math.nan},
    "temperature inf": {"temperature": math.inf},
    "temperature 1e9": {"temperature": 1e9},
    "negative tokens": {"prompt": -(2**31), "token": -7, "tokens": -1},
    "huge tokens": {"prompt": 2**31 - 1, "token": 2**30, "tokens": 10**6},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_whatever_is_asked_the_answer_is_finite_and_soon(language, wrong):
    folder, _, vocabulary, tokens, test = language
    call, codes, passage = tflite_caller(folder / "model.tflite"), vocabulary.to_codes(tokens[:MOST_PROMPT]), len(test)
    length = min(500, passage)
    good = {
        "prompt": codes[None], "prompt_length": np.array([5], "int32"), "length": np.array([20], "int32"),
        "temperature": np.ones(1, "float32"), "noise": np.full((1, MOST_LENGTH), 0.999, "float32"),
        "token": codes[:1], "tokens": vocabulary.to_codes(test[:length])[None],
    }  # fmt: skip
    asked = good | {name: np.full_like(good[name], value) for name, value in WRONG[wrong].items()}
    written = call("generate_from_noise", **{name: asked[name] for name in list(good)[:5]})
    assert 0 <= written["length"][0] <= MOST_LENGTH
    drawn = vocabulary.from_codes(written["text"][0][: written["length"][0]])
    assert not set(vocabulary.excluded) & set(drawn.tolist()) and drawn.max(initial=0) < len(vocabulary.tokens)
    states = {f"{kind}_{n}": np.zeros((1, 6), "float32") for n in (1, 2) for kind in ("hidden", "cell")}
    assert np.isfinite(call("step", token=asked["token"], **states)["logits"]).all()
    for many in (length, 2**31 - 1, -5):
        nats = call("score", tokens=asked["tokens"], length=np.array([many], "int32"))["nats"][0]
        assert np.isfinite(nats) and (nats == 0) == (many < 0)
        if many == length:
            whole = nats
    assert call("score", tokens=asked["tokens"], length=np.array([length + 7], "int32"))["nats"][0] == whole


def test_the_writer_needs_no_tensorflow(characters):
    program = (
        "import sys; from toolkit.serving.language_model import TextWriter\n"
        "writer = TextWriter(sys.argv[1]); print(writer.vocabulary.decode(writer.write([], 9, seed=2)[0]))\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(characters[0])], capture_output=True, text=True)
    assert done.returncode == 0 and len(done.stdout) == 10, done.stderr[-2000:]
