"""The workload and what engines must find out: fixed, the same in any order, and sensitive."""

from collections import Counter
from random import Random

import pytest

from bench.answers import Reference, Standing, WrongAnswer, check, rises_of
from bench.engines.ours import SMALL_MODEL
from bench.workload import DOUBLED_LEAD_EVENTS_MAX, Crowd, Workload
from leadvelocity.scoring_model import load_model
from schemas.events import read_event
from scoring.fold import fold
from scoring.score import score_at
from scoring.state import LeadState

WORKLOAD = Workload(events=6_000, leads=300, begins_at_ms=1_767_225_600_000)


@pytest.fixture(scope="module")
def sent():
    return list(WORKLOAD.sent())


def _answers(sent):
    reference = Reference()
    for each in sent:
        reference.add(each)
    return reference.answers


def _by_the_product(sent):
    """Fold by the product itself; return rises and standings."""
    model = load_model(SMALL_MODEL)
    states: dict[str, LeadState] = {}
    changes: list[tuple[str, str]] = []
    for each in sent:
        event = read_event(each.topic, each.record)
        folded = fold(states.get(each.lead_id), event, model)
        states[each.lead_id] = folded.state
        changes += [(each.lead_id, change.to_tier) for change in folded.changes]
    standings = {
        lead: Standing(score_at(state, model, state.as_of_ms).total, state.as_of_ms)
        for lead, state in states.items()
    }
    return rises_of(changes), standings


def test_the_same_values_are_the_same_events(sent):
    """Who measures again, measures the same."""
    assert list(WORKLOAD.sent()) == sent
    assert len(sent) == WORKLOAD.events


def test_doubles_stay_within_the_ids_that_are_remembered(sent):
    """An event is doubled only where no order can push it out of the lead's last ids."""
    doubled = {key for key, count in Counter(each.event_id for each in sent).items() if count > 1}
    leads = Counter(each.lead_id for each in sent)
    of_doubles = {each.lead_id for each in sent if each.event_id in doubled}

    assert len(doubled) > WORKLOAD.events // 1_000
    assert max(leads[each] for each in of_doubles) <= DOUBLED_LEAD_EVENTS_MAX


def test_leads_rise_through_every_tier(sent):
    """There is something to be found out."""
    rises = Counter(_answers(sent).rises.values())

    assert set(rises) == {("warm",), ("warm", "hot")}
    assert min(rises.values()) > 20


@pytest.mark.parametrize("seed", range(3))
def test_the_product_agrees_in_any_order(sent, seed):
    """However an engine merges the topics, there is one answer, and the product has it too."""
    shuffled = sent if seed == 0 else Random(seed).sample(sent, len(sent))
    rises, standings = _by_the_product(shuffled)

    check(_answers(sent), rises=rises, standings=standings)


def test_a_lost_event_is_seen(sent):
    """An engine that loses one event of one lead has another answer."""
    times = Counter(each.event_id for each in sent)
    single = next(index for index, each in enumerate(sent) if times[each.event_id] == 1)
    lost = _answers(sent[:single] + sent[single + 1 :])

    with pytest.raises(WrongAnswer, match=r"scores of 1 of \d+ leads differ: lead-"):
        check(_answers(sent), rises=lost.rises, standings=lost.standings)


def test_a_tier_change_that_comes_twice_is_seen(sent):
    """Once means once: a change that subscribers see again is a wrong answer."""
    wanted = _answers(sent)
    lead = next(iter(wanted.rises))
    again = {**wanted.rises, lead: wanted.rises[lead] * 2}

    with pytest.raises(WrongAnswer, match=f"tiers of 1 of .*{lead}"):
        check(wanted, rises=again, standings=None)


def test_a_crowd_has_every_lead_before_any_comes_again():
    """When the leads of a crowd are through, the state is as large as it gets."""
    sent = list(Crowd(leads=500, further=200, begins_at_ms=0).sent())

    assert len({each.lead_id for each in sent[:500]}) == 500
    assert {each.lead_id for each in sent[500:]} < {each.lead_id for each in sent[:500]}
    assert len(sent) == 900
