"""Speed and memory of VQ-VAE-2 beside the same in PyTorch, and of drawing both levels beside naive drawing.

  ./run benchmarks tests/benchmarks/bench_vqvae2.py [--steps=8] [--only=images]
  .venv/bin/pip install torch vector-quantize-pytorch    the other side

images: a step of Adam of a network of two levels, codebooks of moving averages and all, over the images' side.
priors: a step of Adam of PixelSNAIL, the top level's with attention, the bottom's told of the top's codes.
attention: of a map alone, there and back, over the map's side; PyTorch once as reimplementations of the paper write it,
with the weights of all places at once, and once by its own fused attention.
The weights are the same: so must be the first likelihoods, logits, losses, and what attention finds.

drawing: seconds an image's codes, one image at three sizes: Keras and the .tflite file on one thread, beside naive
drawing, which runs a network over the whole map for each code (one pass of each level is timed, and counted as often
as it has codes). Naive drawing must draw the same codes: all are drawn once at the least size, from the same noise.

Each measurement has a process of its own, on the CPU; megabytes are the most that it has had. A ratio below 1 means
that the toolkit takes less.
"""

import argparse
import math
import pathlib
import statistics
import tempfile

from measuring import apart, machine, peak_megabytes, print_row, timed, timed_twice, version

# Units, residual units, blocks, codes, numbers of a code: the paper's.
NETWORK = (128, 64, 2, 512, 64)
# Images and their side.
IMAGES = ((64, 32), (4, 32), (4, 64), (4, 128), (4, 256))
# Codes, filters, blocks, kernel, blocks before each attention, heads, output blocks, blocks of the context.
TOP, BOTTOM = (512, 64, 8, 5, 4, 4, 2, 0), (512, 64, 8, 5, 0, 4, 2, 4)
# Network, maps and their side.
PRIORS = {
    "top, 16 maps of 16 x 16": (TOP, 16, 16),
    "top, 4 maps of 32 x 32": (TOP, 4, 32),
    "bottom, 4 maps of 32 x 32": (BOTTOM, 4, 32),
}
# Side of a map, of 66 and 130 channels as in the networks above.
ATTENDED = (16, 32, 64)
# Sides of the top's map; the bottom's are twice as long.
DRAWN = (4, 8, 16)


# Images. --------------------------------------------------------------------------------------------------------------


def batch(size, side):
    """Smooth images with noise."""
    import numpy as np

    random = np.random.default_rng(0)
    coarse = np.kron(random.uniform(40, 215, (size, 4, 4, 3)), np.ones((1, side // 4, side // 4, 1)))
    return np.clip(np.rint(coarse + random.normal(0, 10, (size, side, side, 3))), 0, 255).astype("float32")


def toolkit_images(size, side, folder, steps):
    """The first likelihood, seconds, processor seconds and megabytes; so of all that follow."""
    import keras
    import numpy as np

    from toolkit import layers, methods, models, training

    training.phases.keep_freed_memory()
    keras.utils.set_random_seed(0)
    units, residual_units, num_blocks, num_embeddings, embedding_dim = NETWORK
    codebooks = [
        layers.VectorQuantizer(num_embeddings, num_start_steps=0, revive_below=0.0, metrics_name=name, name=name)
        for name in models.vqvae2.codebook_names(2)
    ]
    how = {"units": units, "residual_units": residual_units, "num_residual_blocks": num_blocks}
    model = models.vqvae2.vqvae2(side, codebooks=codebooks, embedding_dim=embedding_dim, **how)
    parts = ("encoder", "vectors_top", "vectors_bottom", "joined_bottom", "decoder")
    weights = [weight for name in parts for weight in model.get_layer(name).get_weights()]
    np.savez(pathlib.Path(folder, "images.npz"), *weights, np.asarray(models.vqvae2.embeddings(model)))
    methods.image_codes.compiled(model, keras.optimizers.Adam(3e-4))
    images, levels = methods.image_codes.pair(batch(size, side), None)
    results, seconds = timed_twice(lambda: model.train_on_batch(images, levels, return_dict=True), steps)
    first = math.log(2) * float(results[0]["reconstruction_bits_per_dim"])
    return first, *seconds, peak_megabytes()


def pytorch_images(size, side, folder, steps):
    import vqvae2_in_pytorch

    model = vqvae2_in_pytorch.VQVAE2(*NETWORK)
    *weights, embeddings = kept(folder, "images.npz")
    model.take(weights, embeddings)
    results, seconds = timed_twice(vqvae2_in_pytorch.stepper(model, batch(size, side)), steps)
    return results[0], *seconds, peak_megabytes()


def kept(folder, name):
    import numpy as np

    with np.load(pathlib.Path(folder, name)) as file:
        return [file[key] for key in file.files]


# Priors. --------------------------------------------------------------------------------------------------------------


def maps(size, side):
    """Codes of a level, and of the one above it."""
    import numpy as np

    random = np.random.default_rng(0)
    return [random.integers(0, 512, (size, each, each)).astype("int32") for each in (side, side // 2)]


def made(network, side):
    """A network whose layers all have their say, more than Keras gives them at first."""
    import keras
    import numpy as np

    from toolkit import models

    keras.utils.set_random_seed(0)
    num_codes, filters, num_blocks, kernel_size, attention_every, num_heads, num_output_blocks, num_context = network
    told = {"num_maps": 1, "context_size": (side // 2, side // 2), "num_context_blocks": num_context}
    model = models.pixelsnail.pixelsnail(
        side,
        side,
        num_codes,
        filters,
        num_blocks,
        kernel_size,
        attention_every=attention_every,
        num_heads=num_heads,
        num_output_blocks=num_output_blocks,
        dropout=0.0,
        **(told if num_context else {}),
    )
    model.set_weights([1.5 * np.asarray(weight) for weight in model.get_weights()])
    return model


def in_order(model, network):
    """Weights of what is known above, the lookup, the blocks, attention, and what leads to the logits."""
    from toolkit import models

    *_, num_output_blocks, num_context = network
    context = [f"context_{number}_{part}" for number in range(1, num_context + 1) for part in ("wide", "out")]
    context = ["context_embedding", "context_in", *context, "upsampling"] if num_context else []
    layers = [model.get_layer(name) for name in (*context, "lookup")]
    for block in models.pixelcnn.blocks(model):
        layers += [block.vertical_convolution, block.horizontal_convolution, block.vertical_to_horizontal]
        layers += [block.outward, *([block.condition_projection] if num_context else [])]
    weights = [weight for layer in layers for weight in layer.get_weights()]
    for attention in models.pixelsnail.attentions(model).values():
        weights += projections(attention)
        for part in ("gates", "outward"):
            weights += model.get_layer(f"{attention.name}_{part}").get_weights()
    outputs = [f"output_{number}_{part}" for number in range(1, num_output_blocks + 1) for part in ("in", "out")]
    return [*weights, *(weight for name in (*outputs, "logits") for weight in model.get_layer(name).get_weights())]


def projections(attention):
    """Weights of queries, keys and values, of which the toolkit makes the latter two as one."""
    import numpy as np

    both = [np.split(weight, 2, axis=-1) for weight in attention.value_projection.get_weights()]
    return [*attention.query_projection.get_weights(), *(weight for each in zip(*both, strict=True) for weight in each)]


def toolkit_prior(network, size, side, folder, steps):
    import keras
    import numpy as np

    from toolkit import methods, training

    training.phases.keep_freed_memory()
    model, (codes, above) = made(network, side), maps(size, side)
    inputs = {"codes": codes, **({"context": above[:, None]} if network[-1] else {})}
    logits = model({name: values[:1] for name, values in inputs.items()})
    np.savez(pathlib.Path(folder, "prior.npz"), *in_order(model, network), np.asarray(logits))
    methods.code_likelihood.compiled(model, keras.optimizers.Adam(3e-4))
    results, seconds = timed_twice(lambda: model.train_on_batch(inputs, codes), steps)
    return float(results[0][0]), *seconds, peak_megabytes()


def pytorch_prior(network, size, side, folder, steps):
    import numpy as np
    import pixelcnn_in_pytorch
    import pixelsnail_in_pytorch

    model, (codes, above) = pixelsnail_in_pytorch.PixelSNAIL(*network), maps(size, side)
    given = (codes, above) if network[-1] else (codes,)
    *weights, logits = kept(folder, "prior.npz")
    pixelcnn_in_pytorch.take(model, weights)
    found = pixelcnn_in_pytorch.emit(model, *(each[:1] for each in given))
    np.testing.assert_allclose(found, logits, atol=5e-4)
    results, seconds = timed_twice(pixelsnail_in_pytorch.stepper(model, *given), steps)
    return results[0], *seconds, peak_megabytes()


# Attention. -----------------------------------------------------------------------------------------------------------


def seen(side):
    """What queries, and what keys and values are made of."""
    import numpy as np

    random = np.random.default_rng(0)
    return [random.standard_normal((1, side, side, channels)).astype("float32") for channels in (66, 130)]


def toolkit_attention(side, folder, steps):
    import keras
    import numpy as np
    import tensorflow as tf

    from toolkit import layers, training

    training.phases.keep_freed_memory()
    keras.utils.set_random_seed(0)
    layer, (query, value) = layers.CausalAttention2D(4, 16), seen(side)
    layer.build(query.shape, value.shape)

    @tf.function(autograph=False)
    def there_and_back(query, value):
        with tf.GradientTape() as tape:
            tape.watch((query, value))
            found = layer(query, value)
            loss = tf.reduce_sum(tf.square(found))
        return found, tape.gradient(loss, [query, value, *layer.trainable_variables])

    def step():
        found, gradients = there_and_back(tf.constant(query), tf.constant(value))
        return found.numpy(), gradients[0].numpy()

    results, seconds = timed_twice(step, steps)
    np.savez(pathlib.Path(folder, "attention.npz"), *projections(layer), *results[0])
    return 0.0, *seconds, peak_megabytes()


def pytorch_attention(side, folder, steps, fused=False):
    import numpy as np
    import pixelcnn_in_pytorch
    import pixelsnail_in_pytorch

    attend = pixelsnail_in_pytorch.attend_fused if fused else pixelsnail_in_pytorch.attend_at_once
    layer = pixelsnail_in_pytorch.CausalAttention(66, 130, 64, 4, attend)
    *weights, found, gradient = kept(folder, "attention.npz")
    pixelcnn_in_pytorch.take(layer, weights)
    results, seconds = timed_twice(pixelsnail_in_pytorch.attention_stepper(layer, *seen(side)), steps)
    np.testing.assert_allclose(results[0][0], found, atol=1e-4)
    np.testing.assert_allclose(results[0][1], gradient, atol=1e-4)
    return 0.0, *seconds, peak_megabytes()


# Drawing. -------------------------------------------------------------------------------------------------------------


def drawing(side, folder, repeats, naively):
    """Name to seconds an image's codes; and the share of codes that naive drawing draws alike, where it draws them."""
    import numpy as np
    import tensorflow as tf

    from toolkit import export, generation, models

    priors, shapes = [made(TOP, side), made(BOTTOM, 2 * side)], [(side, side), (2 * side, 2 * side)]
    generator = generation.code_levels.CodeLevelsGenerator(priors)
    noise = np.random.default_rng(1).uniform(size=(1, 5 * side**2)).astype("float32")
    signature = export.signature(
        lambda noise: {"codes": generator.generate(noise=noise)}, noise=(noise.shape, "float32")
    )
    written = pathlib.Path(folder, f"export_{side}")
    export.write(written, {"write": signature}, trackables=priors, examples={"write": {"noise": noise}})
    call = export.interpreter.tflite_caller(written / "model.tflite", 1)
    in_keras = tf.function(lambda noise: generator.generate(noise=noise), autograph=False)
    given = tf.constant(noise)
    found = {
        "Keras": statistics.median(timed(lambda: in_keras(given).numpy(), repeats)),
        "model.tflite": statistics.median(timed(lambda: call("write", noise=noise), repeats)),
    }
    emits = [tf.function(lambda given, prior=prior: prior(given), autograph=False) for prior in priors]
    codes = in_keras(given).numpy()
    top, bottom = (tf.constant(each) for each in models.code_levels.parted(codes, shapes))
    passes = [{"codes": top}, {"codes": bottom, "context": top[:, None]}]
    found["naive"] = sum(
        math.prod(shape) * statistics.median(timed(lambda emit=emit, one=one: emit(one).numpy(), 3 * repeats))
        for shape, emit, one in zip(shapes, emits, passes, strict=True)
    )
    if not naively:
        return found, None
    drawn = []
    for shape, emit, own in zip(shapes, emits, models.code_levels.parted(noise, shapes), strict=True):
        level, own = np.zeros((1, *shape), "int32"), np.asarray(own)
        told = {"context": tf.constant(drawn[0][:, None])} if drawn else {}
        for row, column in np.ndindex(shape):
            logits = emit({"codes": tf.constant(level), **told})[:, row, column]
            level[:, row, column] = generation.drawing.draw_token(logits, own[:, row, column])
        drawn.append(level)
    return found, float((np.asarray(models.code_levels.joined(drawn)) == codes).mean())


# Tables. --------------------------------------------------------------------------------------------------------------


def compare(name, ours, theirs):
    """Prints milliseconds, those of the processor, and megabytes; theirs are a dictionary by name."""
    for what, place, scale in (("ms", 1, 1e3), ("ms of processor", 2, 1e3), ("MB", 3, 1)):
        for other, found in theirs.items() or {"": None}.items():
            row = [f"{name}{other}, {what}", f"{scale * ours[place]:.0f}"]
            if found is not None:
                row += [f"{scale * found[place]:.0f}", f"{ours[place] / found[place]:.2f}"]
            print_row(*row)
    for found in theirs.values():
        if abs(ours[0] - found[0]) > 1e-3:
            raise SystemExit(f"{name}: the first losses differ: {ours[0]} and {found[0]}.")


def compare_images(folder, steps):
    pytorch = version("torch") is not None and version("vector-quantize-pytorch") is not None
    for size, side in IMAGES:
        ours = apart(toolkit_images, size, side, folder, steps)
        theirs = {"": apart(pytorch_images, size, side, folder, steps)} if pytorch else {}
        compare(f"{size} images of {side} x {side}", ours, theirs)


def compare_priors(folder, steps):
    for name, sizes in PRIORS.items():
        ours = apart(toolkit_prior, *sizes, folder, steps)
        theirs = {"": apart(pytorch_prior, *sizes, folder, steps)} if version("torch") else {}
        compare(name, ours, theirs)


def compare_attention(folder, steps):
    for side in ATTENDED:
        ours = apart(toolkit_attention, side, folder, steps)
        ways = {"": False, ", fused there": True} if version("torch") else {}
        theirs = {name: apart(pytorch_attention, side, folder, steps, fused) for name, fused in ways.items()}
        compare(f"attention, {side} x {side}", ours, theirs)


def compare_drawing(folder, repeats):
    for side in DRAWN:
        found, same = apart(drawing, side, folder, repeats, side == DRAWN[0])
        name = f"{side} x {side} and {2 * side} x {2 * side}"
        if same is not None:
            print_row(f"{name}: codes that naive drawing draws alike", f"{same:.1%}")
        naive = found.pop("naive")
        for where, seconds in found.items():
            row = [f"drawing {name}, {where}", f"{1e3 * seconds:.0f} ms"]
            print_row(*row, f"naive {1e3 * naive:.0f} ms", f"{seconds / naive:.3f}")


def main():
    kinds = {
        "images": compare_images,
        "priors": compare_priors,
        "attention": compare_attention,
        "drawing": compare_drawing,
    }
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=8, help="training steps, and images drawn (8)")
    parser.add_argument("--only", choices=kinds, help="the one kind of row")
    asked = parser.parse_args()
    print(machine(), flush=True)
    print_row("", "toolkit", "PyTorch" if version("torch") else "(no PyTorch here)", "ratio")
    with tempfile.TemporaryDirectory() as folder:
        for kind, compare_kind in kinds.items():
            if asked.only in (None, kind):
                compare_kind(folder, asked.steps)


if __name__ == "__main__":
    main()
