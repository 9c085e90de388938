# What the folder offers, for editors and type checkers: `./run docs` writes this file anew.

from toolkit.data.characters import episodes as episodes
from toolkit.data.characters import glyphs as glyphs
from toolkit.data.characters import loading as loading
from toolkit.data.characters import omniglot as omniglot
from toolkit.data.characters import readers as readers
from toolkit.data.characters import report as report
from toolkit.data.characters.episodes import Episodes as Episodes
from toolkit.data.characters.loading import CharacterParts as CharacterParts
from toolkit.data.characters.loading import Characters as Characters
from toolkit.data.characters.loading import load as load
from toolkit.data.characters.report import Findings as Findings
