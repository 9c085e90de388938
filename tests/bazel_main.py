"""Runs pytest on the file that a Bazel test names; BUILD gives every test this as its main."""

import os
import sys

# Bazel gives each test a folder to write into, and no home.
os.environ["HOME"] = os.environ["TMPDIR"] = os.environ["TEST_TMPDIR"]

import pytest

# Bazel's folder of inputs is not ours to write a cache into. Targets that are not tagged slow run quick tests only, and
# of some files all are slow.
slow = any(f"tests/{folder}/" in argument for argument in sys.argv[1:] for folder in ("claims", "recipes"))
quick = [] if slow else ["-m", "not slow and not claims"]
code = pytest.main(["-p", "no:cacheprovider", *quick, *sys.argv[1:]])
sys.exit(0 if code == pytest.ExitCode.NO_TESTS_COLLECTED and quick else code)
