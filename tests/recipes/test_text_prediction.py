import json
import math

import numpy as np
import pytest

from recipes import text_prediction as recipe
from tests.resume import check_resumes
from toolkit import data, training
from toolkit.methods import dynamic_evaluation

TINY = {
    "data": "embedded:english:30000",
    "units": 12,
    "epochs": 2,
    "batch_size": 8,
    "sequence_length": 40,
    "max_prompt": 12,
    "max_length": 30,
    "length": 25,
    "num_samples": 2,
    "max_evaluated": 1500,
}


def settings(workdir, **how):
    return recipe.Settings(workdir=str(workdir), **(TINY | how))


def a_run(workdir, **how):
    return training.Run(settings(workdir, **how), "text_prediction", load=recipe.load)


def test_all_phases(tmp_path, capsys, monkeypatch):
    run, asked, token_nats = a_run(tmp_path, prompt="The ", dynamic_decay=0.1), [], dynamic_evaluation.token_nats
    monkeypatch.setattr(
        dynamic_evaluation, "token_nats", lambda *given, **how: asked.append(given[2:]) or token_nats(*given, **how)
    )
    for phase in (recipe.train, recipe.evaluate, recipe.sample, recipe.export, recipe.check_data):
        phase(run)
    found = json.loads((tmp_path / "metrics.json").read_text())
    assert found["static_bits_per_character"] < math.log2(100) - 1
    assert asked == [(), (), (0.3, 0.1)]  # of the training text, static, dynamic as the flags say
    # Perplexity and bits a character are the same figure, told by the word and by the character.
    text = run.data
    ratio = text.characters["test"] / text.words["test"]
    np.testing.assert_allclose(
        math.log2(found["static_perplexity_per_word"]), found["static_bits_per_character"] * ratio, rtol=1e-6
    )
    pictures = {str(path.relative_to(tmp_path / "pictures")) for path in (tmp_path / "pictures").rglob("*.png")}
    assert pictures >= {
        "written.png",
        "read.png",
        "cells.png",
        "brackets.png",
        "training/written.png",
        "data/tokens.png",
    }
    written = (tmp_path / "samples.txt").read_text()
    assert written.startswith("The ") and written.split("\n\n---\n\n")[0] in capsys.readouterr().out
    card = json.loads((tmp_path / "export" / "card.json").read_text())
    assert set(card["signatures"]) == {"generate", "generate_from_noise", "step", "score"}
    bits = {name: each["bits_per_character"] for name, each in card["measured"].items()}
    np.testing.assert_allclose(bits["model.tflite"], bits["saved_model"], rtol=1e-5)
    assert data.text.Vocabulary.read(tmp_path / "export" / "card.json") == text.vocabulary


@pytest.mark.slow
def test_the_tflite_writes_what_keras_writes(tmp_path, capsys):
    run = a_run(tmp_path)
    recipe.train(run), recipe.export(run)
    run.close()
    written = {}
    for runtime in ("keras", "tflite"):
        # One text: the exported noise is for the longest text, so a second one's would begin elsewhere.
        again = a_run(tmp_path, runtime=runtime, prompt="is a ", num_samples=1, length=30)
        recipe.sample(again)
        written[runtime] = (tmp_path / "samples.txt").read_text()
        again.close()
    assert written["keras"] == written["tflite"] and len(written["keras"]) == 36
    for how, told in (
        ({"length": 31}, "31 tokens asked for: .*model.tflite writes at most 30.*--max_length"),
        ({"prompt": "x" * 13}, "The prompt has 13 tokens: .*at most 12.*--max_prompt"),
    ):
        with pytest.raises(ValueError, match=told):
            recipe.sample(a_run(tmp_path, runtime="tflite", **how))


@pytest.mark.slow
@pytest.mark.parametrize(
    "how",
    [
        {"level": "word", "vocabulary_size": 300, "num_sampled": 20, "num_layers": 2},
        {"level": "byte", "embedding_size": 6, "lstm_gradient_clip": 0.0},
        {"peepholes": True, "optimizer": "sgd", "adaptive_weight_noise": True, "skip_connections": False},
        {"num_layers": 2, "prompt": "The "},
        {"precision": "mixed_float16"},
        {"precision": "mixed_bfloat16"},
    ],
)
def test_other_settings_train_and_write(tmp_path, how):
    run = a_run(tmp_path, **how, quantize="int8")
    for phase in (recipe.train, recipe.evaluate, recipe.sample):
        phase(run)
    if how.get("num_layers") or how.get("level"):  # the others' signatures are those of the first test
        recipe.export(run)
        card = json.loads((tmp_path / "export" / "card.json").read_text())
        bits = {name: next(iter(each.values())) for name, each in card["measured"].items()}
        assert 0 < abs(bits["model_int8.tflite"] - bits["model.tflite"]) < 0.05
    found = json.loads((tmp_path / "metrics.json").read_text())
    most = math.log2(len(run.data.vocabulary.tokens))
    assert 0 < found["static_bits_per_token"] < most + 0.5 and np.isfinite(found["dynamic_bits_per_token"])
    assert (tmp_path / "samples.txt").read_text().strip()


def test_what_disturbs_a_training_is_what_the_flags_ask_for(tmp_path):
    asked = {"dropout": 0.2, "drop_connect": 0.3, "weight_noise": 0.05, "recurrent_dropout": 0.1}
    run = a_run(tmp_path, **asked)
    trainee = recipe.compiled(recipe.network(run.settings, run.data.vocabulary), run.settings, 10)
    levels = {type(each).__name__: each for each in trainee._flatten_layers()}
    found = [levels["Dropout"].rate, levels["DropConnect"].rate, levels["WeightNoise"].stddev]
    assert [*found, levels["TokenLSTM"].recurrent_dropout] == list(asked.values())


@pytest.mark.slow
@pytest.mark.parametrize(
    "noise, cuts",
    [
        ({"weight_noise": 0.075, "dropout": 0.2, "drop_connect": 0.3}, (26,)),
        ({"recurrent_dropout": 0.2}, (26,)),  # by itself: what disturbs weights hides a seed that is not kept
        ({"adaptive_weight_noise": True, "num_layers": 2}, (5, 26)),
    ],
)
def test_resumes_with_states_and_noise(tmp_path, noise, cuts):
    """In the middle of an epoch, the first or the second; carried states included."""

    def start(workdir):
        return a_run(workdir, **noise, data="embedded:english:8000", checkpoint_minutes=0.0, reset_every=3)

    check_resumes(start, recipe.train, tmp_path, cuts=cuts)


@pytest.mark.slow
def test_starts_from_a_trained_network_with_another_batch_and_noise(tmp_path):
    first = a_run(tmp_path / "first", epochs=2)
    recipe.train(first)
    before = first.load().get_weights()
    how = {"weight_noise": 0.05, "batch_size": 4, "epochs": 1, "learning_rate": 1e-7, "seed": 3}
    second = a_run(tmp_path / "second", start_from=str(tmp_path / "first"), **how)
    recipe.train(second)
    for old, new in zip(before, second.load().get_weights(), strict=True):
        np.testing.assert_allclose(new, old, atol=1e-4)
    with pytest.raises(ValueError, match="nowhere holds no trained 'model': name the --workdir of a training"):
        recipe.train(a_run(tmp_path / "third", start_from=str(tmp_path / "nowhere")))
    (tmp_path / "other.txt").write_text("otherwise\n" * 1000)
    told = "--start_from=.* has another vocabulary than --data=.*Train both on a text that has the tokens of both"
    with pytest.raises(ValueError, match=told):
        recipe.train(a_run(tmp_path / "fourth", start_from=str(tmp_path / "first"), data=f"text:{tmp_path}/other.txt"))


@pytest.mark.slow
def test_a_text_without_words_is_evaluated_without_figures_of_words(tmp_path, capsys):
    """A word of 400 letters would have a perplexity beyond float32, in which TensorBoard keeps scalars."""
    letters = np.random.default_rng(0).choice(list("abcd"), (20, 400)).tolist()
    (tmp_path / "a.txt").write_text("".join("".join(line) + "\n" for line in letters), "utf-8")
    run = a_run(tmp_path / "run", data=f"text:{tmp_path}/a.txt", epochs=1, max_evaluated=500)
    recipe.train(run)
    recipe.evaluate(run)
    found = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert "dynamic_bits_per_character" in found and not any("word" in name for name in found)
    assert "no perplexity a word" in capsys.readouterr().out


@pytest.mark.slow
def test_what_the_model_does_not_know_is_told(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("some words and others\n" * 200)
    run = a_run(tmp_path / "run", data=f"text:{text}", epochs=1)
    recipe.train(run)
    run.close()
    again = a_run(tmp_path / "run", data=f"text:{text}")
    recipe.sample(again)
    again.close()
    assert not (tmp_path / "run" / "pictures" / "brackets.png").exists()  # the text has none
    with pytest.raises(ValueError, match="--prompt='Größe': the network has never seen 'G', 'ö', 'ß'. It knows"):
        recipe.sample(a_run(tmp_path / "run", data=f"text:{text}", prompt="Größe"))
    text.write_text("other words, and more\n" * 200)
    with pytest.raises(
        ValueError, match="has another vocabulary than the text that --workdir=.* was trained on: .*','"
    ):
        recipe.evaluate(a_run(tmp_path / "run", data=f"text:{text}"))
    for how, told in (
        ({"weight_noise": 0.1, "adaptive_weight_noise": True}, "exclude each other"),
        ({"num_sampled": 5}, "--num_sampled=5 is for words"),
    ):
        with pytest.raises(ValueError, match=told):
            settings(tmp_path, **how)
    assert not hasattr(recipe.Settings(), "strategy"), "a stream's state is one device's: --help does not offer it"


@pytest.mark.slow
def test_real_text(tmp_path, test_data):
    """Penn Treebank's characters: after seconds the network predicts, and dynamic evaluation predicts better."""
    source = f"text:{test_data}/text/ptb.valid.txt,{test_data}/text/ptb.test.txt"
    how = {"units": 64, "batch_size": 32, "epochs": 1, "max_evaluated": 20_000, "learning_rate": 6e-3}
    run = a_run(tmp_path, data=source, **how)
    recipe.train(run)
    recipe.evaluate(run)
    found = json.loads((tmp_path / "metrics.json").read_text())
    assert 2.0 < found["dynamic_bits_per_character"] < found["static_bits_per_character"] - 0.005 < 3.2
