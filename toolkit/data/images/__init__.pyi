# What the folder offers, for editors and type checkers: `./run docs` writes this file anew.

from toolkit.data.images import augmentation as augmentation
from toolkit.data.images import copies as copies
from toolkit.data.images import files as files
from toolkit.data.images import folders as folders
from toolkit.data.images import idx as idx
from toolkit.data.images import labelled as labelled
from toolkit.data.images import mixing as mixing
from toolkit.data.images import readers as readers
from toolkit.data.images import report as report
from toolkit.data.images import statistics as statistics
from toolkit.data.images import store as store
from toolkit.data.images.augmentation import Augmentation as Augmentation
from toolkit.data.images.files import read as read
from toolkit.data.images.files import read_named as read_named
from toolkit.data.images.folders import Labelled as Labelled
from toolkit.data.images.folders import Tree as Tree
from toolkit.data.images.labelled import Images as Images
from toolkit.data.images.labelled import Part as Part
from toolkit.data.images.labelled import load as load
from toolkit.data.images.mixing import Mixing as Mixing
from toolkit.data.images.readers import Found as Found
from toolkit.data.images.report import Findings as Findings
from toolkit.data.images.report import examine as examine
from toolkit.data.images.store import Store as Store
