# What the folder offers, for editors and type checkers: `./run docs` writes this file anew.

from toolkit.distributions import bernoulli as bernoulli
from toolkit.distributions import categorical as categorical
from toolkit.distributions import diagonal_gaussian as diagonal_gaussian
from toolkit.distributions import events as events
from toolkit.distributions import gaussian_mixture as gaussian_mixture
from toolkit.distributions import logistic_mixture as logistic_mixture
from toolkit.distributions.bernoulli import Bernoulli as Bernoulli
from toolkit.distributions.categorical import Categorical as Categorical
from toolkit.distributions.diagonal_gaussian import DiagonalGaussian as DiagonalGaussian
from toolkit.distributions.gaussian_mixture import Components as Components
from toolkit.distributions.gaussian_mixture import GaussianMixture as GaussianMixture
from toolkit.distributions.logistic_mixture import LogisticMixture as LogisticMixture
