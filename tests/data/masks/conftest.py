import pytest

from toolkit.data.masks import store


@pytest.fixture(params=["in memory", "streamed"])
def kept(request, monkeypatch):
    """Whether the pixels fit into memory, which must not matter."""
    if request.param == "streamed":
        monkeypatch.setattr(store, "MEMORY", 0)
    return request.param
