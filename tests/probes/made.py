"""Pairs and vectors whose truth is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from snellen.probes import ProbePair

Vectors = dict[str, NDArray[np.float32]]


def made(n: int, d: int, *, classes: int = 2, strength: float = 0.0, seed: int = 0) -> tuple[list[ProbePair], Vectors]:
    """Draw pairs of two classes each, by lot; an image's vector is `strength` times its class's axis, plus noise."""
    rng = np.random.Generator(np.random.PCG64(seed))
    pairs, vectors = [], {}
    for number in range(n):
        a, b = (int(which) for which in rng.choice(classes, 2, replace=False))
        answer = int(rng.integers(2))
        options = (f"class {a}", f"class {b}") if answer == 0 else (f"class {b}", f"class {a}")
        pairs.append(ProbePair(f"p{number:03}", f"a{number}", f"b{number}", options, answer, question="Which?"))
        for image, which in ((f"a{number}", a), (f"b{number}", b)):
            vectors[image] = (strength * np.eye(classes, d)[which] + rng.normal(size=d)).astype(np.float32)
    return pairs, vectors
