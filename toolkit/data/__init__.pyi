# What the folder offers, for editors and type checkers: `./run docs` writes this file anew.

from toolkit.data import audio as audio
from toolkit.data import codes as codes
from toolkit.data import contents as contents
from toolkit.data import draws as draws
from toolkit.data import factors as factors
from toolkit.data import images as images
from toolkit.data import masks as masks
from toolkit.data import pipelines as pipelines
from toolkit.data import plans as plans
from toolkit.data import report as report
from toolkit.data import scenes as scenes
from toolkit.data import service as service
from toolkit.data import sources as sources
from toolkit.data import splitting as splitting
from toolkit.data import strokes as strokes
from toolkit.data import text as text
from toolkit.data import tfds as tfds
from toolkit.data import threads as threads
from toolkit.data import videos as videos
from toolkit.data.codes import Codes as Codes
from toolkit.data.pipelines import Batches as Batches
from toolkit.data.pipelines import Splits as Splits
from toolkit.data.report import Report as Report
from toolkit.data.service import Server as Server
from toolkit.data.tfds import DataSet as DataSet
from toolkit.data.threads import Reads as Reads
