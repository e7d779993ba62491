"""Why a patch that is well-formed can not be applied."""

from __future__ import annotations

from jubako.errors import FailedPrecondition


class Unprocessable(FailedPrecondition):
    """The document is not as the patch needs it: a path that is not there, a test that fails. 422 in Kubernetes."""
