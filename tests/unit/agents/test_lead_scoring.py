"""What the scoring agent does with records that a state cannot take, and with its own restarts."""

from dataclasses import replace

import pytest

from agents.decoded_states import DecodedStates
from agents.lead_scoring import MODEL_KEY, LeadScoring, ModelRefused
from leadvelocity.topics import WRAPPED_BYTES_MAX
from schemas import lead_state
from schemas.topics import DEAD_LETTERS, REROUTED_EVENTS, SCORED_EVENTS, TIER_CHANGES
from tests.unit.agents.makers import Scoring, an_event, record_of, scoring_context


def states(scoring: Scoring) -> dict[bytes, bytes]:
    """Return the leads' entries, without the agent's notes."""
    return {key: value for key, value in scoring.store.items() if not key.startswith(b"\0")}


def test_a_form_that_would_let_a_state_outgrow_its_bound_is_a_dead_letter() -> None:
    """
    Answers beyond the bound of a lead's state are set aside with the reason; its neighbours count.
    """
    scoring = Scoring(scoring_context(state_bytes_max=2_000))
    huge = {f"answer_{number}": "x" * 100 for number in range(30)}

    effects = scoring.fold(
        record_of(an_event(1, profile={"country": "DE"})),
        record_of(an_event(2, profile=huge), offset=1),
        record_of(an_event(3), offset=0),
    )

    (letter,) = scoring.outputs(effects, DEAD_LETTERS)
    assert letter["reason"].startswith("state_too_large: with its 30 answers")
    assert (letter["topic"], letter["offset"]) == ("form-fills", 1)
    events = [each["event_id"] for each in scoring.outputs(effects, SCORED_EVENTS)]
    assert events == ["event-1", "event-3"]
    state = lead_state.decode(effects.state[b"ada"] or b"")
    assert [each.name for each in state.profile] == ["country"]


def test_a_record_that_is_small_only_when_compressed_is_not_read() -> None:
    """Value, key and headers count together against the bound of a record."""
    scoring = Scoring()
    record = record_of(an_event(1), headers=(("bomb", b"\0" * (1 << 20)),))

    (letter,) = scoring.outputs(scoring.fold(record), DEAD_LETTERS)

    assert letter["reason"].startswith("too_large: ")


def test_a_key_of_any_size_fits_a_dead_letter() -> None:
    """The letter of a record with a huge key is no larger than letters may be."""
    scoring = Scoring()
    record = record_of(an_event(1)).replace(key=b"k" * (1 << 20), value=b"no event")

    (letter,) = [each for each in scoring.fold(record).outputs if each.topic == DEAD_LETTERS]

    assert len(letter.key or b"") + len(letter.value or b"") < WRAPPED_BYTES_MAX


def test_a_condemned_record_is_set_aside_unread() -> None:
    """A record that killed its worker goes to the dead letters with its bytes."""
    scoring = Scoring()
    record = record_of(an_event(1)).replace(value=b"deadly")

    scoring.agent.fold([scoring.agent.condemned(record, "it died")], now_ms=1)

    (letter,) = scoring.outputs(scoring.commit(), DEAD_LETTERS)
    assert (letter["reason"], letter["value"]) == ("quarantined: it died", b"deadly")


def test_the_model_is_noted_with_the_first_commit() -> None:
    """
    A partition that only ever had dead letters refuses another classification too.
    """
    scoring = Scoring()
    scoring.fold(record_of(an_event(1)).replace(value=b"no event"))

    assert scoring.store.get(MODEL_KEY) == scoring.context.model.state_version.encode()
    other = replace(scoring.context, model=replace(scoring.context.model, state_version="other"))
    with pytest.raises(ModelRefused, match="replay"):
        LeadScoring(other, partition=0).restore(scoring.store)


def test_states_do_not_depend_on_what_is_kept_decoded() -> None:
    """With room for one decoded state the same states come out as with room for all."""
    records = [
        record_of(an_event(number, lead_id=f"lead-{number % 7}"), offset=number)
        for number in range(50)
    ]
    small, large = Scoring(scoring_context(decoded=DecodedStates(1))), Scoring()
    for each in records:
        small.fold(each)
    large.fold(*records)

    assert states(small) == states(large)


def test_leads_cool_from_committed_and_from_pending_states_alike() -> None:
    """
    Timers fire for leads in the store and for leads whose change is not committed yet, each once.
    """
    scoring = Scoring()
    forms = [
        record_of(an_event(lead, lead_id=f"lead-{lead}", profile={}), offset=lead)
        for lead in range(2)
    ]
    scoring.fold(forms[0])  # committed
    scoring.agent.fold(scoring.agent.read([forms[1]]), now_ms=1)  # not yet
    due_ms = scoring.agent.next_timer_ms()
    assert due_ms is not None

    assert scoring.agent.fire(until_ms=due_ms - 1, now_ms=1) == 0
    assert scoring.agent.fire(until_ms=1 << 50, now_ms=1) == 2
    assert scoring.agent.fire(until_ms=1 << 50, now_ms=1) == 0
    scoring.commit()
    assert scoring.agent.next_timer_ms() is None


def test_a_header_without_content_harms_nobody() -> None:
    """
    Senders may write a header's name alone: the event counts, and is rerouted with it.
    """
    headers = (("trace", None), ("ce_id", b"1"))
    record = record_of(an_event(1, profile={})).replace(headers=headers)

    counted = Scoring().fold(record)
    rerouted = Scoring(replace(scoring_context(), partitions=64)).fold(record)

    assert [each.topic for each in counted.outputs if each.topic == DEAD_LETTERS] == []
    assert TIER_CHANGES in {each.topic for each in counted.outputs}
    (moved,) = [each for each in rerouted.outputs if each.topic == REROUTED_EVENTS]
    assert moved.headers[:2] == headers
