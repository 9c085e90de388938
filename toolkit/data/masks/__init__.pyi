# What the folder offers, for editors and type checkers: `./run docs` writes this file anew.

from toolkit.data.masks import augmentation as augmentation
from toolkit.data.masks import files as files
from toolkit.data.masks import folders as folders
from toolkit.data.masks import loading as loading
from toolkit.data.masks import readers as readers
from toolkit.data.masks import report as report
from toolkit.data.masks import store as store
from toolkit.data.masks import voc as voc
from toolkit.data.masks.augmentation import Augmentation as Augmentation
from toolkit.data.masks.files import Arrays as Arrays
from toolkit.data.masks.files import Example as Example
from toolkit.data.masks.files import Pair as Pair
from toolkit.data.masks.folders import Paired as Paired
from toolkit.data.masks.loading import Masks as Masks
from toolkit.data.masks.loading import load as load
from toolkit.data.masks.loading import noise as noise
from toolkit.data.masks.readers import Found as Found
from toolkit.data.masks.report import Findings as Findings
from toolkit.data.masks.report import examine as examine
from toolkit.data.masks.store import Numbering as Numbering
from toolkit.data.masks.store import Store as Store
