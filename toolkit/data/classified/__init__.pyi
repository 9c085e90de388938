# What the folder offers, for editors and type checkers: `./run docs` writes this file anew.

from toolkit.data.classified import bag_of_words as bag_of_words
from toolkit.data.classified import loading as loading
from toolkit.data.classified import mail as mail
from toolkit.data.classified import patients as patients
from toolkit.data.classified import readers as readers
from toolkit.data.classified import report as report
from toolkit.data.classified.loading import Classified as Classified
from toolkit.data.classified.loading import load as load
from toolkit.data.classified.readers import Found as Found
from toolkit.data.classified.report import Findings as Findings
