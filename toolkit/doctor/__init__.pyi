# What the folder offers, for editors and type checkers: `./run docs` writes this file anew.

from toolkit.doctor import finding as finding
from toolkit.doctor import hardware as hardware
from toolkit.doctor import software as software
from toolkit.doctor.finding import Finding as Finding
