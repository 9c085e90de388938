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
    with pytest.raises(ValueError, match="does not hold a vocabulary"):
        (tmp_path / "card.json").write_text("{}")
        TextWriter(tmp_path)
    call = tflite_caller(characters[0] / "model.tflite")
    asked = {"prompt": np.zeros((1, 12), "int32"), "prompt_length": np.zeros(1, "int32")}
    drawn = call("generate", **asked, length=np.array([99], "int32"), temperature=np.ones(1, "float32"))
    assert drawn["length"][0] == 30  # more than the most is not written, and it says so
    assert set(map(chr, drawn["text"][0])) <= set(characters[2].tokens)


def test_the_writer_needs_no_tensorflow(characters):
    program = (
        "import sys; from toolkit.serving.language_model import TextWriter\n"
        "writer = TextWriter(sys.argv[1]); print(writer.vocabulary.decode(writer.write([], 9, seed=2)[0]))\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(characters[0])], capture_output=True, text=True)
    assert done.returncode == 0 and len(done.stdout) == 10, done.stderr[-2000:]
