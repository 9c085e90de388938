# What the folder offers, for editors and type checkers: `./run docs` writes this file anew.

from toolkit.visualize import audio as audio
from toolkit.visualize import board as board
from toolkit.visualize import charts as charts
from toolkit.visualize import classification as classification
from toolkit.visualize import codes as codes
from toolkit.visualize import images as images
from toolkit.visualize import influence as influence
from toolkit.visualize import lettering as lettering
from toolkit.visualize import margin_losses as margin_losses
from toolkit.visualize import recall as recall
from toolkit.visualize import regions as regions
from toolkit.visualize import regression as regression
from toolkit.visualize import segmentation as segmentation
from toolkit.visualize import similarities as similarities
from toolkit.visualize import speech_report as speech_report
from toolkit.visualize import stroke_report as stroke_report
from toolkit.visualize import strokes as strokes
from toolkit.visualize import text as text
from toolkit.visualize import text_report as text_report
from toolkit.visualize import video_report as video_report
from toolkit.visualize import videos as videos
from toolkit.visualize.board import Board as Board
