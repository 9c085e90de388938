"""Runs pytest on the file that a Bazel test names; BUILD gives every test this as its main."""

import os
import sys

# Bazel gives each test a folder to write into, and no home.
os.environ["HOME"] = os.environ["TMPDIR"] = os.environ["TEST_TMPDIR"]

import pytest

# Bazel's folder of inputs is not ours to write a cache into.
sys.exit(pytest.main(["-p", "no:cacheprovider", *sys.argv[1:]]))
