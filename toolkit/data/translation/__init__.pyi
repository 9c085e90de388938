# What the folder offers, for editors and type checkers: `./run docs` writes this file anew.

from toolkit.data.translation import embedded as embedded
from toolkit.data.translation import loading as loading
from toolkit.data.translation import readers as readers
from toolkit.data.translation import report as report
from toolkit.data.translation.embedded import Pair as Pair
from toolkit.data.translation.loading import Translation as Translation
from toolkit.data.translation.loading import load as load
from toolkit.data.translation.report import Findings as Findings
