"""Shows which gradients of convolutions and poolings TensorFlow's oneDNN computes outside its memory, or wrongly.

  ./run python tests/faults/onednn.py
  ./run python tests/faults/onednn.py --trainings=20     of narrow networks, each in a process of its own

Each shape is tried in a process of its own, under glibc's check of its heap, and compared with float64, which oneDNN
does not compute. Where no shape fails any more, `layers.Subsampling2D` is no longer needed for its safety. The
trainings show that it is enough: ResNet-8 of 4, 8, 9 and 12 filters, of both versions in turns.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = """
import json, sys
import numpy as np, tensorflow as tf
kind, size, strides, channels, filters = json.loads(sys.argv[1])
random = np.random.default_rng(0)
images = random.normal(size=(7, 16, 16, channels))
kernel = random.normal(size=(size, size, channels, filters))

def gradients(dtype):
    x, w = tf.constant(images, dtype), tf.constant(kernel, dtype)
    with tf.GradientTape() as tape:
        tape.watch([x, w])
        if kind == "convolution":
            y = tf.nn.conv2d(x, w, strides, "SAME")
        else:
            y = getattr(tf.nn, kind)(x, size, strides, "SAME")
        loss = tf.reduce_sum(tf.sin(tf.range(tf.size(y), dtype=tf.float64)) * tf.cast(tf.reshape(y, [-1]), tf.float64))
    return [np.asarray(g) for g in tape.gradient(loss, [x, w], unconnected_gradients="zero")]

exact = gradients("float64")
worst = 0.0
for _ in range(30):
    for found, right in zip(gradients("float32"), exact):
        worst = max(worst, np.abs(found - right).max() / max(1.0, np.abs(right).max()))
    junk = [np.ones(3000) for _ in range(4)]
print(worst)
"""
CHANNELS = [(3, 8), (4, 4), (8, 8), (8, 16), (12, 24), (16, 16), (16, 32)]
SHAPES = [("convolution", size, strides, *each) for size, strides in ((1, 2), (1, 1), (3, 2)) for each in CHANNELS]
SHAPES += [(kind, size, 2, 4, 4) for kind in ("max_pool2d", "avg_pool2d") for size in (1, 2)]

TRAINING = """
import sys
import keras, numpy as np
from toolkit.models.resnet import resnet
width, seed = map(int, sys.argv[1:])
keras.utils.set_random_seed(seed)
random = np.random.default_rng(seed)
images, labels = random.uniform(0, 255, (70, 32, 32, 3)).astype("float32"), random.integers(0, 10, 70)
model = resnet(8, (32, 32, 3), 10, width=width, stem="small", version=1 + seed % 2)
model.get_layer("standardize").adapt([127.5] * 3, [64.0] * 3)
model.compile(keras.optimizers.SGD(0.001), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
losses = model.fit(images, labels, batch_size=7, epochs=10, shuffle=False, verbose=0).history["loss"]
sys.exit(not (np.isfinite(losses).all() and losses[-1] < losses[0]))
"""
WIDTHS = (4, 8, 9, 12)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trainings", type=int, default=0, help="of each width, instead of the shapes")
    asked = parser.parse_args()
    environment = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "MALLOC_CHECK_": "3"}
    environment |= {"LD_PRELOAD": "libc_malloc_debug.so.0", "PYTHONPATH": str(ROOT)}
    trainings(asked.trainings, environment) if asked.trainings else shapes(environment)


def trainings(number, environment):
    for width in WIDTHS:
        ended = []
        for seed in range(number):
            command = [sys.executable, "-c", TRAINING, str(width), str(seed)]
            ended.append(subprocess.run(command, env=environment, capture_output=True, timeout=600).returncode)
        print(f"ResNet-8 of width {width}: {ended.count(0)} of {number} trainings ended well", flush=True)


def shapes(environment):
    failed = 0
    for shape in SHAPES:
        command = [sys.executable, "-c", PROGRAM, json.dumps(shape)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
        right = done.returncode == 0 and float(done.stdout) < 1e-4
        failed += not right
        kind, size, strides, channels, filters = shape
        told = "right" if right else f"ended with {done.returncode}" if done.returncode else f"wrong by {done.stdout}"
        print(f"{kind:<11} {size} x {size}, stride {strides}, {channels:>2} to {filters:>2}: {told}", flush=True)
    print(f"{failed} of {len(SHAPES)} shapes fail")


if __name__ == "__main__":
    main()
