"""SavedModel and TFLite with named signatures, compared with the model they came from, and a card with the result."""

from toolkit.lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    __path__,
    functions=(
        "convert_to_tflite",
        "inspect_tflite",
        "quantize_to_int8",
        "run_tflite",
        "save_traced",
        "saved_model_caller",
        "signature",
        "tflite_caller",
        "trace",
        "write",
    ),
)
