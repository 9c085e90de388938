"""What a `.tflite` file holds, read from its flatbuffer: without TensorFlow, and without running it."""

import os
import struct

from toolkit.export import tflite_file


def inspect_tflite(path: str | os.PathLike) -> dict:
    """Reads a TFLite file's signatures and ops, after LiteRT has verified it in this process.

    Args:
        path: The file.

    Returns:
        A dict of `bytes`; `signatures`, name to {"inputs", "outputs"}, each name to {"shape", "dtype"} (-1 = a free
        axis); `ops`, the builtin ops' names; `custom_ops`, those that need more than the TFLite runtime ("Flex..."
        need TensorFlow); `seeded_random_ops`, those that draw the same noise at each start; all names sorted.

    Raises:
        FileNotFoundError: Where there is no such file.
        ValueError: Where it is not a TFLite file, not a whole one, or not the one that the card beside it describes.
        OSError: Where the system refuses.
    """
    tflite_file.opened(path)
    return read_verified(path)


def read_verified(path: str | os.PathLike) -> dict:
    """Reads a TFLite file that opens: of a truncated one this would give nonsense.

    Args:
        path: The file, after `tflite_file.opened` or `tflite_file.check_apart`.

    Returns:
        As `inspect_tflite` does.

    Raises:
        ValueError: Where it is damaged.
        OSError: Where the system refuses.
    """
    from ai_edge_litert import schema_py_generated as schema

    with open(path, "rb") as file:
        content = file.read()
    try:
        model = schema.Model.GetRootAs(content, 0)
        return {"bytes": len(content), "signatures": _signatures(model, schema), **_ops(model, schema)}
    # The flatbuffer reader follows offsets without checking them, so an altered file makes it raise anything.
    except (struct.error, TypeError, ValueError, IndexError, KeyError, AttributeError, OverflowError) as error:
        raise ValueError(f"{path}: a damaged TFLite file ({tflite_file.told(error)}).") from error


def _ops(model, schema):
    builtin_names = _constant_names(schema.BuiltinOperator)
    codes = [model.OperatorCodes(i) for i in range(model.OperatorCodesLength())]
    ops, custom_ops, seeded = set(), set(), set()
    for subgraph in (model.Subgraphs(i) for i in range(model.SubgraphsLength())):
        for operator in (subgraph.Operators(i) for i in range(subgraph.OperatorsLength())):
            code = codes[operator.OpcodeIndex()]
            # Old writers know only the deprecated field, an int8; new ones put 127 there for what does not fit.
            builtin = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
            if builtin == schema.BuiltinOperator.CUSTOM:
                custom_ops.add(code.CustomCode().decode())
                continue
            ops.add(builtin_names[builtin])
            if operator.BuiltinOptionsType() == schema.BuiltinOptions.RandomOptions:
                options = schema.RandomOptions()
                table = operator.BuiltinOptions()
                options.Init(table.Bytes, table.Pos)
                if options.Seed() or options.Seed2():
                    seeded.add(builtin_names[builtin])
    return {"ops": sorted(ops), "custom_ops": sorted(custom_ops), "seeded_random_ops": sorted(seeded)}


def _signatures(model, schema):
    dtype_names = {value: name.lower() for value, name in _constant_names(schema.TensorType).items()}

    def tensors(subgraph, length, get):
        found = {}
        for item in (get(i) for i in range(length)):
            tensor = subgraph.Tensors(item.TensorIndex())
            shape = tensor.ShapeSignature if tensor.ShapeSignatureLength() else tensor.Shape
            found[item.Name().decode()] = {
                "shape": [int(shape(axis)) for axis in range(tensor.ShapeLength())],
                "dtype": dtype_names[tensor.Type()],
            }
        return dict(sorted(found.items()))

    signatures = {}
    for definition in (model.SignatureDefs(i) for i in range(model.SignatureDefsLength())):
        subgraph = model.Subgraphs(definition.SubgraphIndex())
        signatures[definition.SignatureKey().decode()] = {
            "inputs": tensors(subgraph, definition.InputsLength(), definition.Inputs),
            "outputs": tensors(subgraph, definition.OutputsLength(), definition.Outputs),
        }
    return dict(sorted(signatures.items()))


def _constant_names(enumeration):
    return {value: name for name, value in vars(enumeration).items() if isinstance(value, int)}
