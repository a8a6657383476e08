"""What a worker or sink checks before it starts; each refusal says its cure."""

from importlib.metadata import packages_distributions

from leadvelocity import PACKAGES
from leadvelocity.errors import CommandFailed
from leadvelocity.provision import require_setup
from leadvelocity.settings import Settings

DISTRIBUTION = "leadvelocity"


def check_boot(settings: Settings) -> None:
    """Refuse to start on ground that would give way later.

    The registry and the model are read at once afterwards and say so themselves; the state folder
    is claimed, and the clocks are compared, when tasks are taken over.

    Raises
    ------
    CommandFailed
    """
    check_packages()
    require_setup(settings)


def check_packages() -> None:
    """Refuse packages of others under our names: they would overwrite ours without a word.

    Raises
    ------
    CommandFailed
    """
    owners = packages_distributions()
    for package in PACKAGES:
        foreign = sorted(set(owners.get(package, ())) - {DISTRIBUTION})
        if foreign:
            raise CommandFailed(
                f"the package {package!r} is also installed by {', '.join(foreign)}: give "
                "leadvelocity an environment of its own (ADR 1), or uninstall the other one and "
                "install leadvelocity again"
            )
