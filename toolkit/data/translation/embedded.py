"""Translations that need no file: an invented language with rare words, and numbers under a random function.

What is right is known for each word, and so is how often it was there to be learned.
"""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

PARTS = ("train", "validation", "context", "test")


class Pair(NamedTuple):
    """A sentence and its translation.

    Args:
        source: Words between spaces.
        target: Likewise.
        events: For each target word, what has to be known to write it; "" where nothing has. Empty: each word itself.
    """

    source: str
    target: str
    events: tuple[str, ...] = ()


_DIGITS = 4  # of a number under the random function; 256 numbers


def invented(num_sentences: int, seed: int, num_words: int = 1000, unseen: float = 0.1) -> dict[str, list[Pair]]:
    """Makes up a language of subject, verb and object, and its translation into subject, object and verb.

    A source sentence is "ka [ADJECTIVE] NOUN VERB ka [ADJECTIVE] NOUN", its translation "NOUN [ADJECTIVE] lo NOUN
    [ADJECTIVE] mi VERB". Each word has one translation, which nothing tells but sentences: half are nouns, a quarter
    verbs and a quarter adjectives. In "train" and "validation" the word of rank r comes with a probability proportional
    to 1 / r, so that most are rare, and the last of each kind do not come at all. In "test" all words come equally
    often. "context" has each of those that neither of the first two has, about once.

    Args:
        num_sentences: Of "train"; "validation" has a tenth as many, "test" a quarter, and "context" what has each word
            once that neither of the first two has.
        seed: Decides the language and the sentences.
        num_words: Words beside ka, lo and mi.
        unseen: The share of them that neither "train" nor "validation" has.

    Returns:
        By part, sentences and their translations.

    Example:

    >>> {part: len(pairs) for part, pairs in invented(100, seed=0).items()}
    {'train': 100, 'validation': 10, 'context': 198, 'test': 25}

    Reference: Zipf 1949, for the frequencies; Kaiser et al. 2017, arXiv 1703.03129, section 4.3, for a test half of
    which is read first.
    """
    random = np.random.default_rng([31, seed])
    kinds = dict(zip("nva", np.split(np.arange(num_words), [num_words // 2, 3 * num_words // 4]), strict=True))
    source, target = _names(random, "bdfghkmnprst", num_words), _names(random, "jlvwxyzqcshr", num_words)
    held = {kind: max(1, round(unseen * len(words))) for kind, words in kinds.items()}

    def zipf(kind):
        known = kinds[kind][: -held[kind]]
        shares = 1.0 / np.arange(1, len(known) + 1)
        return random.choice(known, p=shares / shares.sum())

    spoken = {kind: set() for kind in kinds}
    draws = {
        "train": zipf,
        "validation": zipf,
        "context": lambda kind: next(unspoken[kind]),
        "test": lambda kind: random.choice(kinds[kind]),
    }

    def sentence(part):
        draw = draws[part]
        nouns, verb = [draw("n"), draw("n")], draw("v")
        adjectives = [[draw("a")] if part == "context" or random.random() < 0.5 else [] for _ in nouns]
        for kind, words in zip("nva", (nouns, [verb], sum(adjectives, [])), strict=True):
            spoken[kind].update(words)
        (said, told), (first, second) = ([], []), zip(adjectives, nouns, strict=True)
        for adjective, noun in (first, second):
            said += ["ka", *(source[word] for word in adjective), source[noun]] + [source[verb]] * (noun is nouns[0])
            told += [target[noun], *(target[word] for word in adjective)] + ["lo"] * (noun is nouns[0])
        return Pair(" ".join(said), " ".join([*told, "mi", target[verb]]))

    found = {"train": [sentence("train") for _ in range(num_sentences)]}
    found["validation"] = [sentence("validation") for _ in range(-(-num_sentences // 10))]
    left = {kind: random.permutation(np.setdiff1d(words, list(spoken[kind]))) for kind, words in kinds.items()}
    unspoken = {kind: itertools.cycle(words) for kind, words in left.items()}
    enough = max(-(-len(left["n"]) // 2), len(left["v"]), -(-len(left["a"]) // 2))
    found["context"] = [sentence("context") for _ in range(enough)]
    return found | {"test": [sentence("test") for _ in range(-(-num_sentences // 4))]}


def mapping(num_sequences: int, seed: int) -> dict[str, list[Pair]]:
    """Makes up the paper's synthetic task: a number among As and Bs, replaced by what a random function makes of it.

    A source is As and Bs with a number of four digits to the base 4 among them, such as "A 0 1 3 2 B A"; its target is
    the same with f of the number, f being a random function from numbers to numbers (paper: of seven digits; 16,000
    numbers). In "train" and "validation" the number of rank r comes with a probability proportional to 1 / r, and a
    tenth of them do not come at all; "test" has all numbers equally often, and "context" once each of those that
    neither of the first two has.

    Args:
        num_sequences: Of "train"; "validation" has a tenth as many, "test" a quarter.
        seed: Decides the function and the sequences.

    Returns:
        By part, sequences and what they become; what has to be known for a digit is its number.

    Reference: Kaiser et al. 2017, arXiv 1703.03129, section 4.2.
    """
    random = np.random.default_rng([32, seed])
    numbers = random.permutation(4**_DIGITS)
    image = random.integers(0, 4**_DIGITS, 4**_DIGITS)
    known = numbers[: -(len(numbers) // 10)]
    shares = 1.0 / np.arange(1, len(known) + 1)

    def digits(number):
        return list(np.base_repr(number, 4).zfill(_DIGITS))

    def sequence(number):
        before, after = (random.choice(["A", "B"], random.integers(1, 4)).tolist() for _ in range(2))
        of, told = "".join(digits(number)), ([*before, *digits(each), *after] for each in (number, image[number]))
        return Pair(*map(" ".join, told), ("",) * len(before) + (of,) * _DIGITS + ("",) * len(after))

    def zipf(count):
        return random.choice(known, count, p=shares / shares.sum())

    drawn = {"train": zipf(num_sequences), "validation": zipf(-(-num_sequences // 10))}
    drawn["context"] = np.setdiff1d(numbers, np.concatenate(list(drawn.values())))
    drawn["test"] = random.choice(numbers, -(-num_sequences // 4))
    return {part: [sequence(number) for number in drawn[part]] for part in PARTS}


def _names(random, consonants, number) -> list[str]:
    """Words of two syllables or three, each once."""

    def syllables(count) -> Iterator[str]:
        for pairs in itertools.product(itertools.product(consonants, "aeiou"), repeat=count):
            yield "".join(itertools.chain.from_iterable(pairs))

    enough = list(syllables(2)) if number <= 3000 else list(itertools.islice(syllables(3), 20 * number))
    return [enough[place] for place in random.permutation(len(enough))[:number]]
