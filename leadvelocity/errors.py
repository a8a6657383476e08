"""What a command says when it cannot do what was asked; one line, and what to do next."""


class CommandError(Exception):
    """A command ends without having done its work."""

    exit_code = 1


class CommandFailed(CommandError):
    """Something outside failed: a server, a broken promise, books that do not balance."""


class WrongInput(CommandError):
    """What the command was given is wrong: arguments, settings, a file."""

    exit_code = 2
