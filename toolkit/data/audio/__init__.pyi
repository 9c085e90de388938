# What the folder offers, for editors and type checkers: `./run docs` writes this file anew.

from toolkit.data.audio import alignments as alignments
from toolkit.data.audio import clips as clips
from toolkit.data.audio import files as files
from toolkit.data.audio import formants as formants
from toolkit.data.audio import phonemes as phonemes
from toolkit.data.audio import readers as readers
from toolkit.data.audio import report as report
from toolkit.data.audio import resampling as resampling
from toolkit.data.audio import spectrograms as spectrograms
from toolkit.data.audio import speech as speech
from toolkit.data.audio import trimming as trimming
from toolkit.data.audio import windows as windows
from toolkit.data.audio.alignments import Segments as Segments
from toolkit.data.audio.clips import Clip as Clip
from toolkit.data.audio.files import Header as Header
from toolkit.data.audio.formants import Speaker as Speaker
from toolkit.data.audio.formants import Utterance as Utterance
from toolkit.data.audio.formants import speak as speak
from toolkit.data.audio.phonemes import Phoneme as Phoneme
from toolkit.data.audio.readers import Found as Found
from toolkit.data.audio.report import Findings as Findings
from toolkit.data.audio.resampling import Resampler as Resampler
from toolkit.data.audio.speech import Example as Example
from toolkit.data.audio.speech import Speech as Speech
from toolkit.data.audio.speech import load as load
