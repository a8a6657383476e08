"""Fetches a file by jgo's own resolver, which needs neither Maven nor a Java of the system."""

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from jgo.maven import MavenContext, PythonResolver

from leadvelocity.stack.artifact import Artifact
from leadvelocity.stack.errors import ArtifactCorrupt, ArtifactUnavailable
from leadvelocity.stack.part import Progress

_TIMEOUT_S = 30
_REPORT_FROM_BYTES = 100_000_000
_REPORT_EACH_BYTES = 40_000_000


def fetch(artifact: Artifact, target: Path, *, progress: Progress) -> None:
    """Bring `artifact` to `target`, whole and checked, or not at all.

    Raises
    ------
    ArtifactUnavailable
        It cannot be fetched now.
    ArtifactCorrupt
        What arrived is not the pinned file.
    """
    # jgo writes in place; a folder of its own and a rename keep half a file out of the cache.
    with tempfile.TemporaryDirectory(dir=target.parent) as temporary:
        context = MavenContext(
            repo_cache=Path(temporary),
            resolver=PythonResolver(progress_callback=_Report(progress).file),
            timeout=_TIMEOUT_S,
        )
        component = context.project(artifact.group, artifact.name).at_version(artifact.version)
        try:
            path = component.artifact(artifact.classifier, artifact.packaging).resolve()
        except (requests.RequestException, RuntimeError, OSError) as error:
            raise ArtifactUnavailable(
                f"cannot fetch {artifact.file_name}: {error}; check the network and the disk, and"
                " run it again (what has arrived is kept)"
            ) from error
        if not is_whole(path, artifact):
            raise ArtifactCorrupt(
                f"{artifact.file_name} arrived, but is not the pinned file (SHA-256"
                f" {artifact.sha256}); run it again, and if it stays so, trust no copy of it"
            )
        path.replace(target)


def is_whole(path: Path, artifact: Artifact) -> bool:
    """Return whether `path` is there and is the pinned file."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == artifact.sha256
    except FileNotFoundError:
        return False


class _Report:
    """Says how far a large file has come, in the shape that jgo asks for."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    @contextmanager
    def file(self, name: str, size_bytes: int) -> Iterator[Callable[[int], None]]:
        done_bytes = 0

        def add(count_bytes: int) -> None:
            nonlocal done_bytes
            before_bytes, done_bytes = done_bytes, done_bytes + count_bytes
            if before_bytes // _REPORT_EACH_BYTES != done_bytes // _REPORT_EACH_BYTES:
                self._progress(f"{name}: {done_bytes // 1_000_000} of {size_bytes // 1_000_000} MB")

        if size_bytes < _REPORT_FROM_BYTES:
            yield _nothing
        else:
            self._progress(f"fetching {name}, {size_bytes // 1_000_000} MB, once for all stacks")
            yield add


def _nothing(count_bytes: int) -> None:
    """Small files are not worth a line."""
