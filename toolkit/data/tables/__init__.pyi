# What the folder offers, for editors and type checkers: `./run docs` writes this file anew.

from toolkit.data.tables import embedded as embedded
from toolkit.data.tables import files as files
from toolkit.data.tables import loading as loading
from toolkit.data.tables import readers as readers
from toolkit.data.tables import report as report
from toolkit.data.tables.files import Columns as Columns
from toolkit.data.tables.loading import Split as Split
from toolkit.data.tables.loading import Table as Table
from toolkit.data.tables.loading import load as load
from toolkit.data.tables.report import Findings as Findings
