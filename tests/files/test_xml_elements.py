import gc
import weakref

import pytest

from toolkit.files import xml_elements


class Content(list):
    """What was read, in a list that can be watched."""


def read(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = Content()
    xml_elements.parse(
        path,
        "a test",
        start=lambda name, attributes, line: found.append((name, attributes, line)),
        end=lambda name: found.append(f"/{name}"),
        text=found.append,
    )
    return found


def test_elements_in_their_order(tmp_path):
    found = read(tmp_path / "a.xml", '<a x="1">one &amp; two\n<b/></a>')
    assert [event for event in found if event != "\n"] == [
        ("a", {"x": "1"}, 1), "one & two\n", ("b", {}, 2), "/b", "/a"
    ]  # fmt: skip
    latin = '<?xml version="1.0" encoding="ISO-8859-1"?><a>caf\xe9</a>'.encode("latin-1")
    assert read(tmp_path / "a.xml", latin)[1] == "café"


BOMB = '<!DOCTYPE a [<!ENTITY b "lol"><!ENTITY c "&b;&b;&b;">]>'
REFUSED = {
    "a bomb": (f"{BOMB}<a>&c;</a>", "line 1: a document type"),
    "a file": ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>\n<a>&x;</a>', "line 1: a document type"),
    "an external type": ('\n<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>', "line 2: a document type"),
    "an entity": ("<a>\n&x;</a>", r"line 2: not whole XML \(undefined entity\)"),
    "cut": ("<a>\n<b>", r"line 2: not whole XML \(no element found\)"),
    "nothing": (" ", "line 1: not whole XML"),
    "an encoding": ('<?xml version="1.0" encoding="hex"?><a/>', "line 1: 'hex' is not a text encoding"),
    "not its encoding": (b"<a>\xff</a>", r"line 1: not whole XML \(not well-formed"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(tmp_path, name):
    content, message = REFUSED[name]
    with pytest.raises(ValueError, match=rf"^{tmp_path / 'a.xml'}, {message}"):
        read(tmp_path / "a.xml", content)


def test_errors_of_the_caller_have_file_and_line(tmp_path):
    (tmp_path / "a.xml").write_text("<a>\n<b/>\n</a>")

    def start(name, attributes, line):
        if name == "b":
            raise ValueError("no b is wanted.")

    with pytest.raises(ValueError, match="a.xml, line 2: no b is wanted"):
        xml_elements.parse(tmp_path / "a.xml", "a test", start=start)


def test_files_that_are_too_large_or_missing(tmp_path):
    (tmp_path / "a.xml").write_text("<a></a>")
    with pytest.raises(ValueError, match="a.xml would take"):
        xml_elements.parse(tmp_path / "a.xml", "a test", start=print, bound=6)
    with pytest.raises(FileNotFoundError, match="b.xml: no such file; expected a test"):
        xml_elements.parse(tmp_path / "b.xml", "a test", start=print)


def test_nothing_is_kept(tmp_path):
    """Without the garbage collector: a set of a thousand files would pile up till its next turn."""
    gc.disable()
    try:
        watched = weakref.ref(read(tmp_path / "a.xml", "<a/>"))
        assert watched() is None
    finally:
        gc.enable()
