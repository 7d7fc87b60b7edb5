"""The file of a trained system: JSON whose head states its purpose, checked before anything is read from it."""

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version as installed
from typing import Any

from nba_pipeline.common.errors import ModelError

RETRAIN = "train the month again: nba-pipeline backfill FIRST-OF-MONTH FIRST-OF-MONTH --select prediction_models"


def installed_versions(libraries: Sequence[str]) -> dict[str, str]:
    """The version of each library here."""
    return {name: installed(name) for name in libraries}


def encode(
    system_id: str,
    version: str,
    market: str,
    features: Sequence[str],
    libraries: Sequence[str],
    body: Mapping[str, Any],
) -> bytes:
    """The bytes of an artifact; equal contents give equal bytes."""
    head = {
        "system": system_id,
        "version": version,
        "market": market,
        "features": list(features),
        "libraries": installed_versions(libraries),
    }
    return json.dumps({**head, "body": body}, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def decode(data: bytes, system_id: str, version: str, market: str, features: Sequence[str]) -> dict[str, Any]:
    """The body of an artifact.

    Raises ModelError, naming what differs, where it is no artifact, or one of another system, version, market, feature list or
    major version of a library.
    """
    try:
        stored = json.loads(data)
        found = {k: stored[k] for k in ("system", "version", "market", "features", "libraries", "body")}
    except (ValueError, KeyError, TypeError) as problem:
        raise ModelError(f"the model of {system_id} for {market} cannot be read: {problem!r}", RETRAIN) from problem
    wanted = {"system": system_id, "version": version, "market": market}
    for what, expected in wanted.items():
        if found[what] != expected:
            raise ModelError(f"the model of {system_id} for {market} has {what} {found[what]}, not {expected}", RETRAIN)
    if found["features"] != list(features):
        strange = ", ".join(sorted(set(found["features"]) ^ set(features))) or "another order"
        raise ModelError(
            f"the model of {system_id} for {market} reads other features than this version: {strange}", RETRAIN
        )
    for name, trained_with in found["libraries"].items():
        here = installed(name)
        if trained_with.split(".")[0] != here.split(".")[0]:
            raise ModelError(
                f"the model of {system_id} for {market} was trained with {name} {trained_with}, here is {here}",
                f"install {name} {trained_with}, or {RETRAIN}",
            )
    return found["body"]
