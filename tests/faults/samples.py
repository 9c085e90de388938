"""A good source for each reader, and which of its files are damaged: a new reader needs its line here."""

import bz2
import gzip
import io
import json
import lzma
import pathlib
import zipfile
from typing import NamedTuple

import numpy as np
from PIL import Image

from tests.data.characters import published as characters_published
from tests.data.factors import published

WORDS = b"A small text, for nothing but this.\nIt has lines, and words.\n" * 40


class Sample(NamedTuple):
    """What --data is, and the files that are to be damaged, one of each kind."""

    source: str
    files: list[pathlib.Path]


def write(path: pathlib.Path, content: bytes) -> pathlib.Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def offsets(seed, num_points=60):
    random = np.random.default_rng(seed)
    found = random.normal(size=(num_points, 3)).astype("float32")
    found[:, 2] = np.arange(num_points) % 15 == 14
    found[-1, 2] = 1
    return found


def npy_strokes(folder):
    for number in range(24):
        np.save(folder / f"{number:02}.npy", offsets(number))
        write(folder / f"{number:02}.txt", b"some words\n")
    return Sample(f"npy:{folder}", [folder / "03.npy", folder / "05.txt"])


def recordings(folder):
    for number in range(2):
        lines = [{"text": "some words", "strokes": _strokes_of(30 * number + each)} for each in range(12)]
        write(folder / f"{number}.json", json.dumps({"unit": "pen units, y downward", "lines": lines}).encode())
    return Sample(f"json:{folder}", [folder / "0.json", folder / "1.json"])


def _strokes_of(seed):
    return np.cumsum(np.random.default_rng(seed).normal(size=(4, 15, 2)), axis=1).round(2).tolist()


def drawing(seed):
    points = 40 + np.cumsum(np.random.default_rng(seed).integers(0, 4, (30, 2)), axis=0) % 60
    rows = [f"{x},{-y},{10 * number}" for number, (x, y) in enumerate(points.tolist())]
    return "\n".join(["START", *rows[:15], "BREAK", *rows[15:], "BREAK", ""]).encode()


def _drawings():
    for character in range(1, 4):
        for drawer in range(1, 21):
            name = f"strokes_background/Greek/character{character:02}/{character:04}_{drawer:02}.txt"
            yield name, drawing(100 * character + drawer)


def omniglot_zip(folder):
    path = folder / "strokes.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in _drawings():
            archive.writestr(name, content)
    return Sample(f"omniglot:{path}", [path])


def omniglot_folder(folder):
    paths = [write(folder / name, content) for name, content in _drawings()]
    return Sample(f"omniglot:{folder}", [paths[7]])


def iam(folder):
    forms = {
        "trainset.txt": "a01-000u",
        "testset_t.txt": "a01-003u",
        "testset_v.txt": "a01-007u",
        "testset_f.txt": "b01-000u",
    }
    for name, form in forms.items():
        write(folder / name, f"{form}\n".encode())
        where = pathlib.Path(form[:3]) / form[:7]
        lines = "\n".join(["A line of words"] * 8)
        write(folder / "ascii" / where / f"{form}.txt", f"OCR:\n\nx\n\nCSR:\n\n{lines}\n".encode())
        for number in range(1, 9):
            random = np.random.default_rng(number)
            points = 2000 + np.cumsum(random.integers(-9, 12, (60, 2)), axis=0)
            strokes = "".join(
                "<Stroke>" + "".join(f'<Point x="{x}" y="{y}" time="0"/>' for x, y in part.tolist()) + "</Stroke>"
                for part in np.split(points, 4)
            )
            xml = (
                '<?xml version="1.0" encoding="ISO-8859-1"?><WhiteboardCaptureSession><WhiteboardDescription>'
                f'<SensorLocation corner="top_left"/></WhiteboardDescription><StrokeSet>{strokes}</StrokeSet>'
                "</WhiteboardCaptureSession>"
            )
            write(folder / "lineStrokes" / where / f"{form}-{number:02}.xml", xml.encode())
    where = pathlib.Path("a01/a01-000")
    damaged = ["trainset.txt", "ascii" / where / "a01-000u.txt", "lineStrokes" / where / "a01-000u-03.xml"]
    return Sample(f"iam:{folder}", [folder / name for name in damaged])


def inkml(folder):
    """As ImadocSen-OnDB is published: words in a sentence, a folder for each writer."""
    paths = []
    for writer in range(20):
        words = []
        for number, word in enumerate(("a", "line", "of", "words")):
            points = np.cumsum(np.random.default_rng(20 * writer + number).integers(-9, 12, (40, 2)), axis=0)
            traces = "".join(
                f'<trace contextRef="#c">{", ".join(f"{x} {y}" for x, y in part.tolist())}</trace>\n'
                for part in np.split(points, 2)
            )
            truth = f'<annotationXML type="Ground truth"><type>Word</type><label>{word}</label></annotationXML>'
            words.append(f"<traceGroup>{truth}\n{traces}</traceGroup>\n")
        content = (
            '<?xml version="1.0" encoding="UTF-8"?>\n<ink xmlns="http://www.w3.org/2003/InkML"><definitions>'
            '<context xml:id="c"><traceFormat><channel name="X"/><channel name="Y"/></traceFormat></context>'
            "</definitions>\n"
            '<traceGroup><annotation type="truth">a line of words</annotation>\n'
            + "".join(words)
            + "</traceGroup></ink>\n"
        )
        paths.append(write(folder / f"writer{writer}" / "sentence1.inkml", content.encode()))
    return Sample(f"inkml:{folder}", [paths[3]])


def inkml_whole(folder):
    sample = inkml(folder)
    return Sample(f"inkml_whole:{folder}", sample.files)


def quickdraw(folder, raw=False):
    rows = []
    for number in range(60):
        points = np.random.default_rng(number).integers(0, 256, (20, 2)).T.tolist()
        drawing = [[*points, list(range(20))], [[1], [2], [300]]] if raw else [points, [[1], [2]]]
        rows.append(json.dumps({"word": "cat", "recognized": True, "key_id": str(number), "drawing": drawing}))
    path = write(folder / "cat.ndjson", "".join(f"{row}\n" for row in rows).encode())
    return Sample(f"quickdraw:{folder}", [path])


def raw_quickdraw(folder):
    return quickdraw(folder, raw=True)


def _sketches(folder, convert, save=np.savez_compressed):
    path, arrays = folder / "cat.npz", {}
    for name, size in (("train", 20), ("valid", 4), ("test", 4)):
        arrays[name] = np.empty(size, object)
        arrays[name][:] = [convert(np.rint(3 * offsets(number, 40 + number))) for number in range(size)]
    save(path, **arrays)
    return Sample(f"sketch_rnn:{path}", [path])


def sketch_rnn(folder):
    return _sketches(folder, lambda drawing: (drawing / [1, 1, 3]).astype("int16"))


def plain_sketch_rnn(folder):
    """Five numbers a point, not compressed."""

    def five(drawing):
        ends = drawing[:, 2:] / 3
        rows = np.concatenate([drawing[:, :2], 1 - ends, ends, 0 * ends], axis=1)
        return np.concatenate([rows, [[0, 0, 0, 0, 1]] * 3])

    return _sketches(folder, five, np.savez)


def text(folder):
    path = write(folder / "a text.txt", WORDS)
    return Sample(f"text:{path}", [path])


def _packed(suffix, pack):
    def sample(folder):
        path = write(folder / f"text{suffix}", pack(WORDS))
        return Sample(f"text:{path}", [path])

    sample.__name__ = f"text{suffix}"
    return sample


def _zipped(content):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("text.txt", content)
    return file.getvalue()


def ptb(folder):
    paths = [write(folder / f"ptb.{part}.txt", b" a <unk> word of n\n" * 50) for part in ("train", "valid", "test")]
    return Sample(f"ptb:{folder}", paths[1:2])


def picture(seed=0, mode="RGB", size=(20, 24), kind="PNG"):
    random = np.random.default_rng(seed)
    shape = (size[1], size[0], 3) if mode == "RGB" else (size[1], size[0])
    file = io.BytesIO()
    Image.fromarray(random.integers(0, 256, shape).astype("uint8")).save(file, kind)
    return file.getvalue()


def folders(folder):
    paths = []
    for part in ("train", "test"):
        for name in ("cat", "dog"):
            for number in range(8):
                kind = ("png", "jpeg", "gif", "bmp", "webp", "tiff")[number % 6]
                content = picture(number, kind=kind.upper())
                paths.append(write(folder / part / name / f"{number}.{kind}", content))
    return Sample(f"folder:{folder}", paths[:6])


def _written(path, save, num_classes=3):
    random, arrays = np.random.default_rng(0), {}
    for part in ("train", "test"):
        arrays[f"x_{part}"] = random.integers(0, 256, (30, 8, 8)).astype("uint8")
        arrays[f"y_{part}"] = np.arange(30) % num_classes
    save(path, **arrays)
    return Sample(f"npz:{path}", [path])


def npz(folder):
    return _written(folder / "plain.npz", np.savez)


def compressed_npz(folder):
    return _written(folder / "packed.npz", np.savez_compressed)


def idx(folder):
    """As MNIST is published, one part packed."""
    random, paths = np.random.default_rng(0), []
    for part, pack in (("train", gzip.compress), ("t10k", bytes)):
        for kind, ndim, array in (
            ("images", 3, random.integers(0, 256, (30, 8, 8)).astype("uint8")),
            ("labels", 1, (np.arange(30) % 3).astype("uint8")),
        ):
            content = bytes([0, 0, 8, ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()
            name = f"{part}-{kind}-idx{ndim}-ubyte{'' if pack is bytes else '.gz'}"
            paths.append(write(folder / name, pack(content)))
    return Sample(f"idx:{folder}", paths)


def keras_mnist(folder):
    """Where Keras would have downloaded it to: KERAS_HOME."""
    path = folder / "datasets" / "mnist.npz"
    path.parent.mkdir()
    _written(path, np.savez, num_classes=10)
    return Sample("keras:mnist", [path])


def masks_folder(folder):
    """As CamVid lies on a disk, with the classes' names."""
    paths = []
    for part in ("train", "val"):
        for number in range(6):
            kind = ("png", "jpeg")[number % 2]
            image = write(folder / part / "images" / f"{number}.{kind}", picture(number, kind=kind.upper()))
            paths.append((image, write(folder / part / "masks" / f"{number}.png", mask(number))))
    names = write(folder / "class_names.txt", b"road\nsky\ntree\n")
    return Sample(f"folder:{folder}", [paths[0][0], paths[1][0], paths[1][1], names])


def masks_voc(folder):
    for number in range(6):
        write(folder / "JPEGImages" / f"{number}.jpg", picture(number, kind="JPEG"))
        write(folder / "SegmentationClass" / f"{number}.png", mask(number, palette=True))
    lists = folder / "ImageSets" / "Segmentation"
    train = write(lists / "train.txt", b"0\n1\n2\n3\n")
    write(lists / "val.txt", b"4\n5\n")
    return Sample(f"voc:{folder}", [folder / "JPEGImages" / "1.jpg", folder / "SegmentationClass" / "1.png", train])


def mask(seed=0, size=(20, 24), palette=False):
    file = io.BytesIO()
    image = Image.fromarray(np.random.default_rng(seed).integers(0, 3, size[::-1]).astype("uint8"))
    if palette:
        image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
    image.save(file, "PNG")
    return file.getvalue()


def mail(folder):
    """As Enron-Spam is published, one mail packed."""
    paths = []
    for name in ("ham", "spam"):
        for number in range(8):
            content = b"Subject: %s\r\nwords of number %d\r\n" % (name.encode() * 3, number) * 20
            packed = number == 5
            path = folder / name / f"{number:04}.{name}.txt{'.gz' if packed else ''}"
            paths.append(write(path, gzip.compress(content) if packed else content))
    return Sample(f"mail:{folder}", [paths[2], paths[5]])


def characters_zip(folder):
    path = characters_published.zipped(folder / "images.zip", {"Greek": 6, "Latin": 3})
    return Sample(f"omniglot:{path}", [path])


def characters_folders(folder):
    train, test = (
        characters_published.unpacked(folder / name, {alphabet: 5})
        for name, alphabet in (("images_background", "Greek"), ("images_evaluation", "N_Ko"))
    )
    damaged = [train / "Greek/character02/0002_03.png", test / "N_Ko/character01/0001_02.png"]
    return Sample(f"omniglot:{folder}", damaged)


def nothing(source):
    return lambda folder: Sample(source, [])


# By domain and reader. "tfds" downloads: its package's own files are not ours to damage.
STROKES = {
    "embedded": [nothing("embedded:40")],
    "iam": [iam],
    "inkml": [inkml],
    "inkml_whole": [inkml_whole],
    "omniglot": [omniglot_zip, omniglot_folder],
    "quickdraw": [quickdraw, raw_quickdraw],
    "sketch_rnn": [sketch_rnn, plain_sketch_rnn],
    "json": [recordings],
    "npy": [npy_strokes],
}
TEXT = {
    "embedded": [nothing("embedded:20000")],
    "text": [
        text,
        _packed(".gz", gzip.compress),
        _packed(".bz2", bz2.compress),
        _packed(".xz", lzma.compress),
        _packed(".zip", _zipped),
    ],
    "ptb": [ptb],
    "tfds": [],
}
CLASSIFIED = {
    "embedded": [nothing("embedded:patients:200")],
    "mail": [mail],
}
CHARACTERS = {
    "embedded": [nothing("embedded:glyphs:20")],
    "omniglot": [characters_zip, characters_folders],
}
IMAGES = {
    "embedded": [nothing("embedded"), nothing("embedded:textures:100")],
    "folder": [folders],
    "idx": [idx],
    "npz": [npz, compressed_npz],
    "keras": [keras_mnist],
    "tfds": [],
}
MASKS = {
    "embedded": [nothing("embedded:12")],
    "voc": [masks_voc],
    "folder": [masks_folder],
    "tfds": [],
}


def videos_folder(folder):
    """Folders of frames, and a file of moving pictures."""
    paths = []
    for clip in range(5):
        for frame in range(4):
            kind = ("png", "jpeg")[frame % 2]
            content = picture(10 * clip + frame, kind=kind.upper())
            paths.append(write(folder / f"clip{clip}" / f"{frame}.{kind}", content))
    file = io.BytesIO()
    first, *others = (Image.open(io.BytesIO(picture(number, mode="L"))) for number in range(4))
    first.save(file, "GIF", save_all=True, append_images=others)
    return Sample(f"folder:{folder}", [*paths[5:7], write(folder / "moving.gif", file.getvalue())])


def moving_mnist(folder):
    path = folder / "mnist_test_seq.npy"
    np.save(path, np.random.default_rng(0).integers(0, 256, (6, 8, 12, 12)).astype("uint8"))
    return Sample(f"npy:{path}", [path])


VIDEOS = {
    "embedded": [nothing("embedded:sprites:12")],
    "npy": [moving_mnist],
    "folder": [videos_folder],
}


def dsprites(folder):
    path = folder / published.DSPRITES
    published.dsprites(path)
    return Sample(f"dsprites:{path}", [path])


def plain_dsprites(folder):
    path = folder / "plain.npz"
    published.dsprites(path, save=np.savez)
    return Sample(f"dsprites:{path}", [path])


def shapes3d(folder):
    path = folder / "3dshapes.h5"
    published.shapes3d(path)
    return Sample(f"shapes3d:{path}", [path])


def small_norb(folder, packed=False):
    published.norb(folder, packed)
    return Sample(f"small_norb:{folder}", sorted(folder.glob("*training*")))


def packed_norb(folder):
    return small_norb(folder, packed=True)


FACTORS = {
    "embedded": [nothing("embedded:sprites")],
    "dsprites": [dsprites, plain_dsprites],
    "shapes3d": [shapes3d],
    "small_norb": [small_norb, packed_norb],
}


def _rows(separator):
    values = np.random.default_rng(0).normal(size=(60, 3))
    return "".join(separator.join(map(str, row)) + "\n" for row in values.tolist()).encode()


def csv_table(folder):
    path = write(folder / "a table.csv", b"age [days],water,strength [MPa]\n" + _rows(","))
    return Sample(f"csv:{path}", [path])


def uci(folder):
    path = write(folder / "data.txt", _rows(" "))
    return Sample(f"uci:{folder}", [path])


TABLES = {
    "embedded": [nothing("embedded:wave"), nothing("embedded:diabetes")],
    "csv": [csv_table],
    "uci": [uci],
}


def tsv(folder):
    lines = [f"Go {number} home!\tVa {number} a casa!\tCC-BY 2.0" for number in range(60)]
    path = write(folder / "fra.txt", "\n".join(lines).encode())
    return Sample(f"tsv:{path}", [path])


TRANSLATIONS = {"embedded": [nothing("embedded:40"), nothing("embedded:mapping:40")], "tsv": [tsv]}


def _noise(seed, num_samples=1500):
    return 0.1 * np.random.default_rng(seed).standard_normal(num_samples)


def _recordings(folder, names, rate=8000):
    import soundfile

    paths = []
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, _noise(number), rate)
        paths.append(path)
    return paths


def speech_folder(folder):
    kinds = ("wav", "flac", "ogg", "mp3")
    paths = _recordings(folder, [f"{name}/{number}.{kinds[number % 4]}" for name in "ab" for number in range(8)])
    tables = [write(path.with_suffix(".txt"), b"0 600 x\n600 1500 y\n") for path in paths]
    return Sample(f"folder:{folder}", [*paths[:4], tables[5]])


def fsdd(folder):
    paths = _recordings(folder, [f"{unit}_{name}_{take}.wav" for unit in "01" for name in "ab" for take in range(4)])
    return Sample(f"fsdd:{folder}", paths[2:3])


def vctk(folder):
    names = [
        f"wav48_silence_trimmed/p{speaker}/p{speaker}_{take:03}_mic1.flac" for speaker in (1, 2) for take in range(4)
    ]
    return Sample(f"vctk:{folder}", _recordings(folder, names, 48000)[3:4])


def emodb(folder):
    names = [f"{speaker}a0{take}Fa" for speaker in ("03", "08") for take in range(4)]
    paths = _recordings(folder, [f"wav/{name}.wav" for name in names], 16000)
    phones = b"signal x\nnfields 1\n#\n    0.010000   -1 a\n    0.050000   -1 !t\t+asp\n    0.090000   -1 .\n"
    tables = [write(folder / "lablaut" / f"{name}xx.lablaut", phones) for name in names]
    return Sample(f"emodb:{folder}", [paths[1], tables[2]])


SPEECH = {
    "embedded": [nothing("embedded:0.5:2")],
    "folder": [speech_folder],
    "fsdd": [fsdd],
    "vctk": [vctk],
    "emodb": [emodb],
}


def _sound(container, subtype=None):
    def sample(folder):
        import soundfile

        samples = 0.3 * np.sin(np.arange(8000) / 20)[:, None] * [1, 0.5]
        file = io.BytesIO()
        soundfile.write(file, samples, 8000, format=container, subtype=subtype)
        path = write(folder / f"sound.{container.lower()}", file.getvalue())
        return Sample(str(path), [path])

    return sample


AUDIO = {
    "WAV": _sound("WAV"),
    "WAV of floats": _sound("WAV", "FLOAT"),
    "FLAC": _sound("FLAC"),
    "MP3": _sound("MP3"),
    "OGG": _sound("OGG"),
    "Opus": _sound("OGG", "OPUS"),
}
