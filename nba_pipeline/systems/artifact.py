"""The file of a trained system: JSON whose head states its purpose, checked before anything is read from it."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from importlib import metadata
from typing import Any

from nba_pipeline.common.errors import ModelError


def retrain(trained_on: date) -> str:
    """Return the command that trains the models of a training day again."""
    return f"train the month again: nba-pipeline backfill {trained_on} {trained_on} --select prediction_models"


@cache
def installed(library: str) -> str:
    """Return the version of a library here, which is looked for on the disk once a process."""
    return metadata.version(library)


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


def decode(
    data: bytes, system_id: str, version: str, market: str, features: Sequence[str], trained_on: date
) -> dict[str, Any]:
    """Return the body of an artifact.

    Args:
        data: The bytes of the artifact.
        system_id: The system that it must be of.
        version: The version of the system.
        market: The market that it must be trained for.
        features: The features that the system reads.
        trained_on: The training day of the month, for the remedy.

    Raises:
        ModelError: It is no artifact, or one of another system, version, market, feature list or major version of a
            library; names what differs.
    """
    try:
        stored = json.loads(data)
        found = {k: stored[k] for k in ("system", "version", "market", "features", "libraries", "body")}
    except (ValueError, KeyError, TypeError) as problem:
        raise ModelError(
            f"the model of {system_id} for {market} cannot be read: {problem!r}", retrain(trained_on)
        ) from problem
    wanted = {"system": system_id, "version": version, "market": market}
    for what, expected in wanted.items():
        if found[what] != expected:
            raise ModelError(
                f"the model of {system_id} for {market} has {what} {found[what]}, not {expected}", retrain(trained_on)
            )
    if found["features"] != list(features):
        strange = ", ".join(sorted(set(found["features"]) ^ set(features))) or "another order"
        raise ModelError(
            f"the model of {system_id} for {market} reads other features than this version: {strange}",
            retrain(trained_on),
        )
    for name, trained_with in found["libraries"].items():
        here = installed(name)
        if trained_with.split(".")[0] != here.split(".")[0]:
            raise ModelError(
                f"the model of {system_id} for {market} was trained with {name} {trained_with}, here is {here}",
                f"install {name} {trained_with}, or {retrain(trained_on)}",
            )
    return found["body"]
