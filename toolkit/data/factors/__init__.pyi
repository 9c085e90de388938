# What the folder offers, for editors and type checkers: `./run docs` writes this file anew.

from toolkit.data.factors import dsprites as dsprites
from toolkit.data.factors import factor_images as factor_images
from toolkit.data.factors import loading as loading
from toolkit.data.factors import readers as readers
from toolkit.data.factors import report as report
from toolkit.data.factors import shapes3d as shapes3d
from toolkit.data.factors import small_norb as small_norb
from toolkit.data.factors import sprites as sprites
from toolkit.data.factors import variants as variants
from toolkit.data.factors.factor_images import FactorImages as FactorImages
from toolkit.data.factors.loading import Factors as Factors
from toolkit.data.factors.loading import load as load
from toolkit.data.factors.report import Findings as Findings
from toolkit.data.factors.variants import Variant as Variant
