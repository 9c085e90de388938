"""Runs pytest on the file that a Bazel test names; BUILD gives every test this as its main."""

import sys

import pytest

# Bazel's folder of inputs is not ours to write a cache into.
sys.exit(pytest.main(["-p", "no:cacheprovider", *sys.argv[1:]]))
