"""The secret of an installation that pseudonyms are made with."""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

SALT_BYTES = 32


def install_salt(path: Path) -> bytes:
    """Return the secret kept in a file; make one, for the owner's eyes only, if there is none.

    Parameters
    ----------
    path : Path
        Keep it, and keep it secret: with another one every visitor is a new lead.

    Raises
    ------
    ValueError
        When the file holds something else.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        with NamedTemporaryFile(dir=path.parent) as fresh, suppress(FileExistsError):
            fresh.write(secrets.token_bytes(SALT_BYTES))
            fresh.flush()
            os.link(fresh.name, path)  # whole, and never over another's
    salt = path.read_bytes()
    if len(salt) != SALT_BYTES:
        raise ValueError(f"{path} holds {len(salt)} bytes, not {SALT_BYTES}: restore it")
    return salt
