"""The Java programs of the stack: fetched once, checked against a lock, shared between stacks."""

import hashlib
import os
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import requests
from jgo.maven import MavenContext, PythonResolver

from leadvelocity.stack.errors import ArtifactCorrupt, ArtifactUnavailable

Progress = Callable[[str], None]

_DOWNLOADS_MAX = 4
_TIMEOUT_S = 30
_REPORT_BYTES = 40_000_000


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


def locked(program: str) -> tuple[Artifact, ...]:
    """Return what `program` consists of, as pinned in ``<program>.lock`` of this package.

    Each line is ``group:name:version[:packaging:classifier]  sha256``.
    """
    lock = resources.files(__package__).joinpath(f"{program}.lock").read_text(encoding="utf-8")
    return tuple(_artifact(line) for line in lock.splitlines() if line and line[0] != "#")


def jars(program: str, *, cache: Path, progress: Progress) -> tuple[Path, ...]:
    """Return the jars of `program`, fetching what `cache` lacks.

    Raises
    ------
    ArtifactUnavailable
        A file cannot be fetched now.
    ArtifactCorrupt
        A fetched file is not the pinned one.
    """
    wanted = locked(program)
    folder = cache / "jars"
    missing = [each for each in wanted if not _is(folder / each.file_name, each)]
    if missing:
        folder.mkdir(parents=True, exist_ok=True)
        progress(f"{program}: fetching {len(missing)} jars, once for all stacks")
        with ThreadPoolExecutor(_DOWNLOADS_MAX) as pool:
            fetched = [pool.submit(_fetch, each, folder / each.file_name) for each in missing]
            for count, future in enumerate(as_completed(fetched), start=1):
                future.result()
                if count % 20 == 0 or count == len(missing):
                    progress(f"{program}: {count} of {len(missing)} jars are here")
    return tuple(folder / each.file_name for each in wanted)


def unpacked(program: str, *, cache: Path, progress: Progress) -> Path:
    """Return the folder with `program`, which is pinned as one archive; raises as `jars` does."""
    (artifact,) = locked(program)
    folder = cache / f"{program}-{artifact.version}-{artifact.sha256[:16]}"
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as temporary:
        archive = Path(temporary) / artifact.file_name
        _fetch(artifact, archive, progress=progress)
        progress(f"{program}: unpacking")
        content = Path(temporary) / "content"
        with tarfile.open(archive) as tar:
            tar.extractall(content, filter="data")
        try:
            content.rename(folder)  # at once: a folder that is there is whole
        except OSError:
            if not folder.is_dir():  # else another `up` was faster
                raise
    return folder


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


def _fetch(artifact: Artifact, target: Path, *, progress: Progress | None = None) -> None:
    # jgo writes in place; a folder of its own and a rename keep half a file out of the cache.
    with tempfile.TemporaryDirectory(dir=target.parent) as temporary:
        resolver = PythonResolver(progress_callback=_reporter(progress) if progress else None)
        context = MavenContext(repo_cache=Path(temporary), resolver=resolver, timeout=_TIMEOUT_S)
        component = context.project(artifact.group, artifact.name).at_version(artifact.version)
        try:
            path = component.artifact(artifact.classifier, artifact.packaging).resolve()
        except (requests.RequestException, RuntimeError, OSError) as error:
            raise ArtifactUnavailable(
                f"cannot fetch {artifact.file_name}: {error}; check the network and the disk, and"
                " run it again (what has arrived is kept)"
            ) from error
        if not _is(path, artifact):
            raise ArtifactCorrupt(
                f"{artifact.file_name} arrived, but is not the pinned file (SHA-256"
                f" {artifact.sha256}); run it again, and if it stays so, trust no copy of it"
            )
        os.replace(path, target)


def _is(path: Path, artifact: Artifact) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == artifact.sha256
    except FileNotFoundError:
        return False


def _reporter(progress: Progress):  # type: ignore[no-untyped-def]  # jgo's own shape
    @contextmanager
    def report(name: str, size_bytes: int) -> Iterator[Callable[[int], None]]:
        progress(f"fetching {name}, {size_bytes // 1_000_000} MB, once for all stacks")
        done = 0

        def add(count_bytes: int) -> None:
            nonlocal done
            before, done = done, done + count_bytes
            if before // _REPORT_BYTES != done // _REPORT_BYTES:
                progress(f"{done // 1_000_000} of {size_bytes // 1_000_000} MB are here")

        yield add

    return report
