"""What a server refuses, and all that goes wrong on the way there, in kubectl's words.

Spec: k8s.io/kubectl/pkg/cmd/util (the messages); API conventions, "Response Status Kind".
"""

from __future__ import annotations

from collections.abc import Sequence

from jubako.cluster.types.document import Object, array, at, integer, mapping, objects, text
from jubako.errors import JubakoError


class Refused(JubakoError):
    """The server's answer is a Status that says no; `doing` is what was tried with which file, where there was one."""

    def __init__(self, status: Object, doing: str = "") -> None:
        super().__init__(doing + text(status.get("message")))
        self.status = status

    @property
    def code(self) -> int:
        return integer(self.status.get("code"))

    @property
    def reason(self) -> str:
        return text(self.status.get("reason"))

    def while_doing(self, verb: str, source: str) -> Refused:
        """Return the same with the file that it was about."""
        return Refused(self.status, f'error when {verb} "{source}": ')

    def with_message(self, message: str) -> Refused:
        """Return the same refusal, told otherwise."""
        return Refused({**self.status, "message": message})


class Said(JubakoError):
    """A failure whose message already is what is to be printed."""


class Several(JubakoError):
    """More than one thing went wrong."""

    def __init__(self, errors: Sequence[JubakoError]) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = errors


def raise_all(errors: Sequence[JubakoError]) -> None:
    """Raise what went wrong, if anything did."""
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise Several(errors)


def words(error: JubakoError) -> str:
    """Return what is said of a failure, without the last line's end."""
    if isinstance(error, Several):
        return "\n".join(_standard(each) or each.message for each in error.errors)
    if isinstance(error, Refused) and error.reason == "Invalid":
        return _invalid(error.status)
    if said := _standard(error):
        return said
    message = error.message if error.message.startswith("error: ") else f"error: {error.message}"
    return f"{message}\n{error.hint}" if error.hint else message


def _standard(error: JubakoError) -> str:
    if isinstance(error, Said):
        return error.message
    if not isinstance(error, Refused):
        return ""
    if error.reason == "Unauthorized":
        return f"error: You must be logged in to the server ({error.message})"
    return (
        f"Error from server ({error.reason}): {error.message}"
        if error.reason
        else f"Error from server: {error.message}"
    )


def _invalid(status: Object) -> str:
    details, message = mapping(status.get("details")), text(status.get("message"))
    kind, name = text(details.get("kind")), text(details.get("name"))
    causes = [f"{text(each.get('field'))}: {text(each.get('message'))}" for each in objects(details.get("causes"))]
    said = f'The {kind} "{name}" is invalid' if kind or name else "The request is invalid"
    if not details or not (kind or name or causes):
        return f"{said}: {message}" if message else said
    if len(causes) == 1:
        return f"{said}: {causes[0]}"
    return "\n".join([f"{said}: ", *(f"* {cause}" for cause in dict.fromkeys(causes))]) if causes else said


def is_status(document: Object) -> bool:
    return document.get("kind") == "Status" and document.get("apiVersion") == "v1"


def causes(error: Refused) -> list[Object]:
    return [mapping(each) for each in array(at(error.status, "details", "causes"))]
