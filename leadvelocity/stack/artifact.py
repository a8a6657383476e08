"""The files that the stack's Java programs consist of, as pinned in this package."""

from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A pinned file of a Maven repository."""

    group: str
    name: str
    version: str
    packaging: str
    classifier: str
    sha256: str

    @property
    def file_name(self) -> str:
        """Its name in the cache."""
        classifier = f"-{self.classifier}" if self.classifier else ""
        return f"{self.name}-{self.version}{classifier}.{self.packaging}"


def pinned(program: str, *, package: str = __package__) -> tuple[Artifact, ...]:
    """Return what `program` consists of, by ``<program>.lock`` in `package`.

    Each line is ``group:name:version[:packaging:classifier]  sha256``.
    """
    lock = resources.files(package).joinpath(f"{program}.lock").read_text(encoding="utf-8")
    return tuple(_artifact(line) for line in lock.splitlines() if line and line[0] != "#")


def _artifact(line: str) -> Artifact:
    coordinates, sha256 = line.split()
    group, name, version, *rest = coordinates.split(":")
    packaging, classifier = rest or ("jar", "")
    return Artifact(
        group=group,
        name=name,
        version=version,
        packaging=packaging,
        classifier=classifier,
        sha256=sha256,
    )
