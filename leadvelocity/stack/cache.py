"""The user's cache folder, shared between stacks."""

from pathlib import Path

from pydantic_settings import BaseSettings


class _User(BaseSettings):
    xdg_cache_home: Path | None = None


def cache_folder() -> Path:
    """Return where fetched programs are kept: in the XDG cache folder, by default ``~/.cache``."""
    configured = _User().xdg_cache_home
    base = configured if configured and configured.is_absolute() else Path.home() / ".cache"
    return base / "leadvelocity"
