"""Fit: the points for who a lead is, worked out once for each set of answers that differ in it."""

from typing import Final, final

from scoring.model import FitRule
from scoring.profile import as_mapping
from scoring.state import ProfileField

REMEMBERED_MAX: Final = 16_384
"""Profiles whose fit is remembered for as long as they stay the same object, and sets of answers
whose fit is remembered."""

ANSWERS_CHARS_MAX: Final = 512
"""Longer answers are not remembered."""


@final
class Fit:
    """The fit rules of a model, and what they gave of late.

    Parameters
    ----------
    rules : tuple of FitRule
    """

    def __init__(self, rules: tuple[FitRule, ...]) -> None:
        self._rules: Final = rules
        self._asked: Final = _asked(rules)
        self._by_profile: dict[int, tuple[tuple[ProfileField, ...], float]] = {}
        self._by_answers: dict[str, float] = {}
        self._of_nobody: Final = self._points(())

    def of(self, profile: tuple[ProfileField, ...]) -> float:
        """Return the points for who the lead is: all rules that hold, added."""
        if not profile:
            return self._of_nobody
        known = self._by_profile.get(id(profile))
        if known is not None:
            return known[1]
        if len(self._by_profile) >= REMEMBERED_MAX:
            self._by_profile.clear()
        points = self._of_answers(profile)
        self._by_profile[id(profile)] = (profile, points)  # holding it keeps its id its own
        return points

    def _of_answers(self, profile: tuple[ProfileField, ...]) -> float:
        asked = self._asked
        answers = [
            f"{each.name!r}:{each.value!r}"
            for each in profile
            if asked is None or each.name in asked
        ]
        text = ",".join(answers)
        points = self._by_answers.get(text)
        if points is None:
            points = self._points(profile)
            if len(text) <= ANSWERS_CHARS_MAX:
                if len(self._by_answers) >= REMEMBERED_MAX:
                    self._by_answers.clear()
                self._by_answers[text] = points
        return points

    def _points(self, profile: tuple[ProfileField, ...]) -> float:
        seen = {"profile": as_mapping(profile)}
        return sum((rule.points for rule in self._rules if rule.when.holds(seen)), start=0.0)


def _asked(rules: tuple[FitRule, ...]) -> frozenset[str] | None:
    """Return which answers the rules look at; None: perhaps all."""
    asked: set[str] = set()
    for rule in rules:
        if rule.when.answers is None:
            return None
        asked.update(rule.when.answers)
    return frozenset(asked)
