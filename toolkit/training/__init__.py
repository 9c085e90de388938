"""How a recipe's run is kept: checkpoints, resume, TensorBoard, progress, export."""

from toolkit.training.phases import main
from toolkit.training.run import Run

__all__ = ["Run", "main"]
