"""The choice of an automatic re-run: what wants it, after a while, a few times."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.errors import BudgetExceeded
from itemeval_assets.core.money.projection.estimate import NOTHING, Projection
from itemeval_assets.core.records.reruns import Attempts, Decision, admit, choose

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
G, OTHER, PAIR = map(Partition, (("g",), ("h",), ("g", "judge")))


def decide(
    wanting: dict[Partition, str],
    attempts: dict[Partition, Attempts] | None = None,
    in_progress: set[Partition] | None = None,
    now: datetime = NOW,
) -> Decision:
    return choose(
        wanting,
        in_progress or set(),
        attempts or {},
        now,
        max_attempts=3,
        retry_after=10 * MINUTE,
    )


def test_what_wants_something_is_asked_for() -> None:
    found = decide({G: "2 errored"})
    assert found.chosen == [G] and not found.left_out
    assert decide({}).in_words().startswith("every partition is complete")


def test_each_attempt_waits_twice_as_long() -> None:
    for made, minutes in ((1, 10), (2, 20)):
        tried = {G: Attempts(made, NOW)}
        early = decide({G: "x"}, tried, now=NOW + (minutes - 1) * MINUTE)
        assert early.chosen == [] and "next attempt after" in early.left_out[G]
        assert decide({G: "x"}, tried, now=NOW + minutes * MINUTE).chosen == [G]


def test_after_three_attempts_it_is_given_up_until_it_is_reset_or_sound() -> None:
    tried = {G: Attempts(3, NOW)}
    found = decide({G: "1 errored"}, tried, now=NOW + timedelta(days=9))
    assert (found.chosen, found.given_up) == ([], [G])
    assert found.left_out[G] == "1 errored; given up after 3 attempts"
    assert decide({G: "1 errored"}).chosen == [G]  # reset


def test_what_a_run_is_calling_is_left_alone() -> None:
    found = decide({G: "x", PAIR: "y", OTHER: "z"}, in_progress={G})
    assert found.chosen == [OTHER]
    assert "a run is making its calls" in found.left_out[G]
    assert "its solutions" in found.left_out[PAIR]


def test_gradings_wait_for_solutions_that_are_asked_for_now() -> None:
    found = decide({PAIR: "1 missing", G: "1 errored"})
    assert found.chosen == [G] and "waits for its solutions" in found.left_out[PAIR]


PARTITIONS = st.sampled_from([G, OTHER, PAIR, Partition(("h", "judge"))])


@given(
    st.dictionaries(PARTITIONS, st.just("1 errored")),
    st.sets(PARTITIONS),
    st.dictionaries(
        PARTITIONS, st.builds(Attempts, st.integers(1, 5), st.datetimes(timezones=st.just(UTC)))
    ),
)
def test_every_wanting_partition_is_chosen_or_has_a_reason(
    wanting: dict[Partition, str],
    in_progress: set[Partition],
    attempts: dict[Partition, Attempts],
) -> None:
    found = decide(wanting, attempts, in_progress)
    assert set(found.chosen) | set(found.left_out) == set(wanting)
    assert not set(found.chosen) & set(found.left_out)
    assert not set(found.chosen) & in_progress
    assert set(found.given_up) <= set(found.left_out)
    assert all(part not in attempts or attempts[part].made < 3 for part in found.chosen)


@given(
    st.lists(st.tuples(PARTITIONS, st.floats(0, 10)), unique_by=lambda entry: entry[0]),
    st.floats(0, 20),
)
def test_what_is_admitted_fits_together_and_nothing_more_would(
    wanted: list[tuple[Partition, float]], allowed: float
) -> None:
    def allow(projection: Projection) -> None:
        if projection.usd > allowed:
            raise BudgetExceeded("over the cap")

    order = [part for part, _ in wanted]
    projections = {part: NOTHING._replace(usd=usd) for part, usd in wanted}
    found = admit(
        Decision(order, {}, []), dict.fromkeys(order, "1 missing"), projections, {}, allow
    )
    assert found.chosen == [part for part in order if part not in found.left_out]
    assert set(found.refused) == set(found.left_out)
    spent = 0.0
    for part, usd in wanted:
        fits = spent + usd <= allowed
        assert (part in found.chosen) == fits
        spent += usd if fits else 0.0
