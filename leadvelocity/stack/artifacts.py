"""The Java programs of the stack: fetched once, checked against a lock, shared between stacks."""

import tarfile
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from leadvelocity.stack.artifact import pinned
from leadvelocity.stack.cache import cache_folder
from leadvelocity.stack.fetching import fetch, is_whole
from leadvelocity.stack.part import Progress

_DOWNLOADS_MAX = 4
_REPORT_EACH = 20


def jars(
    program: str, *, cache: Path | None, progress: Progress, package: str = __package__
) -> tuple[Path, ...]:
    """Return the jars of `program`, fetching what `cache` lacks or has damaged.

    Parameters
    ----------
    cache : Path or None
        None: the user's cache folder.
    package : str
        Where the program's lock is.

    Raises
    ------
    ArtifactUnavailable
        A file cannot be fetched now.
    ArtifactCorrupt
        A fetched file is not the pinned one.
    """
    cache = cache or cache_folder()
    wanted = {each: cache / "jars" / each.file_name for each in pinned(program, package=package)}
    missing = [each for each, path in wanted.items() if not is_whole(path, each)]
    if missing:
        (cache / "jars").mkdir(parents=True, exist_ok=True)
        progress(f"{program}: fetching {len(missing)} jars, once for all stacks")
        with ThreadPoolExecutor(_DOWNLOADS_MAX) as pool:
            fetched = [
                pool.submit(fetch, each, wanted[each], progress=progress) for each in missing
            ]
            for count, future in enumerate(as_completed(fetched), start=1):
                future.result()
                if count % _REPORT_EACH == 0 or count == len(missing):
                    progress(f"{program}: {count} of {len(missing)} jars are here")
    return tuple(wanted.values())


def unpacked(program: str, *, cache: Path | None, progress: Progress) -> Path:
    """Return the folder with `program`, which is pinned as one archive; raises as `jars` does."""
    (artifact,) = pinned(program)
    cache = cache or cache_folder()
    folder = cache / f"{program}-{artifact.version}-{artifact.sha256[:16]}"
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as temporary:
        archive = Path(temporary) / artifact.file_name
        fetch(artifact, archive, progress=progress)
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
