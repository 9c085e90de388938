"""What the tests of data share: a cache of their own."""

import pytest


@pytest.fixture(autouse=True, scope="session")
def cache(tmp_path_factory):
    """No test reads or writes the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOOLKIT_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
