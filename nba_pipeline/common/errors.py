"""Named errors of the pipeline: each states what is wrong, where, and how to fix it."""

from typing import ClassVar


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message that has words; the name of its class without one."""
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)


class PipelineError(Exception):
    """Base of every named error.

    Attributes:
        what: What is wrong and where.
        remedy: How to fix it; shown after `Fix:`.
        transient: Whether the same operation may succeed later without a change by the user. A class sets the default of its
            errors; `raise ...(transient=...)` overrides it for one error.
    """

    transient_by_default: ClassVar[bool] = False

    def __init__(self, what: str, remedy: str = "", *, transient: bool | None = None) -> None:
        self.what = what
        self.remedy = remedy
        self.transient = self.transient_by_default if transient is None else transient
        super().__init__(f"{what}\n  Fix: {remedy}" if remedy else what)


class ConfigurationError(PipelineError):
    """An environment variable or a command-line argument has an invalid value."""


class ContractError(PipelineError):
    """A table's declaration or its build contradicts the contract."""


class SourceError(PipelineError):
    """Raw data cannot be read: directory, file, format or columns."""


class MissingHistoryError(PipelineError):
    """Days that a computation needs were never published, or were refused."""


class ExportError(PipelineError):
    """An export file could not be written; an earlier file is unchanged."""


class WarehouseError(PipelineError):
    """The warehouse refused or failed an operation; published data is unchanged."""


class WarehouseBusyError(WarehouseError):
    """Another process has held the warehouse for longer than the lock timeout."""

    transient_by_default = True


class ArtifactError(PipelineError):
    """A stored file (model, report, export) is missing, altered or cannot be stored."""


class StateBusyError(PipelineError):
    """Other processes changed a shared state again and again; it is as they left it."""

    transient_by_default = True


class ModelError(PipelineError):
    """A trained model is missing, unreadable or of another kind than requested."""


class AlertError(PipelineError):
    """A channel for alerts rejected a message."""
