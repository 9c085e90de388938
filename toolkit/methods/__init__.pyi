# What the folder offers, for editors and type checkers: `./run docs` writes this file anew.

from toolkit.methods import classification as classification
from toolkit.methods import classification_accuracy_score as classification_accuracy_score
from toolkit.methods import code_likelihood as code_likelihood
from toolkit.methods import dynamic_evaluation as dynamic_evaluation
from toolkit.methods import grad_cam as grad_cam
from toolkit.methods import handwriting_inspection as handwriting_inspection
from toolkit.methods import image_codes as image_codes
from toolkit.methods import image_judge as image_judge
from toolkit.methods import segmentation as segmentation
from toolkit.methods import sound_codes as sound_codes
from toolkit.methods import sound_likelihood as sound_likelihood
from toolkit.methods import speech_classification as speech_classification
from toolkit.methods import stroke_likelihood as stroke_likelihood
from toolkit.methods import unit_recognition as unit_recognition
from toolkit.methods import vimco as vimco
from toolkit.methods.handwriting_inspection import Inspection as Inspection
from toolkit.methods.image_judge import ImageJudge as ImageJudge
from toolkit.methods.image_judge import NearestImages as NearestImages
from toolkit.methods.image_judge import Seen as Seen
from toolkit.methods.segmentation import Measured as Measured
from toolkit.methods.speech_classification import Heard as Heard
from toolkit.methods.unit_recognition import Recognized as Recognized
from toolkit.methods.vimco import VIMCO as VIMCO
