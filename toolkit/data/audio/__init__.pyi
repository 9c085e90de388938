# What the folder offers, for editors and type checkers: `./run docs` writes this file anew.

from toolkit.data.audio import files as files
from toolkit.data.audio import spectrograms as spectrograms
