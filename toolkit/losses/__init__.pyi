# What the folder offers, for editors and type checkers: `./run docs` writes this file anew.

from toolkit.losses import margin as margin
from toolkit.losses import margin_loss as margin_loss
from toolkit.losses import margin_overview as margin_overview
from toolkit.losses import negative_log_likelihood as negative_log_likelihood
from toolkit.losses import pixel_cross_entropy as pixel_cross_entropy
from toolkit.losses import precomputed as precomputed
from toolkit.losses import soft_label_loss as soft_label_loss
from toolkit.losses.margin import DWDMargin as DWDMargin
from toolkit.losses.margin import Exp as Exp
from toolkit.losses.margin import L1Hinge as L1Hinge
from toolkit.losses.margin import L2Hinge as L2Hinge
from toolkit.losses.margin import L2Margin as L2Margin
from toolkit.losses.margin import LogitMargin as LogitMargin
from toolkit.losses.margin import ModifiedHuber as ModifiedHuber
from toolkit.losses.margin import Perceptron as Perceptron
from toolkit.losses.margin import Sigmoid as Sigmoid
from toolkit.losses.margin import SmoothedL1Hinge as SmoothedL1Hinge
from toolkit.losses.margin import ZeroOne as ZeroOne
from toolkit.losses.margin_loss import MarginLoss as MarginLoss
from toolkit.losses.margin_loss import Properties as Properties
from toolkit.losses.negative_log_likelihood import NegativeLogLikelihood as NegativeLogLikelihood
from toolkit.losses.pixel_cross_entropy import PixelCrossEntropy as PixelCrossEntropy
from toolkit.losses.precomputed import Precomputed as Precomputed
from toolkit.losses.soft_label_loss import SoftLabelLoss as SoftLabelLoss
