"""Refusals: every way in which ecgviz says no, in one sentence a user can act on.

The command line turns an `EcgvizError` into one line and exit code 2, a page into a sentence. Anything else
that escapes is a fault of ours.
"""


def said_by(fault: Exception) -> str:
    """Return in one line what another package's code raised: its kind and its words."""
    return " ".join(f"{type(fault).__name__}: {fault}".split())


class EcgvizError(ValueError):
    """Base of all refusals; its text names what was given, and the likely mistake."""


class RecordError(EcgvizError):
    """A recording cannot be read, or cannot be trusted as it is."""


class ModelError(EcgvizError):
    """A model folder is missing, altered, incomplete, or does not fit what is asked of it."""


class InputError(EcgvizError):
    """A record does not meet what a network needs (leads, length, missing samples, age or sex)."""


class ExplanationError(EcgvizError):
    """A method is unknown, does not apply to this network, or failed its own check."""


class CriteriaError(EcgvizError):
    """A criterion is unknown, or an entry of the catalogue is malformed."""


class EditError(EcgvizError):
    """A mark cannot stand where a reader puts it, or marks do not belong to the recording."""


class CaseError(EcgvizError):
    """A case folder cannot be written or read back."""


class SimulationError(EcgvizError):
    """A finding cannot be simulated as asked."""


class ReviewError(EcgvizError):
    """A study, an answer or a mark cannot be taken as it is, or a store of answers is not what it claims to be."""


class TeachingError(EcgvizError):
    """A lesson, a case or a learner's history cannot be used as given."""


class CohortError(EcgvizError):
    """A cohort cannot be run as asked, or a store or a query on it is not what it claims to be."""


class AccessError(EcgvizError):
    """The dashboard would be open to people who have not logged in."""
