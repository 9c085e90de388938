# What the folder offers, for editors and type checkers: `./run docs` writes this file anew.

from toolkit.data.text import corpus as corpus
from toolkit.data.text import files as files
from toolkit.data.text import readers as readers
from toolkit.data.text import report as report
from toolkit.data.text import streaming as streaming
from toolkit.data.text import vocabulary as vocabulary
from toolkit.data.text import words as words
from toolkit.data.text.corpus import Corpus as Corpus
from toolkit.data.text.corpus import load as load
from toolkit.data.text.files import Part as Part
from toolkit.data.text.report import Findings as Findings
from toolkit.data.text.vocabulary import Vocabulary as Vocabulary
