"""Translation of rare words: Kaiser et al. 2017, "Learning to remember rare events" (1703.03129, sections 3 and 4).

Translates with a memory of what each word becomes, so that a word that was seen once is known; learns a new one by
reading a sentence, without training.

  python -m recipes.rare_translation                                         all phases on an invented language
  python -m recipes.rare_translation --workdir=runs/numbers --data=embedded:mapping      the paper's synthetic task
  python -m recipes.rare_translation --workdir=runs/own --data=tsv:fra.txt --memory_size=65536

Here: invented language, 4,000 sentences, seeds 0 to 2, words that training had 1 to 3 times: 74 to 92 % right with the
memory, none without; 16 times or more: 99 to 100 and 76 to 83 %; never: 59 to 74 % after one reading, none before.
Whole sentences: 43 to 54 %, after reading 58 to 78 %, without a memory none.

Paper: English to German with WMT14, and its synthetic task; no figure of either could be checked.

Differs from the paper: a network that two cores train in minutes, an invented language instead of WMT14, one decoder
layer, whose attention is the query.
"""

import numpy as np

from toolkit import data, generation, metrics, models, serving, settings, training, visualize
from toolkit.lazy import keras
from toolkit.settings import other, setting


@settings.recipe
class Settings(
    settings.Translations,
    settings.Memory,
    settings.Recurrent,
    settings.FallingAdam,
    settings.Devices,
    settings.Sampling,
    settings.MeasuredExport,
):
    embedding_size: int = setting(64, "numbers of a word", minimum=1, maximum=8192)
    beam_width: int = setting(1, "translations that are kept at a time", minimum=1, maximum=100, changeable=True)
    units: int = other(128, paper="1024")
    memory_size: int = other(4096)
    key_size: int = other(64)
    num_neighbors: int = other(64)
    batch_size: int = 64
    learning_rate: float = 2e-3
    epochs: int = 8


def load(s):
    """`data.translation.Translation`."""
    return data.translation.load(**s.reading())


def network(s, pairs, memory):
    sizes = len(pairs.source.tokens), len(pairs.target.tokens)
    how = s.memory() | {"seed": s.seed} if memory else None
    return models.memory_translator.translator(*sizes, **s.only("units", "embedding_size"), memory=how)


def fitted(run, stage, memory):
    s, pairs = run.settings, run.data
    train, validation = (pairs.batches(part, s.batch_size) for part in ("train", "validation"))
    words = s.batch_size * pairs.translations["train"].shape[1]
    if words > s.memory_size:
        raise ValueError(
            f"--memory_size={s.memory_size} is less than the {words} words of --batch_size={s.batch_size} sentences."
        )
    with run.scope(stage):
        model = network(s, pairs, memory)
        falling = training.step_sizes.falling(s.learning_rate, run.num_steps(train))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
        model.compile(keras.optimizers.Adam(falling, global_clipnorm=1.0), loss)
    run.fit(model, train, validation, stage=stage)


def train(run):
    fitted(run, "model", memory=True)


def without_memory(run):
    fitted(run, "without_memory", memory=False)


def measured(run, model):
    """Percent of the test's words that are right, given those before them, by how often they came in training; and of
    sentences, translated by the network alone."""
    pairs = run.data.arrays("test")
    right = model.predict(pairs, batch_size=64, verbose=0).argmax(axis=-1) == pairs["target"]
    found = metrics.rare_accuracy.rare_accuracy(right, run.data.occurrences["test"])
    said = translated(run, model, pairs["source"]) == np.maximum(pairs["target"], 0)
    return {**found, "sentences": float(100.0 * np.mean(said.all(axis=1)))}


def translated(run, model, source):
    """Numbers of words (sentences, words), "<end>" and zeros after the last."""
    return generation.translation.translated(
        model,
        source,
        num_words=run.data.translations["test"].shape[1],
        start=run.data.target.numbers["<start>"],
        end=run.data.target.numbers["<end>"],
        beam_width=run.settings.beam_width,
    )


def evaluate(run):
    without, model = run.load("without_memory"), run.load()
    found = {"without_memory": measured(run, without), "memory": measured(run, model)}
    generation.translation.read(model, run.data.arrays("context"), run.settings.batch_size)
    found["memory_after_reading"] = measured(run, model)
    run.report({f"{name}_{span}_percent": value for name, each in found.items() for span, value in each.items()})
    run.table("accuracy", [{"network": name, **each} for name, each in found.items()])
    names, spans = list(found), list(found["memory"])
    values = np.array([list(each.values()) for each in found.values()])
    run.picture("accuracy", visualize.charts.matrix(values, spans, names, "percent right"))


def sample(run):
    """Sentences with the rarest words, before and after the network read others with these words."""
    s, pairs, model = run.settings, run.data, run.load()
    counts = np.where(pairs.occurrences["test"] < 0, np.inf, pairs.occurrences["test"])
    rows = np.argsort(counts.min(axis=1), kind="stable")[: s.num_samples]
    source = pairs.sentences["test"][rows]
    said = {"before_reading": pairs.target.decode_batch(translated(run, model, source))}
    generation.translation.read(model, pairs.arrays("context"), s.batch_size)
    said["after_reading"] = pairs.target.decode_batch(translated(run, model, source))
    said = {
        "sentence": pairs.source.decode_batch(source),
        "right": pairs.target.decode_batch(pairs.translations["test"][rows]),
        **said,
    }
    run.table("translations", [dict(zip(said, each, strict=True)) for each in zip(*said.values(), strict=True)])


def export(run):
    pairs = run.data
    served = serving.translator.translator(
        run.load(),
        source=pairs.source,
        target=pairs.target,
        measured=pairs.arrays("test"),
        typical=pairs.arrays("train"),
        max_measured=run.settings.max_measured,
    )
    run.export(served, data=run.settings.data, description=__doc__.splitlines()[0])


def check_data(run):
    found = data.translation.report.examine(run.data, batch_size=run.settings.batch_size)
    run.check(found.report, lambda: {"words": visualize.charts.bars(found.frequent, "target words of the training")})


if __name__ == "__main__":
    training.main(Settings, load, train, without_memory, evaluate, sample, export, untrained=(check_data,), trains=2)
