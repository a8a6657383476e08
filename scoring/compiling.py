"""Marks for the compiler, which do nothing at run time; the core needs nothing installed."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_extensions import mypyc_attr
else:

    def mypyc_attr(**_):  # noqa: ANN003, ANN201
        """Return a decorator that changes nothing: mypyc alone reads what it is given."""
        return lambda cls: cls


__all__ = ["mypyc_attr"]
