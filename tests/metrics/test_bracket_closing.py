import numpy as np

from toolkit.metrics.bracket_closing import beside_chance, closed_within, closing_curve, opened


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


def test_beside_chance():
    """Text that closes what it opens, text that does not, and the first one's characters at random."""
    real, written = "(abc) " * 200, ["(abc " * 100, "(a) " * 100]
    curves = beside_chance(real, written, [5, 200])
    assert curves["test text"] == [(5, 1.0), (200, 1.0)] and curves["written"] == closing_curve(written, [5, 200])
    assert 0.1 < dict(curves["test text, shuffled"])[5] < 0.9
    assert beside_chance("none", written) == beside_chance(real, ["none"]) == {}
    shares = closed_within({**curves, "short": [(5, 1.0)]})
    assert list(shares) == [
        f"{name}_closed_within_200_characters" for name in ("test_text", "written", "test_text_shuffled")
    ]
    assert shares["written_closed_within_200_characters"] == dict(curves["written"])[200]
