# What the folder offers, for editors and type checkers: `./run docs` writes this file anew.

from toolkit.files import archives as archives
from toolkit.files import arrays as arrays
from toolkit.files import binary as binary
from toolkit.files import granted as granted
from toolkit.files import hdf5 as hdf5
from toolkit.files import limits as limits
from toolkit.files import names as names
from toolkit.files import object_arrays as object_arrays
from toolkit.files import spooling as spooling
from toolkit.files import text as text
from toolkit.files import writing as writing
from toolkit.files import xml_elements as xml_elements
from toolkit.files.archives import Zip as Zip
from toolkit.files.arrays import Arrays as Arrays
from toolkit.files.hdf5 import Hdf5 as Hdf5
from toolkit.files.spooling import Spooled as Spooled
