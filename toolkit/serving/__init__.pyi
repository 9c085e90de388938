# What the folder offers, for editors and type checkers: `./run docs` writes this file anew.

from toolkit.serving import code_maps as code_maps
from toolkit.serving import encoded_images as encoded_images
from toolkit.serving import film_prediction as film_prediction
from toolkit.serving import image_classifier as image_classifier
from toolkit.serving import image_codes as image_codes
from toolkit.serving import image_latents as image_latents
from toolkit.serving import influence_classifier as influence_classifier
from toolkit.serving import invented_speech as invented_speech
from toolkit.serving import language_model as language_model
from toolkit.serving import regressor as regressor
from toolkit.serving import remembering_classifier as remembering_classifier
from toolkit.serving import segmenter as segmenter
from toolkit.serving import served as served
from toolkit.serving import sound_codes as sound_codes
from toolkit.serving import speech_file as speech_file
from toolkit.serving import strokes_file as strokes_file
from toolkit.serving import strokes_reader as strokes_reader
from toolkit.serving import strokes_writer as strokes_writer
from toolkit.serving import translator as translator
from toolkit.serving import wavenet as wavenet
from toolkit.serving import wavenet_recognizer as wavenet_recognizer
from toolkit.serving.language_model import TextWriter as TextWriter
from toolkit.serving.served import Served as Served
from toolkit.serving.speech_file import SpeechFile as SpeechFile
from toolkit.serving.strokes_file import StrokesFile as StrokesFile
