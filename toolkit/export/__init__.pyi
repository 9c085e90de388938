# What the folder offers, for editors and type checkers: `./run docs` writes this file anew.

from toolkit.export import card as card
from toolkit.export import inspection as inspection
from toolkit.export import int8 as int8
from toolkit.export import interpreter as interpreter
from toolkit.export import parity as parity
from toolkit.export import saved_model as saved_model
from toolkit.export import signatures as signatures
from toolkit.export import tflite as tflite
from toolkit.export import tflite_file as tflite_file
from toolkit.export import writer as writer
from toolkit.export.inspection import inspect_tflite as inspect_tflite
from toolkit.export.int8 import quantize_to_int8 as quantize_to_int8
from toolkit.export.interpreter import run_tflite as run_tflite
from toolkit.export.interpreter import tflite_caller as tflite_caller
from toolkit.export.parity import ParityError as ParityError
from toolkit.export.saved_model import save_traced as save_traced
from toolkit.export.saved_model import saved_model_caller as saved_model_caller
from toolkit.export.saved_model import trace as trace
from toolkit.export.signatures import Signature as Signature
from toolkit.export.signatures import Tensor as Tensor
from toolkit.export.signatures import signature as signature
from toolkit.export.tflite import ConversionError as ConversionError
from toolkit.export.tflite import convert_to_tflite as convert_to_tflite
from toolkit.export.writer import Report as Report
from toolkit.export.writer import write as write
