"""What the shipped VQ-VAE of CIFAR-10 and the prior over its codes are said to do."""

import io
import json
import os
import pathlib
import subprocess
import sys
import tarfile

import keras
import numpy as np
import pytest
from PIL import Image

from toolkit.export.interpreter import tflite_caller
from toolkit.generation.code_maps import CodeMapGenerator
from toolkit.methods.image_judge import ImageJudge
from toolkit.models import pixelcnn, vqvae
from toolkit.training.shipping import shipped

pytestmark = pytest.mark.claims


def cards():
    return [json.loads((shipped(name) / "card.json").read_text()) for name in ("vqvae_image", "codes_prior")]


def caller(recipe):
    return tflite_caller(next(shipped(recipe).glob("*.tflite")))


@pytest.fixture(scope="module")
def seen(test_data):
    """Two hundred test images, and the names of their classes."""
    images, names = [], []
    with tarfile.open(test_data / "cifar10.tar.xz") as archive:
        for member in [each for each in archive if each.name.startswith("test/") and each.isfile()][::50]:
            images.append(np.asarray(Image.open(io.BytesIO(archive.extractfile(member).read())).convert("RGB")))
            names.append(member.name.split("/")[1])
    return np.stack(images), names


def test_sizes_and_figures():
    files = [path for name in ("vqvae_image", "codes_prior") for path in shipped(name).rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 6e6
    autoencoder, prior = cards()
    assert all(file["builtin_ops_only"] for card in (autoencoder, prior) for file in card["files"].values())
    assert autoencoder["metrics"]["codebook_perplexity"] > 200
    found = {name: prior["metrics"][f"frechet_distance_of_{name}"] for name in ("decoded", "drawn", "uniform_codes")}
    assert found["decoded"] < found["drawn"] < found["uniform_codes"] / 2


def test_images_through_64_codes_are_still_themselves(seen):
    """In the file of half precision; the prior finds their codes far likelier than any."""
    (images, names), call, score = seen, caller("vqvae_image"), caller("codes_prior")
    codes = [call("encode", image=image[None])["codes"] for image in images]
    again = np.concatenate([call("decode", codes=each)["image"] for each in codes]).astype("float32")
    assert np.square(again - images).mean() < 0.1 * images.astype("float32").var()
    known = cards()[1]["labels"]
    nats = [
        score("score", codes=each, label=np.array([known.index(name)], "int32"))["nats"][0]
        for each, name in zip(codes[::4], names[::4], strict=True)
    ]
    assert np.mean(nats) / codes[0].size / np.log(2) < 8  # bits a code, of 9


def test_the_recipe_takes_them_where_nothing_was_trained(tmp_path):
    root = pathlib.Path(__file__).parents[2]
    command = [sys.executable, "-m", "recipes.codes_prior", "--mode=sample", "--classes=ship,horse", "--num_samples=4"]
    subprocess.run(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(root)}, check=True)
    assert (tmp_path / "runs" / "codes_prior" / "pictures" / "samples.png").exists()


def test_a_class_that_is_asked_for_is_drawn():
    """As seen by the shipped classifier; chance is 10 %."""
    prior, autoencoder = (
        keras.saving.load_model(shipped("codes_prior") / f"model__{name}.keras") for name in ("prior", "autoencoder")
    )
    judge = ImageJudge(keras.saving.load_model(shipped("image_classification") / "model.keras"))
    names = pixelcnn.class_names(prior)
    labels = np.arange(300) % len(names)
    codes = CodeMapGenerator(prior).write(len(labels), label=labels, seed=0)
    share = judge.accuracy(np.asarray(vqvae.decoded(autoencoder, codes)), [names[label] for label in labels])
    print(share)
    assert share > 15
