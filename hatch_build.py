"""Compiles the hot path with mypyc (ADR 10): hatchling's hook for wheels, `make compile` in place.

Which modules are compiled stands in pyproject.toml. What was compiled is kept in build/compiled, by
a digest of all that went into it: nothing is compiled twice.
"""

import ast
import contextlib
import hashlib
import importlib.metadata
import importlib.util
import io
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import tomllib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
KEPT = Path("build", "compiled")
KEPT_MAX = 8
"""States of the sources whose extensions are kept, so that changing a branch costs nothing."""

RECORD = Path("leadvelocity", "compiled.sha256")
"""Digests of the sources that went in and of the extensions that came out, as sha256sum has it."""

EXTENSION = str(sysconfig.get_config_var("EXT_SUFFIX"))
COMPILERS = ("cc", "gcc", "clang")
ZIG = (sys.executable, "-m", "ziglang", "cc", "-mcpu=baseline", "-fno-sanitize=undefined")

FLAGS = ("-fPIC", "-fwrapv", "-DNDEBUG", "-w")
EXACT = ("-ffp-contract=off", "-fno-builtin-pow")
"""No fused multiply-add, no exp2 in place of pow: a score is the same bits, compiled or not."""

LINKING = ("-bundle", "-undefined", "dynamic_lookup") if sys.platform == "darwin" else ("-shared",)


class NotCompiled(Exception):
    """There are no extensions, and why; all works without them, at a fifth of the speed."""


class CompiledWheel(BuildHookInterface[BuilderConfig]):
    """Puts extensions into the wheel, beside their sources; without a compiler it stays pure."""

    def dependencies(self) -> list[str]:
        """Return what is needed beyond `[build-system]`: a compiler, where there is none."""
        return (
            [] if _compiler_here() else _project(Path(self.root))["dependency-groups"]["compiler"]
        )

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, unless the install is editable: `make compile` does that one, in place."""
        if version == "editable":
            return
        try:
            kept = compiled(Path(self.root))
        except NotCompiled as reason:
            self.app.display_warning(f"The wheel is uncompiled. {reason}")
            return
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        build_data["force_include"] |= {str(kept / path): str(path) for path in _files(kept)}


def compile_in_place(root: Path) -> None:
    """Put extensions of the sources as they are beside them; does nothing when they are there."""
    try:
        kept = compiled(root)
    except NotCompiled as reason:
        remove(root)
        _say(f"Runs uncompiled, at a fifth of the speed. {reason}")
        return
    files = _files(kept)
    if files == _extensions(root) and _text(root / RECORD) == _text(kept / RECORD):
        return
    remove(root)
    for path in files:
        # Processes that run have the old file still: it is never written over.
        shutil.copy2(kept / path, root / path)


def remove(root: Path) -> None:
    """Remove all extensions beside sources: everything runs uncompiled."""
    for path in _extensions(root):
        (root / path).unlink()


def compiled(root: Path) -> Path:
    """Return the folder that holds extensions of the sources as they are, and their record.

    Raises
    ------
    NotCompiled
    """
    modules = listed(root)
    sources = _with_imports(root, modules)
    went_in = [EXTENSION, importlib.metadata.version("mypy"), *map(str, modules)]
    went_in += [_digest(Path(__file__)), *(f"{_digest(root / path)}  {path}" for path in sources)]
    kept = root / KEPT / hashlib.sha256("\n".join(went_in).encode()).hexdigest()[:16]
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as scratch, contextlib.chdir(root):
            made = Path(scratch, "made")
            _compile(modules, Path(scratch), made)
            _record(root, sources, made)
            with contextlib.suppress(OSError):  # another process was quicker
                made.rename(kept)
        _forget_old(kept.parent)
    return kept


def _compile(modules: list[Path], scratch: Path, made: Path) -> None:
    """Compile modules of the current folder into files of the same names below `made`."""
    command = compiler()
    start_s = time.monotonic()
    _say(f"Compiling {len(modules)} modules: mypyc …")
    extensions = _generate_c(modules, scratch / "c")
    _say(f"C is written ({time.monotonic() - start_s:.0f} s): compiling that …")
    compiling, linking = [], []
    for extension in extensions:
        target = made / (extension.name.replace(".", "/") + EXTENSION)
        target.parent.mkdir(parents=True, exist_ok=True)
        folders = [sysconfig.get_path("include"), *extension.include_dirs]
        how = [*FLAGS, *extension.extra_compile_args, *EXACT, *(f"-I{each}" for each in folders)]
        objects = [f"{source}.o" for source in extension.sources]
        for source, into in zip(extension.sources, objects, strict=True):
            compiling.append([*command, *how, "-c", source, "-o", into])
        linking.append([*command, *objects, *LINKING, "-o", str(target)])
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        list(threads.map(_run, compiling))
        list(threads.map(_run, linking))
    _say(f"Compiled in {time.monotonic() - start_s:.0f} s.")


def _generate_c(modules: list[Path], folder: Path) -> list[Any]:
    """Return setuptools' descriptions of the extensions, their C written into `folder`."""
    from mypyc.build import mypycify  # noqa: PLC0415 - slow to import, and seldom needed

    # What is installed besides, and how strict `make lint` is, makes no difference.
    options = ["--config-file=", "--explicit-package-bases", "--ignore-missing-imports"]
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            return mypycify(
                [*options, *map(str, modules)],
                opt_level="2",
                debug_level="0",
                multi_file=True,  # as quick as one large file, and each processor compiles
                target_dir=str(folder),
                group_name="leadvelocity",
            )
    except SystemExit as refused:
        raise NotCompiled(f"mypyc refuses: {said.getvalue() or refused.code}") from None


def compiler() -> list[str]:
    """Return the command of a C compiler; where there is none, one is fetched.

    Raises
    ------
    NotCompiled
    """
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        raise NotCompiled(
            "Python.h is missing: install Python's headers (python3.11-dev or -devel), and run "
            "`make compile`."
        )
    if not _compiler_here():
        _say("There is no C compiler: fetching one into .venv (ziglang, 100 MB, once) …")
        pip = (sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes", "--retries=1")
        _run([*pip, "--disable-pip-version-check", "-r", str(ROOT / "compiler.lock")])
    return _compiler_here()


def _compiler_here() -> list[str]:
    """Return the command of a C compiler of this machine, else of this environment, or nothing."""
    for command in filter(None, (os.environ.get("CC"), *COMPILERS)):
        words = shlex.split(command)
        if shutil.which(words[0]):
            return words
    return list(ZIG) if importlib.util.find_spec("ziglang") else []


def _run(command: list[str]) -> None:
    # The home folder may be missing, or not for us to write to.
    environment = os.environ | {"ZIG_GLOBAL_CACHE_DIR": str(ROOT / "build" / "zig")}
    ran = subprocess.run(  # noqa: S603
        command, capture_output=True, text=True, check=False, env=environment
    )
    if ran.returncode:
        lines = ran.stderr.strip().splitlines() or ["nothing"]
        said = next((line for line in lines if "error:" in line.lower()), lines[-1])
        raise NotCompiled(
            f"{shlex.join(command[:4])} … ended with {ran.returncode} and said: {said.strip()} - "
            "Install a C compiler (gcc or clang), or say which with CC=…, and run `make compile`."
        )


def listed(root: Path) -> list[Path]:
    """Return the modules that pyproject.toml lists, relative to `root`."""
    wheel = _project(root)["tool"]["hatch"]["build"]["targets"]["wheel"]
    chosen: set[Path] = set()
    for pattern in wheel["hooks"]["custom"]["compiled"]:
        found = {path.relative_to(root) for path in root.glob(pattern.removeprefix("!"))}
        if not found:
            raise ValueError(f"pyproject.toml: nothing is called {pattern}, which is compiled")
        chosen = chosen - found if pattern.startswith("!") else chosen | found
    return sorted(path for path in chosen if path.name != "__init__.py")


def _with_imports(root: Path, modules: Iterable[Path]) -> list[Path]:
    """Return them and all of ours that they import: their types and constants are compiled in."""
    found: set[Path] = set()
    waiting = list(modules)
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _imports(root, path)
    return sorted(found)


def _imports(root: Path, path: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse((root / path).read_bytes())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{each.name}" for each in node.names)]
        for name in names:
            stem = name.replace(".", "/")
            for file in (Path(f"{stem}.py"), Path(stem, "__init__.py")):
                if (root / file).is_file():
                    yield file


def _record(root: Path, sources: Iterable[Path], made: Path) -> None:
    """Write what `leadvelocity.compiled` looks into."""
    lines = [f"{_digest(root / path)}  {path}\n" for path in sources]
    lines += [f"{_digest(made / path)}  {path}\n" for path in sorted(_files(made))]
    (made / RECORD).parent.mkdir(exist_ok=True)
    (made / RECORD).write_text("".join(lines), encoding="utf-8")


def _forget_old(folder: Path) -> None:
    for old in sorted(folder.iterdir(), key=lambda each: each.stat().st_mtime)[:-KEPT_MAX]:
        shutil.rmtree(old, ignore_errors=True)


def _extensions(root: Path) -> set[Path]:
    """Return all that compiling ever put beside the sources, relative to `root`."""
    packages = _project(root)["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    found = {path for package in packages for path in (root / package).rglob("*.so")}
    found |= {*root.glob("*__mypyc.*.so"), *root.glob(str(RECORD))}
    return {path.relative_to(root) for path in found}


def _files(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _project(root: Path) -> dict[str, Any]:
    return tomllib.loads(_text(root / "pyproject.toml"))


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    (remove if sys.argv[1:] == ["--remove"] else compile_in_place)(ROOT)
