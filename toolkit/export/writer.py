"""Writes an exported model: a folder that is whole, checked and described, or no folder at all."""

import dataclasses
import os
import pathlib
import platform
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from toolkit.export import card as cards
from toolkit.export import parity
from toolkit.export.inspection import inspect_tflite
from toolkit.export.int8 import quantize_to_int8
from toolkit.export.interpreter import NUM_THREADS, run_tflite_apart, tflite_caller
from toolkit.export.saved_model import output_tensors, save_traced, saved_model_caller, trace
from toolkit.export.signatures import Signature, check_name
from toolkit.export.tflite import SMALLER_WEIGHTS, convert_to_tflite
from toolkit.export.tflite_file import digest
from toolkit.files.writing import replaced
from toolkit.lazy import tensorflow as tf

QUANTIZED = (*SMALLER_WEIGHTS, "int8")
QUANTIZATIONS = ("none", *QUANTIZED, "all")
_OURS = ("saved_model", "card.md", "card.json", "model.tflite", *(f"model_{name}.tflite" for name in QUANTIZED))


@dataclasses.dataclass(frozen=True)
class Report:
    """What an export wrote.

    Args:
        folder: Where it is.
        card: What its `card.json` holds.
    """

    folder: pathlib.Path
    card: dict

    def __str__(self) -> str:
        lines = [f"exported to {self.folder}"]
        for name, file in self.card["files"].items():
            latency = ", ".join(f"{key} {value:.3g} ms" for key, value in file["latency_ms"].items())
            lines.append(f"  {name}: {file['bytes']:,} bytes; {latency}")
        return "\n".join(lines)


def write(
    folder: str | os.PathLike,
    signatures: Mapping[str, Signature],
    *,
    examples: Mapping[str, Mapping[str, np.ndarray]] | None = None,
    trackables: Iterable = (),
    card: Mapping | None = None,
    quantize: str = "none",
    calibrate: Iterable[Mapping[str, Mapping[str, np.ndarray]]] | None = None,
    measure: Callable[[Callable[..., dict[str, np.ndarray]]], Mapping[str, float]] | None = None,
    tolerance: float = 1e-4,
    differing: float = 0.0,
) -> Report:
    """Exports functions as a SavedModel and a TFLite file, checks both against the functions, and writes a card.

    The folder then holds `saved_model/`, `model.tflite`, `card.md` and `card.json`, and `model_QUANTIZE.tflite` where
    asked for. It appears whole: killed or refused at any moment, an earlier export there stays as it was. Every
    signature of the TFLite files is run in a process that has not imported TensorFlow.

    Args:
        folder: Where to; what an earlier export wrote there is replaced.
        signatures: Name to `signature(...)`.
        examples: Signature name to inputs by name. The function, the SavedModel and the TFLite file are compared on
            them; a signature without an example is only run, on zeros, and its latency then says little. Signatures
            that draw noise are not compared, but timed on their example.
        trackables: Layers or models with lookup tables that the functions use; variables need not be named.
        card: What the export cannot know: name, description, metrics, data, licence, command.
        quantize: "none", "dynamic" (int8 weights), "float16" (weights), "int8" (weights and what they multiply) or
            "all": one file of each.
        calibrate: For "int8" and "all", and read only then: typical inputs, such as some of the training data; each
            item is signature name to inputs by name, and every signature comes at least once.
        measure: How good a file is: called with a function `call(signature_name, **inputs) -> outputs by name` of the
            SavedModel and of each `.tflite`, it returns metric name to number. What quantization costs is on the card.
        tolerance: Largest difference allowed, as a share of the output's largest magnitude where that is above 1; the
            quantized file's difference is put on the card, not judged.
        differing: Largest share of an output's numbers that may differ by more: where each is an argmax, as a pixel's
            class, rounding decides a few of them.

    Returns:
        A `Report` with the card.

    Raises:
        ConversionError: Where a signature does not fit TFLite's builtin ops; it names them.
        ParityError: Where an exported signature differs from the function.
        ValueError: Where an example, a setting or the folder is not as it should be.
    """
    folder = pathlib.Path(folder).resolve()
    given = cards.check_card(card or {})
    if not signatures:
        raise ValueError("signatures: expected at least one, as {name: signature(...)}.")
    for key in signatures:
        check_name(key, "signature")
    examples = _check_examples(signatures, examples or {}, "example")
    quantized = _quantized(quantize)
    if "int8" in quantized:
        if calibrate is None:
            raise ValueError(
                f"quantize={quantize!r} needs typical inputs: calibrate=[{{signature: {{input: array}}}}, ...], or in "
                "a `serving.Served` a function that yields such items."
            )
        calibrate = [_check_examples(signatures, item, "calibrate") for item in calibrate]

    with replaced(folder, _OURS, "an export") as new:
        traced = {key: trace(signature) for key, signature in signatures.items()}
        tensors = {key: output_tensors(signatures[key], function) for key, function in traced.items()}
        save_traced(new / "saved_model", traced, trackables)
        paths, calibrated = _convert(new, signatures, quantized, calibrate)
        zeros = {
            key: {name: tensor.zeros() for name, tensor in signature.inputs.items()}
            for key, signature in signatures.items()
        }
        feeds = {**zeros, **examples}
        try:
            runs = run_tflite_apart(paths, feeds, NUM_THREADS)
        except RuntimeError as error:
            raise parity.ParityError(f"the TFLite file does not run without TensorFlow: {error}") from error
        call = saved_model_caller(new / "saved_model")
        saved = {key: call(key, **inputs) for key, inputs in feeds.items()}
        figures = _compare(signatures, traced, tensors, examples, saved, runs, tolerance, differing)
        files = {
            path.name: _describe_file(path, runs[label][1], calibrated.get(label)) for label, path in paths.items()
        }
        made = {
            **given,
            "signatures": {key: _describe_signature(signature, tensors[key]) for key, signature in signatures.items()},
            "files": files,
            "measured": cards.check_card(_measured(measure, call, paths)),
            "parity": figures,
            "versions": cards.versions(),
        }
        cards.write_card(new, made)
    return Report(folder, made)


def _quantized(quantize):
    if quantize not in QUANTIZATIONS:
        raise ValueError(f"quantize={quantize!r}: expected one of {', '.join(QUANTIZATIONS)}.")
    return {"none": (), "all": QUANTIZED}.get(quantize, (quantize,))


def _convert(new, signatures, quantized, calibrate):
    """Makes the `.tflite` files of the SavedModel: their paths, and what was calibrated with how many inputs."""
    paths, calibrated = {"model": new / "model.tflite"}, {}
    convert_to_tflite(new / "saved_model", paths["model"], signatures)
    for name in quantized:
        paths[name] = new / f"model_{name}.tflite"
        if name == "int8":
            calibrated["int8"] = quantize_to_int8(paths["model"], paths["int8"], calibrate)
        else:
            convert_to_tflite(new / "saved_model", paths[name], signatures, name)
    return paths, calibrated


def _check_examples(signatures, examples, where):
    unknown = sorted(set(examples) - set(signatures))
    if unknown:
        raise ValueError(f"{where}: there is no signature {unknown}; they are {sorted(signatures)}.")
    return {key: signatures[key].check_inputs(inputs, f"{where} {key!r}") for key, inputs in examples.items()}


def _loops(traced):
    return any(operation.type in ("While", "StatelessWhile") for operation in traced.graph.get_operations())


def _compare(signatures, traced, tensors, examples, saved, runs, tolerance, differing):
    """Checks every runtime's outputs and returns the card's parity figures."""
    found = {"SavedModel": saved, "TFLite": runs["model"][0]}
    quantized = [label for label in runs if label != "model"]
    found |= {label: runs[label][0] for label in quantized}
    figures = {}
    for key, signature in signatures.items():
        for runtime, outputs in found.items():
            parity.check_outputs(outputs[key], tensors[key], f"{key!r} in {runtime}")
        if signature.random or key not in examples:
            if signature.random:
                for runtime, outputs in found.items():
                    parity.check_finite(outputs[key], f"{key!r} in {runtime}")
            figures[key] = {"not_compared": "it draws noise" if signature.random else "no example; it was run on zeros"}
            continue
        constants = {name: tf.constant(value) for name, value in examples[key].items()}
        # Eagerly a loop of 500 tokens takes 10 s, so it is traced a second time: that still shows where the first
        # trace has frozen something, such as a Python value.
        again = trace(signature) if _loops(traced[key]) else signature.call
        expected = {name: np.asarray(tensor) for name, tensor in again(**constants).items()}
        parity.check_outputs(expected, tensors[key], f"{key!r} called as a function")
        differences = {
            name: parity.check_equal(
                found[runtime][key], expected, tolerance, f"{key!r} in {runtime}", differing=differing
            )
            for name, runtime in (("saved_model", "SavedModel"), ("tflite", "TFLite"))
        }
        for label in quantized:
            differences[f"{label}_from_float32"] = parity.largest_differences(found[label][key], found["TFLite"][key])
        figures[key] = {
            "outputs": {name: {runtime: each[name] for runtime, each in differences.items()} for name in expected}
        }
    return figures


def _measured(measure, call, paths):
    if measure is None:
        return {}
    found = {"saved_model": measure(call)}
    return found | {path.name: measure(tflite_caller(path, NUM_THREADS)) for path in paths.values()}


def _describe_signature(signature, outputs):
    return {
        "inputs": {name: tensor.describe() for name, tensor in signature.inputs.items()},
        "outputs": {name: tensor.describe() for name, tensor in outputs.items()},
        "random": signature.random,
    }


def _describe_file(path, milliseconds, calibrated_with):
    found = inspect_tflite(path)
    calibrated = {} if calibrated_with is None else {"calibrated_with": calibrated_with}
    return {
        "bytes": found["bytes"],
        "sha256": digest(path),
        "builtin_ops_only": not found["custom_ops"],
        "ops": found["ops"],
        "latency_ms": milliseconds,
        "num_threads": NUM_THREADS,
        "machine": platform.machine(),
        **calibrated,
    }
