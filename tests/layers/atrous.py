"""The atrous convolution in NumPy."""

import numpy as np


def atrous(x, kernel, rate):
    """Tap by tap: y[i, j] = sum over k, l of x[i + rate (k - 1), j + rate (l - 1)] w[k, l]; zeros outside."""
    margin = rate * (kernel.shape[0] // 2)
    padded = np.pad(x, ((0, 0), (margin, margin), (margin, margin), (0, 0)))
    height, width = x.shape[1:3]
    return sum(
        padded[:, rate * k : rate * k + height, rate * m : rate * m + width] @ kernel[k, m]
        for k in range(kernel.shape[0])
        for m in range(kernel.shape[1])
    )
