# What the folder offers, for editors and type checkers: `./run docs` writes this file anew.

from toolkit.generation import audio as audio
from toolkit.generation import beam_search as beam_search
from toolkit.generation import ctc_decoding as ctc_decoding
from toolkit.generation import drawing as drawing
from toolkit.generation import line_reading as line_reading
from toolkit.generation import loop as loop
from toolkit.generation import past_text as past_text
from toolkit.generation import priming as priming
from toolkit.generation import sample_queues as sample_queues
from toolkit.generation import speaking as speaking
from toolkit.generation import strokes as strokes
from toolkit.generation import text as text
from toolkit.generation.audio import SoundGenerator as SoundGenerator
from toolkit.generation.beam_search import Found as Found
from toolkit.generation.loop import Generated as Generated
from toolkit.generation.sample_queues import Prepared as Prepared
from toolkit.generation.sample_queues import SampleQueues as SampleQueues
from toolkit.generation.speaking import Asked as Asked
from toolkit.generation.strokes import Writer as Writer
from toolkit.generation.strokes import Written as Written
from toolkit.generation.text import Generator as Generator
