"""Settings of autoencoders that train in seconds."""

TINY = {
    "data": "embedded:200",
    "units": 8,
    "residual_units": 8,
    "num_residual_blocks": 1,
    "num_embeddings": 16,
    "embedding_dim": 4,
    "epochs": 1,
    "max_measured": 3,
    "num_samples": 3,
}
