"""Texts as bags of words: whether each of the most frequent words is in them, and not where."""

from collections.abc import Iterable

import numpy as np

from toolkit.files import limits


def bags(train: Iterable[str], test: Iterable[str], num_words: int) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Counts words in texts, which are read once, one at a time.

    A word is two letters or digits and more, in any case; those are taken that are in the most training texts, of as
    many the first by the alphabet.

    Args:
        train: Texts that say which words there are.
        test: Other texts.
        num_words: How many words to take; at most those there are.

    Returns:
        (words, train, test): the words in the alphabet's order; float32 (texts, words), 1 where a word is in the text,
        else 0.

    Raises:
        ValueError: Where there is no word in the training texts, or the arrays would fill the memory.

    Example:

    >>> words, train, test = bags(["Gas, gas and oil.", "more oil"], ["No gas"], 2)
    >>> words, train.tolist(), test.tolist()
    (['and', 'oil'], [[1.0, 1.0], [0.0, 1.0]], [[0.0, 0.0]])

    Reference: Metsis, Androutsopoulos and Paliouras 2006, section 4 (Boolean attributes).
    """
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(binary=True, dtype=np.float32)
    try:
        train = counter.fit_transform(train)
    except ValueError as error:
        if "empty vocabulary" not in str(error):
            raise
        raise ValueError("the training texts hold no word of two letters or more.") from error
    test = counter.transform(test)
    counts = np.asarray(train.sum(axis=0)).ravel()
    chosen = np.sort(np.argsort(-counts, kind="stable")[:num_words])
    size = 4 * (train.shape[0] + test.shape[0]) * len(chosen)
    limits.check(size, f"{len(chosen)} words of each text (--num_words)", limits.half_of_memory())
    words = counter.get_feature_names_out()[chosen].tolist()
    return words, train[:, chosen].toarray(), test[:, chosen].toarray()
