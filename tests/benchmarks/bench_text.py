"""Speed, memory and what is reached of the text networks beside the same in PyTorch.

  ./run benchmarks tests/benchmarks/bench_text.py                                                speed and memory
  ./run python tests/benchmarks/bench_text.py --text=tinyshakespeare.txt      what as many updates reach, nothing else

Training: the recipe's step and PyTorch's, from the same weights on the same batches; the first loss must be the same.
Writing: the exported .tflite on one thread and PyTorch's loop, on the same noise; the text must be the same. Reading:
the peak memory of a process that reads 100 MB of characters, beside nanoGPT's way, an array made of a list of numbers.
What is reached: test bits a character after the same number of updates with the same step sizes; PyTorch begins as
PyTorch does, with one-hot characters (as many weights) and with nn.Embedding (more).

Each measurement has a process of its own, on the CPU. A ratio below 1 means that the toolkit takes less.
"""

import argparse
import math
import pathlib
import statistics
import tempfile

from measuring import apart, machine, peak_megabytes, print_memory, print_row, version

NUM_TOKENS, BATCH, LENGTH = 65, 32, 100
ALPHABET = [chr(48 + number) for number in range(NUM_TOKENS)]


def settings(folder, **how):
    from recipes import text_prediction as recipe

    return recipe.Settings(workdir=str(folder), batch_size=BATCH, sequence_length=LENGTH, **how)


def batches(num_steps):
    import numpy as np

    random = np.random.default_rng(0)
    for step in range(num_steps):
        tokens = random.integers(1, NUM_TOKENS, (BATCH, LENGTH + 1)).astype("int32")
        yield {
            "tokens": tokens[:, :-1],
            "targets": tokens[:, 1:],
            "continues": np.full(BATCH, step > 0, "float32"),
        }


def toolkit_training(units, folder, steps):
    """First loss, seconds of a step, and the first weights for PyTorch."""
    import time

    import numpy as np

    from recipes import text_prediction as recipe
    from toolkit import data, training

    training.phases.keep_freed_memory()
    s = settings(folder, units=units)
    model = recipe.network(s, data.text.Vocabulary("char", tuple(ALPHABET)))
    np.savez(pathlib.Path(folder, f"{units}.npz"), *model.get_weights())
    trainee = recipe.compiled(model, s, 10**6)
    trainee.jit_compile = False
    before, losses, seconds = peak_megabytes(), [], []
    for batch in batches(steps + 2):
        given = data.text.streaming.as_fitted(batch)
        start = time.perf_counter()
        losses.append(float(trainee.train_on_batch(*given, return_dict=True)["loss"]))
        seconds.append(time.perf_counter() - start)
    return losses[0] / LENGTH, statistics.median(seconds[2:]), (peak_megabytes(), before)


def pytorch_training(units, folder, steps):
    import numpy as np
    import text_in_pytorch

    model = text_in_pytorch.TextNetwork(NUM_TOKENS, units)
    with np.load(pathlib.Path(folder, f"{units}.npz")) as file:
        model.take(*(file[key] for key in file.files))
    before, seconds = peak_megabytes(), []
    losses = text_in_pytorch.train(model, batches(steps + 2), steps + 2, 3e-3, seconds)
    return losses[0], statistics.median(seconds[2:]), (peak_megabytes(), before)


def toolkit_writing(units, folder, length):
    """Characters a second, the text and the weights' place."""
    import time

    import numpy as np

    from recipes import text_prediction as recipe
    from toolkit import data, generation
    from toolkit.export import signature, write
    from toolkit.export.interpreter import tflite_caller

    vocabulary = data.text.Vocabulary("char", tuple(ALPHABET))
    model = recipe.network(settings(folder, units=units), vocabulary)
    model.set_weights([3 * w for w in model.get_weights()])  # sure enough that rounding does not decide
    np.savez(pathlib.Path(folder, f"write_{units}.npz"), *model.get_weights())
    generator = generation.text.Generator(model, excluded=(0,))

    def generate(temperature, noise):
        asked = [np.zeros((1, 1), "int32"), np.zeros(1, "int32"), np.full(1, length, "int32"), temperature]
        return generator.generate(*asked, num_steps=length, noise=noise)

    write(
        pathlib.Path(folder, f"export_{units}"),
        {
            "generate_from_noise": signature(
                generate, temperature=((1,), "float32", ""), noise=((1, length), "float32", "")
            )
        },
        trackables=[model],
        quantize="dynamic",
    )
    found = {}
    given = {"temperature": np.array([0.8], "float32"), "noise": noise(length)[None]}
    for name in ("model", "model_dynamic"):
        call = tflite_caller(pathlib.Path(folder, f"export_{units}", f"{name}.tflite"), 1)
        seconds = []
        for _ in range(7):
            start = time.perf_counter()
            tokens = call("generate_from_noise", **given)["tokens"][0]
            seconds.append(time.perf_counter() - start)
        found[name] = (length / statistics.median(seconds[2:]), tokens.tolist())
    return found


def noise(length):
    import numpy as np

    return np.random.default_rng(1).uniform(0.01, 0.99, length).astype("float32")


def pytorch_writing(units, folder, length):
    import time

    import numpy as np
    import text_in_pytorch

    model = text_in_pytorch.TextNetwork(NUM_TOKENS, units)
    with np.load(pathlib.Path(folder, f"write_{units}.npz")) as file:
        model.take(*(file[key] for key in file.files))
    seconds = []
    for _ in range(4):
        start = time.perf_counter()
        text = text_in_pytorch.write(model, noise(length))
        seconds.append(time.perf_counter() - start)
    return length / statistics.median(seconds[1:]), text


def highest_megabytes():
    """Of this process alone: what `getrusage` says counts from its parent's."""
    lines = pathlib.Path("/proc/self/status").read_text().split("\n")
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def toolkit_reading(path):
    from toolkit import data

    before = highest_megabytes()
    corpus = data.text.load(f"text:{path}")
    return sum(map(len, corpus.tokens.values())), highest_megabytes() - before


def plain_reading(path):
    import numpy as np

    before = highest_megabytes()
    text = pathlib.Path(path).read_text()
    numbers = {character: number for number, character in enumerate(sorted(set(text)))}
    tokens = np.array([numbers[character] for character in text], dtype=np.uint16)
    return len(tokens), highest_megabytes() - before


def toolkit_quality(path, folder, units, epochs):
    import json

    import numpy as np

    from recipes import text_prediction as recipe
    from toolkit import training

    training.phases.keep_freed_memory()
    how = {"data": f"text:{path}", "units": units, "epochs": epochs}
    run = training.Run(settings(folder, **how), "text_prediction", load=recipe.load)
    recipe.train(run)
    recipe.evaluate(run)
    steps = run.data.splits(BATCH, LENGTH).train.steps_per_epoch * epochs
    found = json.loads(pathlib.Path(folder, "metrics.json").read_text())
    weights = sum(np.size(w) for w in run.load().get_weights())
    return steps, weights, found["static_bits_per_character"], found["dynamic_bits_per_character"]


def pytorch_quality(path, units, epochs, embedding_size):
    import text_in_pytorch
    import torch

    from toolkit import data

    torch.manual_seed(0)
    corpus = data.text.load(f"text:{path}")
    model = text_in_pytorch.TextNetwork(len(corpus.vocabulary.tokens), units, embedding_size)
    train = corpus.streams("train", BATCH, LENGTH, 100)
    steps = train.steps_per_epoch * epochs
    reader = (
        dict(zip(("continues", "targets", "tokens"), train.flat_batch(step), strict=True)) for step in range(steps)
    )
    text_in_pytorch.train(model, reader, steps, 3e-3)
    test = corpus.streams("test", 1, LENGTH)
    keys = ("continues", "targets", "tokens")
    reader = (dict(zip(keys, test.flat_batch(step), strict=True)) for step in range(test.steps_per_epoch))
    return steps, sum(p.numel() for p in model.parameters()), text_in_pytorch.bits(model, reader)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=10, help="training steps measured")
    parser.add_argument("--length", type=int, default=500, help="characters written")
    parser.add_argument("--text", default="", help="a text file to train on")
    parser.add_argument("--units", type=int, default=512, help="LSTM cells of that training")
    parser.add_argument("--epochs", type=int, default=3, help="epochs of that training")
    asked = parser.parse_args()
    print(machine())
    print_row("", "toolkit", "PyTorch", "ratio")
    with tempfile.TemporaryDirectory() as folder:
        (reached if asked.text else speed_and_memory)(asked, folder, version("torch") is not None)


def speed_and_memory(asked, folder, has_torch):
    for units in (512, 1000):
        loss, seconds, memory = apart(toolkit_training, units, folder, asked.steps)
        row = [f"training, one LSTM of {units}, tokens a second", f"{BATCH * LENGTH / seconds:.0f}"]
        if has_torch:
            their_loss, their_seconds, their_memory = apart(pytorch_training, units, folder, asked.steps)
            if not math.isclose(loss, their_loss, rel_tol=1e-4):
                raise SystemExit(f"the first losses differ: {loss} and {their_loss}")
            row += [f"{BATCH * LENGTH / their_seconds:.0f}", f"{seconds / their_seconds:.2f}"]
        print_row(*row)
        if has_torch:
            print_memory(memory, their_memory)
    for units in (512, 1000):
        found = apart(toolkit_writing, units, folder, asked.length)
        theirs = apart(pytorch_writing, units, folder, asked.length) if has_torch else None
        if theirs and theirs[1] != found["model"][1]:
            same = sum(a == b for a, b in zip(theirs[1], found["model"][1], strict=True))
            print(f"  note: only {same} of {asked.length} characters are the same")
        for name, (rate, _) in found.items():
            row = [f"writing, LSTM of {units}, {name}.tflite, characters a second", f"{rate:.0f}"]
            print_row(*row, *([f"{theirs[0]:.0f}", f"{theirs[0] / rate:.2f}"] if theirs else []))
    path = pathlib.Path(folder, "big.txt")
    with open(path, "w") as file:
        for number in range(10):
            line = "The <page> of [[Wikipedia]] number {} has some text that goes on for a while, as they do.\n"
            file.write("".join(line.format(100_000 * number + n) for n in range(109_000)))
    (count, ours), (_, plain) = apart(toolkit_reading, path), apart(plain_reading, path)
    print_row(
        f"reading {count / 1e6:.0f} MB, MB of memory (nanoGPT's way)",
        f"{ours:.0f}",
        f"{plain:.0f}",
        f"{ours / plain:.2f}",
    )


def reached(asked, folder, has_torch):
    quality = pathlib.Path(folder, "quality")
    steps, weights, static, dynamic = apart(toolkit_quality, asked.text, quality, asked.units, asked.epochs)
    print(f"after {steps} updates on {asked.text}, test bits a character:")
    print_row(f"  toolkit, {weights} weights", f"{static:.3f}", "", "", f"dynamic evaluation {dynamic:.3f}")
    for size in (0, 256) if has_torch else ():
        _, weights, bits = apart(pytorch_quality, asked.text, asked.units, asked.epochs, size)
        name = f"embedding of {size}" if size else "one-hot"
        print_row(f"  PyTorch, {name}, {weights} weights", "", f"{bits:.3f}", f"{static / bits:.2f}")


if __name__ == "__main__":
    main()
