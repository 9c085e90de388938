"""How a recipe's run is kept: settings, checkpoints, resume, TensorBoard, progress, export."""

from toolkit.training.phases import main
from toolkit.training.run import Run
from toolkit.training.settings import Settings, setting
from toolkit.training.shipping import ship, shipped

__all__ = ["Run", "Settings", "main", "setting", "ship", "shipped"]
