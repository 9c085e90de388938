# What the folder offers, for editors and type checkers: `./run docs` writes this file anew.

from toolkit.models import alexnet as alexnet
from toolkit.models import code_conditions as code_conditions
from toolkit.models import code_levels as code_levels
from toolkit.models import deeplab as deeplab
from toolkit.models import googlenet as googlenet
from toolkit.models import handwriting as handwriting
from toolkit.models import handwriting_recognition as handwriting_recognition
from toolkit.models import image_blocks as image_blocks
from toolkit.models import image_classifier as image_classifier
from toolkit.models import inception as inception
from toolkit.models import inception_v4 as inception_v4
from toolkit.models import pixelcnn as pixelcnn
from toolkit.models import pixelsnail as pixelsnail
from toolkit.models import pretrained as pretrained
from toolkit.models import resnet as resnet
from toolkit.models import speech_classifier as speech_classifier
from toolkit.models import text_rnn as text_rnn
from toolkit.models import vgg as vgg
from toolkit.models import vqvae as vqvae
from toolkit.models import vqvae2 as vqvae2
from toolkit.models import vqvae_sound as vqvae_sound
from toolkit.models import wavenet as wavenet
from toolkit.models import weight_noise as weight_noise
from toolkit.models.handwriting import Density as Density
from toolkit.models.image_blocks import Convolution as Convolution
from toolkit.models.image_blocks import Resolution as Resolution
