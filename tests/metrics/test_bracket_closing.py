import numpy as np

from toolkit.metrics.bracket_closing import closing_curve, opened


def by_hand(text):
    """Each opening bracket's closing by counting depth, character by character: slow and plain."""
    found = []
    for place, character in enumerate(text):
        if character not in "([{":
            continue
        closing, depth, end = {"(": ")", "[": "]", "{": "}"}[character], 0, None
        for later in range(place, len(text)):
            depth += (text[later] == character) - (text[later] == closing)
            if depth == 0:
                end = later - place
                break
        found.append((place, end))
    return found


def test_against_counting_depth():
    random = np.random.default_rng(0)
    for _ in range(200):
        text = "".join(random.choice(list("()[]{}ab"), 40))
        assert opened(text) == by_hand(text)


def test_quotes_end_with_their_paragraph():
    assert opened('a "b" c "d\n\n"e"') == [(2, 2), (8, None), (12, 2)]


def test_curve():
    assert closing_curve(["(ab) (abcdef) x"], [2, 3, 7]) == [(2, 0.0), (3, 0.5), (7, 1.0)]
    assert closing_curve(["(((((" + "x" * 50], [10]) == [(10, 0.0)]
    # The second could not be closed within 5 characters: it is not counted.
    assert closing_curve(["(abc) abcdef (a"], [5]) == [(5, 1.0)]
    assert closing_curve(["no brackets"], [5]) == []
