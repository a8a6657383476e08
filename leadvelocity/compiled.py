"""Whether the hot path runs compiled (ADR 10), and then from these very sources."""

import hashlib
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from leadvelocity import PACKAGES
from leadvelocity.errors import CommandFailed

ROOT = Path(__file__).resolve().parents[1]

RECORD = Path("leadvelocity", "compiled.sha256")
"""Digests of the sources that went in and of the extensions that came out, as sha256sum has it;
hatch_build.py writes it."""


class StaleExtensions(CommandFailed):
    """What Python would load was compiled from other sources than those that can be read."""


def compiled_modules(root: Path = ROOT) -> tuple[str, ...]:
    """Return the modules that run compiled; none if all run as the Python that they are written in.

    Parameters
    ----------
    root : Path
        Where the packages are: a checkout, or where a wheel was installed.

    Raises
    ------
    StaleExtensions
    """
    recorded = _recorded(root)
    loaded = _loaded(root)
    changed = [path for path, digest in recorded.items() if _digest(root / path) != digest]
    changed += [path for path in loaded if path not in recorded]
    if changed:
        raise StaleExtensions(
            f"{min(changed)} is not as it was compiled: `make compile` compiles it as it is, "
            "`make uncompile` lets it run uncompiled"
        )
    return tuple(path.partition(".")[0].replace("/", ".") for path in loaded)


def said_of(modules: tuple[str, ...]) -> str:
    """Return what the log and `--version` say of it."""
    if modules:
        return f"compiled (modules: {len(modules)})"
    return "uncompiled, at a fifth of the speed (docs/adr/0010-the-hot-path-is-compiled.md)"


def _recorded(root: Path) -> dict[str, str]:
    if not (root / RECORD).exists():
        return {}
    lines = (root / RECORD).read_text(encoding="utf-8").splitlines()
    return {path: digest for digest, path in (line.split("  ", 1) for line in lines)}


def _loaded(root: Path) -> list[str]:
    """Return the files that Python takes before sources of the same name."""
    return sorted(
        path.relative_to(root).as_posix()
        for package in PACKAGES
        for path in (root / package).rglob("*.so")
        if path.name[path.name.index(".") :] in EXTENSION_SUFFIXES
    )


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""
