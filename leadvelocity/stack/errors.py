"""What can go wrong with a local stack; each message says what to do next."""

from pathlib import Path

from leadvelocity.errors import CommandError, WrongInput


class StackError(CommandError):
    """A local stack cannot do what was asked."""


class StackUnavailable(StackError):
    """Passing: the same call may work later."""


class StackRefused(StackError):
    """Lasting: something must be changed first."""


class ArtifactUnavailable(StackUnavailable):
    """A file of the stack could not be fetched."""


class ArtifactCorrupt(StackRefused):
    """A fetched file is not the one that was pinned."""


class StackBusy(StackUnavailable):
    """Another command holds the folder's lock."""


class GivenUp(StackUnavailable):
    """A part was not started because another one failed, or the command was interrupted."""

    def __init__(self) -> None:
        super().__init__("the start was given up; run it again")


class NotAStack(StackRefused, WrongInput):
    """The folder holds no local stack, or what it holds cannot be read."""

    def __init__(self, directory: Path, reason: str) -> None:
        super().__init__(
            f"{directory} {reason}; `leadvelocity stack up --dir {directory}` makes one"
        )


class PortTaken(StackRefused):
    """A stranger listens on a port of the stack."""

    def __init__(self, part: str, port: int, owner: str) -> None:
        super().__init__(
            f"{part} cannot start: its port {port} is taken by {owner}; stop that program, or"
            " choose other ports with `leadvelocity stack up --new-ports`"
        )


class PartFailed(StackUnavailable):
    """A part did not start, did not answer in time, or did not stop."""

    def __init__(self, part: str, reason: str, log: Path, last_lines: str) -> None:
        said = (
            f"; its log ({log}) ends with:\n{last_lines}" if last_lines else f"; its log is {log}"
        )
        super().__init__(f"{part} {reason}{said}")
        self.part = part
