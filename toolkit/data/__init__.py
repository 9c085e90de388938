"""tf.data sources, one domain a file; knows no model."""

from toolkit.lazy import attach

__getattr__, __dir__ = attach(__name__, __path__)
