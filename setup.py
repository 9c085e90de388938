"""Packaging. Each `requirements-tf*.lock` pins every version below; use one as a constraint (`pip install -c`)."""

import pathlib
import re

from setuptools import find_packages, setup

HERE = pathlib.Path(__file__).parent
VERSION = re.search(r'^__version__ = "(.+)"$', (HERE / "toolkit/__init__.py").read_text("utf-8"), re.MULTILINE)[1]

# TensorFlow 2.16.2 is the last that tensorflow-io's native decoders load on, 2.21 the newest tried; each has a lock
# and passed the tests with Python 3.11 and 3.12 on both, with 3.13 on 2.21. Each TensorFlow brings its own NumPy and
# protobuf, so the ranges are wide and pip picks the set that fits.
REQUIREMENTS = [
    # Graphs, tf.data, SavedModel, the TFLite converter. Google, a release every few months; Apache-2.0.
    "tensorflow>=2.16.2,<2.22",
    # Layers and models; 3.15 is the first with all the export we use. The Keras team, monthly; Apache-2.0.
    "keras>=3.15,<4",
    # Distributions, bijectors, Gaussian processes, samplers. 0.24 goes with TF 2.16 and 2.17, 0.25 with 2.18 on, and it
    # does not tell pip so: with an older TensorFlow name both. Google, about yearly; Apache-2.0.
    "tensorflow-probability>=0.24,<0.26",
    # Keras 2 under the name that TensorFlow Probability imports beside Keras 3; the same minor version as TensorFlow.
    # The Keras team, with each TensorFlow; Apache-2.0.
    "tf-keras>=2.16,<2.22",
    # Audio spectrograms, augmentation, decoders. SIG IO; 0.37.1 (2024) is the last release, and none is for
    # Python 3.13 or, this new, for Windows; Apache-2.0.
    'tensorflow-io>=0.37.1,<0.38; python_version < "3.13" and sys_platform != "win32"',
    # Reads FLAC, MP3, OGG and WAV where tensorflow-io's decoders do not load; its wheels bring libsndfile (LGPL-2.1).
    # Bastian Bechtold and others, about yearly; BSD-3-Clause.
    "soundfile>=0.13",
    # Curves, pictures and profiles of a run; TensorFlow 2.21 no longer brings it. Google, with TensorFlow; Apache-2.0.
    "tensorboard>=2.16,<2.22",
    # Flags of the recipes, with "did you mean". Google, several releases a year; Apache-2.0.
    "absl-py>=2.1",
    # Runs a .tflite without TensorFlow, in place of tf.lite.Interpreter. Google, several releases a year; Apache-2.0.
    "ai-edge-litert>=2.1",
    # int8 in a .tflite file with ranges measured on data, loops included, where TensorFlow's own calibrator crashes.
    # Google, about monthly; Apache-2.0. One minor version: it is alpha, and we mend an output that 0.10 gets wrong.
    "ai-edge-quantizer>=0.10,<0.11",
    # Arrays; TF 2.16 needs 1.26, later ones run on 2. NumFOCUS, several releases a year; BSD-3-Clause.
    "numpy>=1.26",
    # Reads and writes image files. Quarterly; MIT-CMU.
    "pillow>=10.3",
    # Plots in TensorBoard and cards. NumFOCUS, several releases a year; BSD-like (PSF-based).
    "matplotlib>=3.8",
    # Progress bars of long loops outside `fit`. Several releases a year; MPL-2.0 and MIT.
    "tqdm>=4.66",
    # Reads the version ranges above, for the doctor. PyPA, several releases a year; Apache-2.0 or BSD-2-Clause.
    "packaging>=22",
    # 32 single-stroke faces: pen strokes with known text, no download. One author, rare but working releases; MIT.
    "Hershey-Fonts>=2.1",
    # Its 1,797 real digits are the images that come without a download. INRIA and many others, several releases a year;
    # BSD-3-Clause.
    "scikit-learn>=1.4",
    # Resamples sound; in the tests, independent answers. scikit-learn brings it too. NumFOCUS; BSD-3-Clause.
    "scipy>=1.11",
    # Reads HDF5, the format of 3D Shapes; Keras brings it too. The HDF Group and others, about yearly; BSD-3-Clause.
    "h5py>=3.11",
    # Reads the paths of the SVG fonts in toolkit/data/strokes/faces; matplotlib brings it too. Monthly; MIT.
    "fonttools>=4.50",
]

# CUDA libraries from PyPI; the driver is all the machine itself needs. NVIDIA, proprietary but free to use.
GPU = ["tensorflow[and-cuda]>=2.16.2,<2.22"]
TEST = [
    # Runs the tests. Very well kept, MIT.
    "pytest>=8",
    # Runs them in a process for each core. The pytest developers, several releases a year; MIT.
    "pytest-xdist>=3.8",
]
# The other Keras backend that layers, losses, metrics and models are tested on; it clashes with what TensorFlow 2.16
# pins. Google, monthly; Apache-2.0.
JAX = ["jax>=0.10"]
# Searches the keys of a memory of millions of slots in parts (methods.approximate_memory). Meta, several releases a
# year; MIT.
FAISS = ["faiss-cpu>=1.9,<2"]
DEVELOPMENT = [
    *TEST,
    *FAISS,
    # Formatter and linter. Astral, weekly; MIT. One minor version: the next may format otherwise.
    "ruff>=0.17.5,<0.18",
]
# What a user would pick instead: the other side of each benchmark. The PyTorch Foundation, every few months;
# BSD-3-Clause. One minor version: the one that the figures we print were measured with.
BENCHMARKS = ["torch>=2.13,<2.14"]
# Mean field in C++, which a test and a benchmark compare DenseCRF with. Apart, for it has no wheel: to build it takes
# a C++ compiler. Philipp Kraehenbuehl, Lucas Beyer and now Mackenzie Mathis, rare releases; MIT.
PYDENSECRF = ["pydensecrf2>=1.1"]
# Runs the trainings of a study on several machines (--engine=ray). Anyscale, monthly; Apache-2.0.
RAY = ["ray>=2.40,<3"]

setup(
    name="toolkit",
    version=VERSION,
    description="TensorFlow/Keras layers, models and recipes for classic papers on structured output and generation",
    long_description=(HERE / "README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11,<3.14",
    packages=find_packages(include=["toolkit", "toolkit.*", "recipes", "recipes.*"]),
    package_data={"": ["*.pyi"], "toolkit": ["py.typed"], "toolkit.data.strokes": ["faces/*"]},
    install_requires=REQUIREMENTS,
    entry_points={"console_scripts": ["toolkit = recipes._command:main"]},
    extras_require={
        "gpu": GPU,
        "test": TEST,
        "jax": JAX,
        "development": DEVELOPMENT,
        "benchmarks": BENCHMARKS,
        "pydensecrf": PYDENSECRF,
        "ray": RAY,
        "faiss": FAISS,
    },
)
