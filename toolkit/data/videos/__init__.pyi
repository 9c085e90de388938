# What the folder offers, for editors and type checkers: `./run docs` writes this file anew.

from toolkit.data.videos import clips as clips
from toolkit.data.videos import loading as loading
from toolkit.data.videos import readers as readers
from toolkit.data.videos import report as report
from toolkit.data.videos import sprites as sprites
from toolkit.data.videos import store as store
from toolkit.data.videos import windows as windows
from toolkit.data.videos.clips import Animation as Animation
from toolkit.data.videos.clips import ArrayClip as ArrayClip
from toolkit.data.videos.clips import Clip as Clip
from toolkit.data.videos.clips import Stills as Stills
from toolkit.data.videos.loading import Videos as Videos
from toolkit.data.videos.loading import load as load
from toolkit.data.videos.readers import Found as Found
from toolkit.data.videos.report import Findings as Findings
from toolkit.data.videos.report import examine as examine
from toolkit.data.videos.sprites import Sprites as Sprites
from toolkit.data.videos.store import Store as Store
