"""How a recipe's run is kept: checkpoints, resume, TensorBoard, progress, export."""

from toolkit.lazy import attach

__getattr__, __dir__ = attach(__name__, __path__, functions=("main",))
