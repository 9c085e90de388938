# What the folder offers, for editors and type checkers: `./run docs` writes this file anew.

from toolkit.methods import dynamic_evaluation as dynamic_evaluation
from toolkit.methods import grad_cam as grad_cam
