"""What morphology looks at around a pixel.

Owns:   `full_kernel`.
Needs:  numpy.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


@lru_cache(maxsize=512)
def full_kernel(h: int, w: int) -> NDArray[np.uint8]:
    """uint8 (h, w) of ones; made once and not to be written into."""
    kernel = np.ones((h, w), np.uint8)
    kernel.setflags(write=False)
    return kernel
