"""Every exception of vettle.

    VettleError
      InvalidArgument        a value that no call accepts
      NotFound               an id that names nothing
        UnknownRule
        UnknownExperiment
        UnknownSession
      Conflict               a call that the present state refuses
        AmbiguousSession
        ClientRefReused
        JudgedAlready
        StatusRefused
        NeedsPerson
      ProjectNotFound        nowhere to keep the data
      ConfigurationInvalid   `.vettle/config.toml` says something unusable
      StoreUnavailable       busy, full or read-only: nothing was recorded, a retry may work
      ClickHouseUnavailable  not installed, not reached, or it took too much: nothing was answered
      GitUnavailable         git is not there, this is no repository, or it has not got the commit
      StoreDamaged           truncated, foreign or newer: refused, never repaired or emptied
      SourceDamaged          a file to import that cannot be read as what it is: nothing was imported
      FilesRefused           a rule file that cannot be written safely
        EditedByHand

Agents read these messages word for word and people read them as one line, so each says what is
wrong, what would be valid, and what to call next. `exit_code` is what the command line exits with.
"""

from __future__ import annotations

from collections.abc import Sequence

from vettle.engine.wording import some


class VettleError(Exception):
    """Raised when vettle refuses a call for a reason its caller can act on."""

    exit_code = 1


class InvalidArgument(VettleError):
    """Raised when an argument has a value that no call accepts."""

    exit_code = 2

    def __init__(self, field: str, problem: str, remedy: str) -> None:
        super().__init__(f"{field}: {problem}. {remedy}")
        self.field = field


class NotFound(VettleError):
    """Raised when an id names nothing in this project."""


class UnknownRule(NotFound):
    """Raised when no rule has the given id."""

    def __init__(self, field: str, rule_id: str, near: Sequence[str] = ()) -> None:
        hint = f"Near it: {some(near)}. " if near else ""
        super().__init__(f"{field}: no rule {rule_id[:80]!r}. {hint}Call rules_list for the ids.")


class UnknownExperiment(NotFound):
    """Raised when no experiment has the given id or name."""

    def __init__(self, experiment: str, near: Sequence[str] = ()) -> None:
        hint = f"Near it: {some(near)}. " if near else ""
        super().__init__(
            f"experiment: no experiment {experiment[:80]!r}. {hint}Call experiment_create to ask a question."
        )


class UnknownSession(NotFound):
    """Raised when no session has the given id."""

    def __init__(self, session_id: str, open_sessions: Sequence[str]) -> None:
        known = f"Open sessions: {some(open_sessions)}." if open_sessions else "No session is open."
        super().__init__(
            f"session_id: no session {session_id[:80]!r}. {known} Call session_start to begin one."
        )


class Conflict(VettleError):
    """Raised when the present state refuses a call that is otherwise well-formed."""


class AmbiguousSession(Conflict):
    """Raised when a call names no session and more or fewer than one could be meant."""

    def __init__(self, candidates: Sequence[str]) -> None:
        if candidates:
            message = (
                f"session_id: several sessions could be meant: {some(candidates)}. Pass the one you mean."
            )
        else:
            message = (
                "session_id: no session is open. Pass the id of the session you mean, or call session_start."
            )
        super().__init__(message)


class ClientRefReused(Conflict):
    """Raised when a client_ref comes back with different arguments, so it cannot be a retry."""

    def __init__(self, client_ref: str) -> None:
        super().__init__(
            f"client_ref: {client_ref!r} was already used for a call with other arguments. "
            "Retry with the same arguments, or pass a new client_ref."
        )


class JudgedAlready(Conflict):
    """Raised when a report or a commit comes back in the same session with another weight, notes or rules."""

    def __init__(self, session_id: str) -> None:
        super().__init__(
            f"session {session_id} was rewarded for this already, with another weight, notes or rules, and is not "
            "again. To reward it twice all the same, pass a client_ref of your own."
        )


class StatusRefused(Conflict):
    """Raised when a rule's status, or a session's state, does not allow the action."""

    def __init__(self, subject: str, status: str, action: str, allowed: Sequence[str]) -> None:
        super().__init__(
            f"{subject} is {status}, so it cannot {action}. Possible now: {', '.join(allowed) or 'nothing'}."
        )


class NeedsPerson(Conflict):
    """Raised when an agent asks for a decision that only a person may make, and no person has said yes."""

    def __init__(self, rule_id: str, action: str, why: str) -> None:
        super().__init__(
            f"rule {rule_id}: only a person may {action} it, because {why}, and none has agreed. Nothing was changed. "
            f"Ask them to agree, or to run: vettle rule decide {rule_id} {action} 'why'"
        )


class ProjectNotFound(VettleError):
    """Raised when no project root can be told, so there is nowhere to keep the data."""

    exit_code = 2

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"No project: {reason}. Name its folder with --project DIR in the server's arguments or with "
            "VETTLE_PROJECT in its environment, or start it inside a git repository."
        )


class ConfigurationInvalid(VettleError):
    """Raised when `.vettle/config.toml` cannot be used as it is."""

    exit_code = 2


class StoreUnavailable(VettleError):
    """Raised when the store cannot take a write now: busy, full, or read-only. Nothing was recorded."""


class ClickHouseUnavailable(VettleError):
    """Raised when ClickHouse cannot answer; the default engine can, because it needs nothing but the store."""


class GitUnavailable(VettleError):
    """Raised when git cannot say what became of a change: not installed, no repository, or no such commit."""


class StoreDamaged(VettleError):
    """Raised when the database is not one that this version can trust; it is left exactly as it is."""

    exit_code = 3


class SourceDamaged(VettleError):
    """Raised when a file to import is damaged; nothing of it, or of what it came with, was imported."""

    exit_code = 3

    def __init__(self, file: str, line: int, problem: str) -> None:
        where = f"{file}:{line}" if line else file
        remedy = (
            "Mend or remove that line, or restore the file" if line else "Restore it, or name another file"
        )
        super().__init__(f"{where}: {problem}. Nothing was imported. {remedy}, and import again.")


class FilesRefused(VettleError):
    """Raised when a rule file cannot be written without risking text that is not ours."""

    exit_code = 3


class EditedByHand(FilesRefused):
    """Raised when somebody changed the text inside a managed block."""

    exit_code = 4
