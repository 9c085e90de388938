"""One file a system. `python -m recipes` lists them."""
