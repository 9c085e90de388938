# What the folder offers, for editors and type checkers: `./run docs` writes this file anew.

from toolkit import data as data
from toolkit import distributions as distributions
from toolkit import doctor as doctor
from toolkit import export as export
from toolkit import files as files
from toolkit import fused as fused
from toolkit import generation as generation
from toolkit import keras_settings as keras_settings
from toolkit import layers as layers
from toolkit import lazy as lazy
from toolkit import losses as losses
from toolkit import methods as methods
from toolkit import metrics as metrics
from toolkit import models as models
from toolkit import replicas as replicas
from toolkit import serving as serving
from toolkit import settings as settings
from toolkit import silence as silence
from toolkit import terminal as terminal
from toolkit import training as training
from toolkit import visualize as visualize

__version__: str
