# What the folder offers, for editors and type checkers: `./run docs` writes this file anew.

from toolkit.metrics import bits as bits
from toolkit.metrics import bracket_closing as bracket_closing
from toolkit.metrics import calibration as calibration
from toolkit.metrics import cell_memory as cell_memory
from toolkit.metrics import character_error_rate as character_error_rate
from toolkit.metrics import classification as classification
from toolkit.metrics import confusion_matrix as confusion_matrix
from toolkit.metrics import frechet_distance as frechet_distance
from toolkit.metrics import handwriting_style as handwriting_style
from toolkit.metrics import line_endings as line_endings
from toolkit.metrics import log_loss as log_loss
from toolkit.metrics import many_to_one_accuracy as many_to_one_accuracy
from toolkit.metrics import mixture_use as mixture_use
from toolkit.metrics import n_gram as n_gram
from toolkit.metrics import one_gaussian as one_gaussian
from toolkit.metrics import segmentation as segmentation
from toolkit.metrics import squared_distance as squared_distance
from toolkit.metrics import top_k_accuracy as top_k_accuracy
from toolkit.metrics import window_alignment as window_alignment
from toolkit.metrics.bits import Bits as Bits
from toolkit.metrics.calibration import Reliability as Reliability
from toolkit.metrics.frechet_distance import FeatureMoments as FeatureMoments
from toolkit.metrics.handwriting_style import Style as Style
from toolkit.metrics.log_loss import LogLoss as LogLoss
from toolkit.metrics.many_to_one_accuracy import ManyToOne as ManyToOne
from toolkit.metrics.squared_distance import SquaredDistance as SquaredDistance
