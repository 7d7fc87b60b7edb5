"""Create random streams that depend only on seed and names, not on call order, process or platform."""

import hashlib

import numpy as np


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """Create the generator of (seed, names); new streams leave the numbers of existing ones unchanged."""
    digest = hashlib.sha256("|".join(map(str, (seed, *names))).encode()).digest()
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(int.from_bytes(digest[:16], "big"))))


def hex_id(*names: str | int) -> str:
    """Hash names to 32 hexadecimal digits, for identifiers such as a bookmaker's event id."""
    return hashlib.sha256("|".join(map(str, names)).encode()).hexdigest()[:32]
