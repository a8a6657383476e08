"""Conditions given as a mapping: each field matches a glob or one of several values."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import translate

from scoring.event import Scalar

PROFILE = "profile."
"""Prefix of names that mean the lead's profile and nothing else."""

Test = tuple[str, str, Callable[[str], bool]]
"""Name in the event ("" for a profile's only), name in the profile, and what its text must be."""


@dataclass(frozen=True, slots=True)
class FieldsMatch:
    """Holds when every named field matches; build it with `fields_match`."""

    source: str
    tests: tuple[Test, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """What it looks at."""
        return tuple(own_name or "profile" for own_name, _, _ in self.tests)

    @property
    def answers(self) -> tuple[str, ...]:
        """Which form answers it may look at."""
        return tuple(profile_name for _, profile_name, _ in self.tests)

    def holds(self, view: Mapping[str, object]) -> bool:
        """Whether all fields match; a field that is absent or null never does."""
        profile = view.get("profile", {})
        assert isinstance(profile, Mapping)
        for own_name, profile_name, matches in self.tests:
            value = view.get(own_name)
            if value is None:
                value = profile.get(profile_name)
            if value is None or not matches(canonical_text(value)):
                return False
        return True


def fields_match(fields: Mapping[str, Scalar | Sequence[Scalar]]) -> FieldsMatch:
    """Make a condition of field names and what they must be.

    Parameters
    ----------
    fields : mapping of str to Scalar or sequence of Scalar
        A value matches when its text equals that of the field, so 250 matches "250" and true
        matches "true". Text may be a glob (``*``, ``?``, ``[seq]``; case-sensitive). Of a
        sequence, any may match. A bare name means the event's own field, else the lead's
        profile; ``profile.x`` means the profile.

    Returns
    -------
    FieldsMatch
        Its `source` does not depend on the order of names or of alternatives.

    Examples
    --------
    >>> fields_match({"path": "/pricing*"}).holds({"path": "/pricing/eu"})
    True
    """
    patterns = {name: sorted(set(_patterns(wanted))) for name, wanted in sorted(fields.items())}
    tests = tuple((*_names(name), _any_of(texts)) for name, texts in patterns.items())
    return FieldsMatch(json.dumps(patterns, ensure_ascii=False), tests)


def canonical_text(value: object) -> str:
    """Return the one text of a scalar: 250.0 is "250", true is "true".

    Examples
    --------
    >>> [canonical_text(value) for value in (250, 250.0, 2.5, True, "x")]
    ['250', '250', '2.5', 'true', 'x']
    """
    if type(value) is str:
        return value
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _patterns(wanted: Scalar | Sequence[Scalar]) -> list[str]:
    if isinstance(wanted, Sequence) and not isinstance(wanted, str):
        return [canonical_text(one) for one in wanted]
    return [canonical_text(wanted)]


def _names(name: str) -> tuple[str, str]:
    if name.startswith(PROFILE):
        return "", name.removeprefix(PROFILE)
    return name, name


def _any_of(patterns: list[str]) -> Callable[[str], bool]:
    if not any(_is_glob(pattern) for pattern in patterns):
        return frozenset(patterns).__contains__
    if all(_is_prefix(pattern) for pattern in patterns):
        prefixes = tuple(pattern[:-1] for pattern in patterns)
        return lambda text: text.startswith(prefixes)
    # One expression for all, since translated patterns are each anchored at their end.
    regex = re.compile("|".join(translate(pattern) for pattern in patterns))
    return lambda text: regex.match(text) is not None


def _is_glob(pattern: str) -> bool:
    return any(sign in pattern for sign in "*?[")


def _is_prefix(pattern: str) -> bool:
    return pattern.endswith("*") and not _is_glob(pattern[:-1])
