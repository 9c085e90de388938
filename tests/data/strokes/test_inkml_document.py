import re

import numpy as np
import pytest

from toolkit.data.strokes.inkml_document import read_document
from toolkit.data.strokes.lines import to_strokes

XMLNS = 'xmlns="http://www.w3.org/2003/InkML"'


def read(tmp_path, body, whole=False, top=f"<ink {XMLNS}>"):
    path = tmp_path / "a.inkml"
    path.write_text(f'<?xml version="1.0" encoding="UTF-8"?>\n{top}\n{body}\n</ink>\n', encoding="utf-8")
    return read_document(path, whole=whole)


def drawn(ink):
    """Of each piece what is written, and its strokes from its first point on."""
    return [
        (words, [(stroke - strokes[0][0]).astype(int).tolist() for stroke in strokes])
        for _, words, offsets in ink.pieces
        for strokes in [to_strokes(offsets)]
    ]


def test_traces_without_anything_else(tmp_path):
    ink = read(tmp_path, "<trace>10 10, 12 11</trace><trace>20 5</trace>")
    assert drawn(ink) == [("", [[[0, 0], [2, 1]], [[10, -5]]])]
    assert (ink.writer, ink.num_others) == ("", 0) and ink.pieces[0][0] == 2
    assert ink.pieces[0][2].dtype == np.float32 and ink.pieces[0][2][:, 2].tolist() == [0, 1, 1]


CROHME = """
<traceFormat><channel name="X" type="decimal"/><channel name="Y" type="decimal"/></traceFormat>
<annotation type="truth">$x+1$</annotation>
<annotation type="writer">Ann</annotation>
<annotationXML type="truth" encoding="Content-MathML"><math><mi xml:id="x">x</mi></math></annotationXML>
<trace id="0">0 0, 5 5</trace><trace id="1">5 0, 0 5</trace>
<trace id="2">9 2, 12 2</trace><trace id="3">11 0, 11 5</trace><trace id="4">15 0, 15 5</trace>
<traceGroup xml:id="5"><annotation type="truth">Segmentation</annotation>
  <traceGroup xml:id="6"><annotation type="truth">x</annotation>
    <traceView traceDataRef="1"/><traceView traceDataRef="0"/><annotationXML href="x"/></traceGroup>
  <traceGroup xml:id="7"><annotation type="truth">+</annotation>
    <traceView traceDataRef="2"/><traceView traceDataRef="3"/></traceGroup>
  <traceGroup xml:id="8"><annotation type="truth">1</annotation><traceView traceDataRef="4"/></traceGroup>
</traceGroup>"""


def test_formulas_as_crohmes(tmp_path):
    symbols = read(tmp_path, CROHME)
    assert [words for words, _ in drawn(symbols)] == ["x", "+", "1"] and symbols.writer == "Ann"
    assert drawn(symbols)[0][1] == [[[0, 0], [5, 5]], [[5, 0], [0, 5]]], "in the order they were drawn in"
    ((words, strokes),) = drawn(read(tmp_path, CROHME, whole=True))
    assert words == "$x+1$" and len(strokes) == 5


WORDS = """
<definitions>
  <inkSource id="tablet"><traceFormat id="format"><channel name="X" units="ink"/><channel name="Y" units="ink"/>
  </traceFormat></inkSource>
  <brush id="brush"><brushProperty name="color" value="#0000FF"/></brush>
  <context id="context" inkSourceRef="#tablet" brushRef="#brush"/>
</definitions>
<annotationXML type="Writer characteristics"><name>writer9-sentence1</name><age>18-25</age></annotationXML>
<traceGroup>
  <annotationXML type="Ground truth"><type>Sentence</type><label>so it is</label></annotationXML>
  <traceGroup><annotationXML type="Ground truth"><type>Word</type><label> so </label></annotationXML>
    <trace id="t1" contextRef="#context"> 533 503, 512 477</trace></traceGroup>
  <traceGroup><annotationXML type="Ground truth"><type>Word</type><label>it
      is</label></annotationXML>
    <trace id="t2" contextRef="#context">1 1</trace><trace id="t3" contextRef="#context">3 4,4 4</trace></traceGroup>
</traceGroup>"""


@pytest.mark.parametrize("top", ["<ink>", f"<ink {XMLNS}>"])
def test_words_in_sentences(tmp_path, top):
    assert drawn(read(tmp_path, WORDS, top=top)) == [
        ("so", [[[0, 0], [-21, -26]]]),
        ("it is", [[[0, 0]], [[2, 3], [3, 3]]]),
    ]
    ((words, strokes),) = drawn(read(tmp_path, WORDS, whole=True, top=top))
    assert words == "so it is" and len(strokes) == 3


def test_a_prefix_for_all_names(tmp_path):
    body = re.sub(r"<(/?)(\w)", r"<\1inkml:\2", WORDS)
    path = tmp_path / "a.inkml"
    path.write_text(f'<inkml:ink xmlns:inkml="http://www.w3.org/2003/InkML">{body}</inkml:ink>')
    assert [words for _, words, _ in read_document(path).pieces] == ["so", "it is"]


def test_views_of_views(tmp_path):
    """As IAMonDo's: the traces first, then lines and words that refer to them."""
    ink = read(
        tmp_path,
        """<trace xml:id="a">0 0</trace><trace xml:id="b">1 0</trace><trace xml:id="c">2 0</trace>
        <traceGroup xml:id="bc"><trace xml:id="d">3 0</trace></traceGroup>
        <traceView><annotation type="type">Textline</annotation><annotation type="transcription">on it</annotation>
          <traceView><annotation type="type">Word</annotation><annotation type="transcription">on</annotation>
            <traceView traceDataRef="#a"/></traceView>
          <traceView><annotation type="transcription">it</annotation>
            <traceView traceDataRef="#b"/><traceView traceDataRef="#bc"/></traceView>
        </traceView>""",
    )
    assert drawn(ink) == [("on", [[[0, 0]]]), ("it", [[[0, 0]], [[2, 0]]])]
    assert ink.num_others == 1, "c is in no word"


FORMATS = {
    "by its id": (
        '<definitions><traceFormat xml:id="f">{channels}</traceFormat><context xml:id="c" traceFormatRef="#f"/>'
        '</definitions><trace contextRef="#c">{points}</trace>'
    ),
    "in its context": (
        '<definitions><context xml:id="c">{format}</context></definitions><trace contextRef="#c">{points}</trace>'
    ),
    "in a context's source": (
        '<definitions><context xml:id="c"><inkSource xml:id="s">{format}</inkSource></context></definitions>'
        '<trace contextRef="#c">{points}</trace>'
    ),
    "of a context of a context": (
        '<definitions><context xml:id="c" contextRef="#d"/><context xml:id="d">{format}</context></definitions>'
        '<trace contextRef="#c">{points}</trace>'
    ),
    "of a group": (
        '<definitions><context xml:id="c">{format}</context></definitions><traceGroup contextRef="#c"><traceGroup>'
        "<trace>{points}</trace></traceGroup></traceGroup>"
    ),
    "on its way": "{format}<trace>{points}</trace>",
    "of a context on its way": "<context>{format}</context><trace>{points}</trace>",
    "the nearer one": (
        '<definitions><traceFormat xml:id="x"><channel name="X"/><channel name="Y"/></traceFormat>'
        '<inkSource xml:id="s" traceFormatRef="#x"/><context xml:id="c" inkSourceRef="#s">{format}</context>'
        '</definitions><trace contextRef="#c">{points}</trace>'
    ),
    "said later": (
        '<trace contextRef="#c">{points}</trace><definitions><context xml:id="c">{format}</context></definitions>'
    ),
}  # fmt: skip


@pytest.mark.parametrize("where", FORMATS)
def test_channels_of_a_format(tmp_path, where):
    channels = (
        '<channel name="T" type="integer"/><channel name="Y" orientation="-ve"/><channel name="X"/>'
        '<intermittentChannels><channel name="F" default="1"/></intermittentChannels>'
    )
    body = FORMATS[where].format(
        channels=channels, format=f"<traceFormat>{channels}</traceFormat>", points="0 7 5, 10 9 6 3, 20 '1'2, 30 1 2"
    )
    assert drawn(read(tmp_path, body)) == [("", [[[0, 0], [1, -2], [3, -3], [5, -4]]])]


def test_pieces_of_one_stroke(tmp_path):
    body = """<trace xml:id="a" continuation="begin">0 0, 1 1</trace><trace xml:id="b">9 9</trace>
    <trace xml:id="c" continuation="middle" priorRef="#a">2 2</trace>
    <trace continuation="end" priorRef="#c">3 3</trace><trace type="penUp">4 4</trace>"""
    assert drawn(read(tmp_path, body)) == [("", [[[0, 0], [1, 1], [2, 2], [3, 3]], [[9, 9]]])]


def test_what_definitions_hold_is_drawn_where_it_is_referred_to(tmp_path):
    definitions = (
        '<definitions><traceGroup xml:id="g"><trace xml:id="a">0 0</trace><trace>1 0</trace></traceGroup></definitions>'
    )
    assert drawn(read(tmp_path, f"{definitions}<trace>5 5</trace>")) == [("", [[[0, 0]]])]
    body = f'{definitions}<traceView traceDataRef="#g"><annotation type="truth">x</annotation></traceView>'
    assert drawn(read(tmp_path, body)) == [("x", [[[0, 0]], [[1, 0]]])]


DAMAGED = {
    "cut": ("<trace>1 2", ", line 4: not whole XML"),
    "no trace": ("", ", line 2: no trace is in it"),
    "nothing written": (
        '<trace>1 1</trace><traceGroup><annotation type="truth">x</annotation></traceGroup>',
        ", line 3: nothing is drawn for 'x'",
    ),
    "only above": ('<trace type="penUp">1 1</trace>', ", line 2: no trace is in it"),
    "a word": ("<trace>1 2,\n3 x</trace>", ", line 3: a trace: point 2: expected 2 numbers, X Y; got '3 x'"),
    "an empty trace": ("<trace/>", ", line 3: a trace: point 1: expected 2 numbers, X Y; got ''"),
    "no such context": ('<trace contextRef="#c">1 2</trace>', ", line 3: a trace: its context 'c' leads to none"),
    "a circle": (
        '<context xml:id="c" contextRef="#c"/><trace contextRef="#c">1 2</trace>',
        ", line 3: a trace: its context 'c' leads to none, or in a circle",
    ),
    "no such trace": ('<traceView traceDataRef="#t"/>', ", line 2: no trace or group is called 't'"),
    "no such part": (
        '<trace xml:id="t">1 2</trace><trace continuation="end" priorRef="#u">1 2</trace>',
        ", line 3: a trace: it continues 'u', which is no trace before it",
    ),
    "a part of a trace": (
        '<trace xml:id="t">1 2</trace><traceView traceDataRef="#t" from="2"/>',
        ", line 3: a traceView of a part of a trace",
    ),
    "another file's": (
        '<trace contextRef="http://a/b.inkml#c">1 2</trace>',
        ", line 3: a reference to another file, 'http://a/b.inkml#c'",
    ),
    "no X": (
        '<traceFormat><channel name="Y"/></traceFormat><trace>1</trace>',
        ", line 3: a trace: expected a traceFormat with the channels X and Y; got Y",
    ),
    "a channel without a name": ("<traceFormat><channel/></traceFormat>", ", line 3: a channel has no name"),
    "too deep": ("<traceGroup>" * 1001, ", line 3: expected at most 100,000 traces and groups, at most 1000 deep"),
    "too many": ("<traceGroup/>" * 100_001, ", line 3: expected at most 100,000 traces and groups"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_is_named_with_its_line(tmp_path, name):
    body, message = DAMAGED[name]
    if name == "cut":
        (tmp_path / "a.inkml").write_text(f"\n\n<ink>\n{body}")
    with pytest.raises(ValueError, match=f"^{re.escape(str(tmp_path / 'a.inkml'))}{re.escape(message)}"):
        read_document(tmp_path / "a.inkml") if name == "cut" else read(tmp_path, body)


def test_other_xml(tmp_path):
    path = tmp_path / "a.inkml"
    path.write_text("<svg><path/></svg>")
    with pytest.raises(ValueError, match="a.inkml, line 1: expected InkML, whose first element is ink; got 'svg'"):
        read_document(path)


def test_names_that_are_there_twice(tmp_path):
    """Of two the later one counts, whatever it is."""
    body = '<context xml:id="a"><traceFormat xml:id="a"><channel name="X"/><channel name="Y"/></traceFormat></context>'
    assert drawn(read(tmp_path, f'{body}<trace contextRef="#a">1 2</trace>')) == [("", [[[0, 0]]])]
    body = '<traceGroup xml:id="a"><traceView traceDataRef="#a"/><trace>1 1</trace></traceGroup>'
    assert drawn(read(tmp_path, body)) == [("", [[[0, 0]]])]
