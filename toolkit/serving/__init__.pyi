# What the folder offers, for editors and type checkers: `./run docs` writes this file anew.

from toolkit.serving import served as served
from toolkit.serving.served import Served as Served
