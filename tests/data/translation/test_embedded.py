import collections

import numpy as np
import pytest

from toolkit.data.translation import embedded


@pytest.fixture(scope="module")
def language():
    return embedded.invented(2000, seed=0)


def test_each_word_has_one_translation_and_the_order_is_the_rule(language):
    """Read off sentences of a noun, a verb and a noun, all other sentences follow."""
    known = {"ka": "ka"}
    for part in embedded.PARTS:
        for source, target, _ in language[part]:
            words = source.split()
            nouns = [words[place - 1] for place in (words.index("ka", 1) - 1, len(words))]
            adjectives = [words[1:-1][:1] if words[1] != nouns[0] else []]
            adjectives.append([words[-2]] if words[-2] != "ka" else [])
            verb = words[words.index("ka", 1) - 1]
            expected = [nouns[0], *adjectives[0], None, nouns[1], *adjectives[1], None, verb]
            told = target.split()
            assert told[-2] == "mi" and told[len(adjectives[0]) + 1] == "lo" and len(told) == len(expected)
            for word, translated in zip(expected, told, strict=True):
                assert word is None or known.setdefault(word, translated) == translated
    assert len(set(known.values())) == len(known) > 900


def test_most_words_are_rare_and_a_tenth_is_never_trained_on(language):
    counts = collections.Counter(word for pair in language["train"] for word in pair.source.split())
    tested = {word for pair in language["test"] for word in pair.source.split()}
    read = collections.Counter(word for pair in language["context"] for word in pair.source.split())
    unseen = {word for word in tested if not counts[word]}
    validated = {word for pair in language["validation"] for word in pair.source.split()}
    assert unseen <= set(read) | validated and len(set(read) - {"ka"}) >= 100
    assert np.median([read[word] for word in read if word != "ka"]) <= 2
    assert np.median(list(counts.values())) < 8 < 200 < counts.most_common(2)[1][1]
    assert not any(counts[word] for word in read if word != "ka")


def test_a_language_is_a_function_of_its_seed():
    one, again, other = (embedded.invented(30, seed=seed) for seed in (1, 1, 2))
    assert one == again and one["train"] != other["train"]


def test_mapping_is_a_function_of_the_number():
    found, images = embedded.mapping(3000, seed=0), {}
    for part in embedded.PARTS:
        for source, target, events in found[part]:
            given, told = source.split(), target.split()
            inside = [place for place, event in enumerate(events) if event]
            assert len(given) == len(told) == len(events) and len(inside) == 4
            assert all(given[place] == told[place] for place in range(len(given)) if place not in inside)
            number, image = ("".join(each[inside[0] : inside[-1] + 1]) for each in (given, told))
            assert events[inside[0]] == number and images.setdefault(number, image) == image
    events = {part: {event for pair in pairs for event in pair.events} - {""} for part, pairs in found.items()}
    assert not events["context"] & (events["train"] | events["validation"]) and len(events["context"]) >= 25
    assert len(events["context"] | events["train"] | events["validation"]) == 256
