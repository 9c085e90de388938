"""Each layer and model family on a GPU: Keras on JAX beside PyTorch, in float32 and bfloat16, within a few minutes.

  python tests/benchmarks/bench_gpu.py                     on a GPU: at most six minutes (--minutes)
  python tests/benchmarks/bench_gpu.py --tiny              on any machine: tiny sizes, to see that all runs
  python tests/benchmarks/bench_gpu.py --only=ResNet       some rows, by a part of their names

What it needs: jax for the GPU, torch, and keras with what it needs; no TensorFlow, which is never imported. It is run
from the sources, without installing the toolkit. PyTorch's side of the VQ-VAEs needs vector-quantize-pytorch.

Forward: the model's outputs. Step: forward in training, gradients and Adam; without weights, the gradient towards
the inputs. Each is compiled (here) or warmed up (there), then timed in three turns of many calls, of which the fastest
counts; a ratio below 1 means that the toolkit takes less. Networks are equal in size, not in their first weights.
The products of float32 are TensorFloat-32's on both sides; bfloat16 is mixed precision: Keras' mixed_bfloat16,
PyTorch's autocast. The share is that of the chip's dense rate, of which the operations are counted that products and
convolutions take (in the step as JAX has it, loops in full): by the chip's data sheet where it is known here, else by a
large product that is timed at first.

Rows are compiled some at a time, side by side, and timed with nothing beside them; each is printed when it is known,
and kept in --out as a line of JSON. What is not reached in time is named.
"""

import argparse
import concurrent.futures
import json
import math
import os
import pathlib
import platform
import sys
import time
import traceback

os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # the GPU's memory is PyTorch's too
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

import jax
import keras
import torch
from gpu_cases import ROWS, sizes_of

POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
# Dense operations a second of products by data sheet: TensorFloat-32, bfloat16.
PEAKS = {"H100": (494.7e12, 989.4e12), "H200": (494.7e12, 989.4e12), "A100": (156e12, 312e12)}
TURN = 0.1
TOGETHER = 4  # rows whose functions are compiled side by side
CPU = jax.devices("cpu")[0]
THERE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


# Keras on JAX. --------------------------------------------------------------------------------------------------------


class Ours:
    """A model's two functions, traced; `compile` makes programs of them."""

    def __init__(self, case, precision):
        keras.config.set_dtype_policy(POLICIES[precision])
        # On the CPU, where hundreds of small programs that draw the first weights are compiled in no time.
        with jax.default_device(CPU):
            model = case.ours()
            optimizer = keras.optimizers.Adam(1e-4)
            optimizer.build(model.trainable_variables)
        self.num_weights = sum(math.prod(v.shape) for v in model.trainable_variables)
        self.given = (
            [v.value for v in model.trainable_variables],
            [v.value for v in model.non_trainable_variables],
            [v.value for v in optimizer.variables],
            _as_asked(model.input, case.inputs),
        )

        def forward(trainable, others, inputs):
            return model.stateless_call(trainable, others, inputs, training=False)[0]

        def loss(trainable, others, inputs):
            outputs, others, added = model.stateless_call(trainable, others, inputs, training=True, return_losses=True)
            return case.loss(_floating(outputs)) + sum(added), others

        def step(trainable, others, state, inputs):
            if trainable:
                (value, others), gradients = jax.value_and_grad(loss, has_aux=True)(trainable, others, inputs)
                trainable, state = optimizer.stateless_apply(state, gradients, trainable)
                return trainable, others, state, (value, [])
            # Of what has no weights, the gradient goes on to the inputs.
            leaves, structure = jax.tree.flatten(inputs)
            floats = {place: x for place, x in enumerate(leaves) if x.dtype.kind == "f"}

            def toward(floats):
                given = [floats.get(place, x) for place, x in enumerate(leaves)]
                return loss(trainable, others, jax.tree.unflatten(structure, given))

            (value, others), gradients = jax.value_and_grad(toward, has_aux=True)(floats)
            return trainable, others, state, (value, gradients)

        trainable, others, state, inputs = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), self.given)
        traced = {
            "forward": jax.jit(forward).trace(trainable, others, inputs),
            "step": jax.jit(step, donate_argnums=(0, 1, 2)).trace(trainable, others, state, inputs),
        }
        self.operations = {name: operations(each.jaxpr.jaxpr) for name, each in traced.items()}
        self._lowered = {name: each.lower() for name, each in traced.items()}

    def compile(self, name):
        return self._lowered[name].compile()

    def seconds(self, programs):
        device = jax.devices()[0]
        trainable, others, state, inputs = jax.device_put(self.given, device)
        found = {"forward": timed(lambda: programs["forward"](trainable, others, inputs), jax.block_until_ready)}
        kept = [trainable, others, state]

        def step():
            *kept[:], found = programs["step"](*kept, inputs)
            return found

        found["step"] = timed(step, jax.block_until_ready)
        if not math.isfinite(float(step()[0])):
            raise ValueError("the loss is not finite")
        return found


def _as_asked(asked, inputs):
    if isinstance(asked, dict):
        return dict(zip(asked, inputs, strict=True))
    return list(inputs) if isinstance(asked, list) else inputs[0]


def _floating(outputs):
    return [keras.ops.cast(y, "float32") for y in keras.tree.flatten(outputs) if keras.backend.is_float_dtype(y.dtype)]


def operations(jaxpr):
    """Multiplications and additions of a program's products and convolutions, those in loops as often as they run."""
    total = 0
    for equation in jaxpr.eqns:
        name, params = equation.primitive.name, equation.params
        if name == "dot_general":
            (left, _), _ = params["dimension_numbers"]
            together = math.prod(equation.invars[0].aval.shape[axis] for axis in left)
            total += 2 * together * math.prod(equation.outvars[0].aval.shape)
        elif name == "conv_general_dilated":
            kernel, out = equation.invars[1].aval.shape, equation.outvars[0].aval.shape
            taps = math.prod(kernel) // kernel[params["dimension_numbers"].rhs_spec[0]]
            # Of a gradient, the zeros between an image's pixels are no work.
            total += 2 * taps * math.prod(out) // math.prod(params["lhs_dilation"])
        else:
            times = params.get("length", 1) if name == "scan" else 1
            inner = [getattr(each, "jaxpr", each) for value in params.values() for each in _listed(value)]
            counts = [operations(each) for each in inner if hasattr(each, "eqns")]
            total += times * (max(counts, default=0) if name == "cond" else sum(counts))
    return total


def _listed(value):
    return value if isinstance(value, list | tuple) else [value]


# PyTorch. -------------------------------------------------------------------------------------------------------------


class Theirs:
    """A module on the GPU, its inputs, and Adam."""

    def __init__(self, case):
        torch.manual_seed(0)
        with THERE:
            self.module = case.theirs().to(THERE)
        inputs = case.inputs if case.their_inputs is None else case.their_inputs
        self.inputs = [torch.as_tensor(x, device=THERE) for x in inputs]
        self.inputs = [x.long() if x.dtype == torch.int32 else x for x in self.inputs]
        self.loss = case.their_loss
        learned = [p for p in self.module.parameters() if p.requires_grad]
        self.num_weights = sum(p.numel() for p in learned)
        self.optimizer = torch.optim.Adam(learned, 1e-4) if learned else None
        if not learned:
            self.inputs = [x.requires_grad_() if x.is_floating_point() else x for x in self.inputs]

    def seconds(self, precision):
        cast = torch.autocast(THERE.type, torch.bfloat16, enabled=precision == "bfloat16")

        @torch.no_grad()
        def forward():
            with cast:
                return self.module(*self.inputs)

        def step():
            for x in self.inputs:
                x.grad = None
            if self.optimizer:
                self.optimizer.zero_grad()
            with cast:
                outputs = self.module(*self.inputs)
            outputs = list(outputs) if isinstance(outputs, tuple) else [outputs]
            loss = self.loss([y for y in outputs if y.is_floating_point()])
            loss.backward()
            if self.optimizer:
                self.optimizer.step()
            return loss

        with THERE:
            self.module.eval()
            found = {"forward": timed(forward, synchronize)}
            self.module.train()
            return {**found, "step": timed(step, synchronize)}


def synchronize(_):
    if THERE.type == "cuda":
        torch.cuda.synchronize()


# Both. ----------------------------------------------------------------------------------------------------------------


def timed(call, wait):
    """Seconds of a call: the mean of the fastest of three turns of `TURN` seconds each."""
    for _ in range(2):
        wait(call())
    start = time.perf_counter()
    wait(call())
    count = max(1, min(200, int(TURN / (time.perf_counter() - start))))
    found = []
    for _ in range(3):
        start = time.perf_counter()
        for _ in range(count):
            result = call()
        wait(result)
        found.append((time.perf_counter() - start) / count)
    return min(found)


def rates(size):
    """The chip's operations a second by precision: by its data sheet, else a large product's; and where from."""
    name = torch.cuda.get_device_name() if THERE.type == "cuda" else platform.processor() or "this CPU"
    known = [pair for part, pair in PEAKS.items() if part in name]
    found = {}
    for place, precision in enumerate(POLICIES):
        x = jax.random.normal(jax.random.key(0), (size, size), precision)
        product = jax.jit(lambda x: x @ x)
        measured = 2 * size**3 / timed(lambda product=product, x=x: product(x), jax.block_until_ready)
        found[precision] = known[0][place] if known else measured
        print(
            f"{precision}: a product of {size} x {size} at {measured / 1e12:.4g} TFLOP/s"
            + (f"; {name} by its data sheet: {known[0][place] / 1e12:.4g}" if known else ""),
            flush=True,
        )
    return found


def print_row(*cells):
    print("{:<42}{:<10}{:<9}{:>11}{:>11}{:>7}{:>11}{:>8}".format(*cells), flush=True)


def measure(name, case, traced, programs, peaks, keep):
    """Prints a row's lines."""
    theirs, why = None, ""
    try:
        theirs = Theirs(case) if case.theirs else None
    except ImportError as error:
        why = f"without PyTorch's side: {error}"
    for precision, ours in traced.items():
        mine = ours.seconds(programs[precision])
        try:
            other = theirs.seconds(precision) if theirs else {}
        except (RuntimeError, NotImplementedError) as error:  # what PyTorch has no kernel for, or no memory
            other, why = {}, f"{precision}, PyTorch: {str(error).splitlines()[0][:100]}"
        for kind, seconds in mine.items():
            rate = ours.operations[kind] / seconds
            row = {"name": name, "precision": precision, "kind": kind, "seconds": seconds, "pytorch": other.get(kind)}
            row |= {"operations": ours.operations[kind], "share": rate / peaks[precision], "weights": ours.num_weights}
            keep(row)
            beside = (f"{1e3 * other[kind]:.4g}", f"{seconds / other[kind]:.2f}") if other else ("", "")
            shown = (f"{rate / 1e12:.4g}", f"{rate / peaks[precision]:.1%}") if ours.operations[kind] else ("", "")
            print_row(name, precision, kind, f"{1e3 * seconds:.4g}", *beside, *shown)
        # PyTorch's LSTMs have a second bias.
        if theirs and not math.isclose(theirs.num_weights, ours.num_weights, rel_tol=0.02) and not why:
            why = f"{ours.num_weights:,} weights here, {theirs.num_weights:,} in PyTorch"
    if why:
        print(f"  {why}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true", help="tiny sizes")
    parser.add_argument("--minutes", type=float, default=6.0, help="after which nothing more is begun")
    parser.add_argument("--only", default="", help="rows whose name has this in it")
    parser.add_argument("--out", default="", help="a file for the rows, a line of JSON each")
    asked = parser.parse_args()
    if jax.default_backend() == "cpu" and not asked.tiny:
        print("no GPU that JAX knows: nothing is measured here. --tiny tries all rows on a CPU.")
        return
    ends = time.perf_counter() + 60 * asked.minutes
    if asked.tiny:
        global TURN
        TURN = 0.0
        torch.set_num_threads(1)
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.benchmark = torch.backends.cudnn.allow_tf32 = True
    versions = f"keras {keras.__version__}, jax {jax.__version__}, torch {torch.__version__}"
    print(f"{jax.devices()[0].device_kind}; Python {platform.python_version()}, {versions}", flush=True)
    kept = open(asked.out, "a") if asked.out else None

    def keep(row):
        if kept:
            print(json.dumps(row), file=kept, flush=True)

    peaks = rates(512 if asked.tiny else 8192)
    print_row("", "", "", "here, ms", "PyTorch", "ratio", "TFLOP/s", "share")
    rows = [row for row in ROWS if asked.only.lower() in row[0].lower()]
    failed, left = [], []
    pool = concurrent.futures.ThreadPoolExecutor(os.cpu_count())
    for begin in range(0, len(rows), TOGETHER):
        waiting = []
        for row in rows[begin : begin + TOGETHER]:
            name, make = row[:2]
            if time.perf_counter() > ends:
                left.append(name)
                continue
            try:
                case = make(**sizes_of(row, asked.tiny))
                traced = {precision: Ours(case, precision) for precision in POLICIES}
            except Exception as error:
                failed.append((name, error))
                continue
            futures = {
                precision: {kind: pool.submit(ours.compile, kind) for kind in ("forward", "step")}
                for precision, ours in traced.items()
            }
            waiting.append((name, case, traced, futures))
        for *_, futures in waiting:
            every = [future for each in futures.values() for future in each.values()]
            concurrent.futures.wait(every, max(0.0, ends - time.perf_counter()))
        for name, case, traced, futures in waiting:
            try:
                programs = {
                    precision: {kind: future.result(timeout=0) for kind, future in each.items()}
                    for precision, each in futures.items()
                }
                measure(name, case, traced, programs, peaks, keep)
            except concurrent.futures.TimeoutError:
                left.append(name)
            except Exception as error:
                failed.append((name, error))
                traceback.print_exception(error, limit=-3)
    for name, error in failed:
        print(f"failed: {name}: {type(error).__name__}: {str(error).splitlines()[0][:200] if str(error) else ''}")
    if left:
        print(f"not reached in {asked.minutes:g} minutes: {', '.join(left)}")
    print(f"tensorflow imported: {'tensorflow' in sys.modules}", flush=True)
    os._exit(bool(failed))  # what is still being compiled is not waited for


if __name__ == "__main__":
    main()
