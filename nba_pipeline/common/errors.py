"""Errors of the pipeline: each says what is wrong, where, and what to do about it."""


class PipelineError(Exception):
    """Base of every named error. `remedy` is the sentence that tells the reader what to do next."""

    def __init__(self, what: str, remedy: str = "") -> None:
        self.what = what
        self.remedy = remedy
        super().__init__(f"{what}\n  What to do: {remedy}" if remedy else what)


class ConfigurationError(PipelineError):
    """An environment variable or a command-line argument has a value that cannot work."""


class ContractError(PipelineError):
    """A table's declaration, or what is built for it, contradicts its contract."""


class SourceError(PipelineError):
    """Raw data cannot be read at all: directory, file, format or columns."""


class MissingHistoryError(PipelineError):
    """Days that a computation needs were never published, or were refused."""


class ExportError(PipelineError):
    """A file for other tools could not be written; an earlier one is untouched."""


class WarehouseError(PipelineError):
    """The warehouse refused or failed an operation; what was published before is untouched."""


class WarehouseBusyError(WarehouseError):
    """Another process holds the warehouse for longer than the bounded wait."""


class ArtifactError(PipelineError):
    """A stored file (model, report, export) is missing, altered, or cannot be stored."""


class ModelError(PipelineError):
    """A trained model is missing, cannot be read, or was made for something else than what is asked of it."""


class AlertError(PipelineError):
    """A channel for alerts did not take a message."""
