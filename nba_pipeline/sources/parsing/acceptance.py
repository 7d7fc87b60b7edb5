"""Select the usable elements of an answer.

An element that cannot be read is set aside by name with its reason; where too many are, the form of the answer has changed
and the whole answer is refused.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from nba_pipeline.sources.parsing.values import PayloadError

T = TypeVar("T")
EXAMPLES = 3


@dataclass(frozen=True)
class SetAside:
    """An element of an answer that is not used: which one, and why."""

    element: str
    reason: str

    def __str__(self) -> str:
        return f"{self.element}: {self.reason}"


@dataclass
class Sieve:
    """Reads the elements of one answer; `set_aside` are those that could not be read, `accepted` counts the others."""

    set_aside: list[SetAside] = field(default_factory=list)
    accepted: int = 0

    def read(self, element: str, parse: Callable[[], T]) -> T | None:
        """Read one element.

        Args:
            element: its name, for the record.
            parse: reads it; raises PayloadError if that is impossible.

        Returns:
            The result of `parse`; None if the element was set aside.
        """
        try:
            value = parse()
        except PayloadError as error:
            self.reject(element, error.what)
            return None
        self.accepted += 1
        return value

    def reject(self, element: str, reason: str) -> None:
        """Set an element aside."""
        self.set_aside.append(SetAside(element, reason))

    def require(self, floor: float, what: str) -> None:
        """Refuse the answer if too few elements could be read.

        Args:
            floor: the fraction of elements that must be usable, 0 to 1.
            what: the elements, in the plural, for the error.

        Raises:
            PayloadError: for an answer below the floor.
        """
        total = self.accepted + len(self.set_aside)
        if self.set_aside and self.accepted < floor * total:
            examples = "; ".join(map(str, self.set_aside[:EXAMPLES]))
            raise PayloadError(
                f"{len(self.set_aside)} of {total} {what} cannot be read, more than {1 - floor:.0%}: {examples}"
            )

    def into(self, record: list[SetAside] | None) -> None:
        """Add the set-aside elements to a record of the caller, if any."""
        if record is not None:
            record += self.set_aside


def accepted(
    elements: Iterable[tuple[str, Callable[[], T]]], floor: float, what: str, record: list[SetAside] | None
) -> list[T]:
    """Read all elements of an answer that can be read.

    Args:
        elements: (name, function that reads it) of every element.
        floor: the fraction of elements that must be usable, 0 to 1.
        what: the elements, in the plural, for the error.
        record: receives the elements that were set aside; None: discard them.

    Returns:
        The values read, in order.

    Raises:
        PayloadError: for an answer below the floor.
    """
    sieve = Sieve()
    values = [sieve.read(name, parse) for name, parse in elements]
    sieve.require(floor, what)
    sieve.into(record)
    return [v for v in values if v is not None]
