"""Independent random streams that depend only on the seed and a name, never on call order, process or platform."""

import hashlib

import numpy as np


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """A generator of its own for every (seed, names): adding a stream never shifts the numbers of another one."""
    digest = hashlib.sha256("|".join(map(str, (seed, *names))).encode()).digest()
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(int.from_bytes(digest[:16], "big"))))


def hex_id(*names: str | int) -> str:
    """32 hexadecimal digits from names, for identifiers such as a bookmaker's event id."""
    return hashlib.sha256("|".join(map(str, names)).encode()).hexdigest()[:32]
