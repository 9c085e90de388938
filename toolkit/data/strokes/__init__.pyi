# What the folder offers, for editors and type checkers: `./run docs` writes this file anew.

from toolkit.data.strokes import arrays as arrays
from toolkit.data.strokes import embedded_writers as embedded_writers
from toolkit.data.strokes import files as files
from toolkit.data.strokes import iam_ondb as iam_ondb
from toolkit.data.strokes import lines as lines
from toolkit.data.strokes import loading as loading
from toolkit.data.strokes import omniglot as omniglot
from toolkit.data.strokes import report as report
from toolkit.data.strokes import resampling as resampling
from toolkit.data.strokes import selection as selection
from toolkit.data.strokes.embedded_writers import Writer as Writer
from toolkit.data.strokes.files import read_file as read_file
from toolkit.data.strokes.files import write_file as write_file
from toolkit.data.strokes.lines import Line as Line
from toolkit.data.strokes.lines import check_offsets as check_offsets
from toolkit.data.strokes.lines import from_strokes as from_strokes
from toolkit.data.strokes.lines import to_strokes as to_strokes
from toolkit.data.strokes.loading import Statistics as Statistics
from toolkit.data.strokes.loading import lines_of as lines_of
from toolkit.data.strokes.loading import load as load
from toolkit.data.strokes.loading import read as read
from toolkit.data.strokes.loading import statistics as statistics
from toolkit.data.strokes.report import Findings as Findings
from toolkit.data.strokes.report import examine as examine
from toolkit.data.strokes.selection import Selection as Selection
from toolkit.data.strokes.selection import longest_line as longest_line
