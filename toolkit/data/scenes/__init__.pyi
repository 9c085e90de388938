# What the folder offers, for editors and type checkers: `./run docs` writes this file anew.

from toolkit.data.scenes import generator as generator
from toolkit.data.scenes import scene as scene
from toolkit.data.scenes import shapes as shapes
from toolkit.data.scenes import textures as textures
from toolkit.data.scenes.generator import Generator as Generator
from toolkit.data.scenes.scene import Object as Object
from toolkit.data.scenes.scene import Scene as Scene
