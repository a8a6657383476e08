"""What the demo prints where there is no terminal."""

import io

from rich.console import Console

from leadvelocity.demo.view import Glance, View


def a_change(lead_id: str, seq: int) -> dict:
    return {
        "lead_id": lead_id,
        "seq": seq,
        "from_tier": "cold",
        "to_tier": "warm",
        "score": 30.0,
        "reason": "event",
        "contributions": [],
        "fit": 0.0,
    }


def printed(*glances: list[dict]) -> list[str]:
    """Return the lines for glances at the last changes, newest first, two seconds apart."""
    out = io.StringIO()
    with View(Console(file=out)) as view:
        for place, recent in enumerate(glances):
            elapsed_s = place * 2.0
            view.show(Glance(elapsed_s=elapsed_s, sent=0, rate=0, lag=0, hottest=[], recent=recent))
    lines = out.getvalue().splitlines()
    return [line.split()[0] for line in lines if "→" in line]


def test_a_tier_change_is_told_once_and_before_later_ones() -> None:
    """Who reads the lines from top to bottom sees each tier change once, in their order."""
    ada, bob, ada_again = a_change("ada", 1), a_change("bob", 1), a_change("ada", 2)

    assert printed([bob, ada], [bob, ada], [ada_again, bob, ada]) == ["ada", "bob", "ada"]


def test_of_many_tier_changes_the_last_are_told() -> None:
    """More than a few at a time would hide the rest; those left out are not told later."""
    many = [a_change(f"lead-{number}", 1) for number in range(10)]

    assert printed(many, many) == ["lead-2", "lead-1", "lead-0"]
