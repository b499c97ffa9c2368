"""Matching: the same items come out in whatever order refs are met, and contradictions part what they must."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from playhead.domain.identity.grouping import Evidence, Grouping, group_refs
from playhead.domain.identity.match import ClaimIndex, pack_number, unpack_number


def said(ref: int, *claims: str, number: int = 0, year: int = 0, item: int = 0) -> Evidence:
    return Evidence(ref, item or ref, tuple(claims), number, year)


def partition(grouping: Grouping) -> set[frozenset[int]]:
    return {frozenset(member.ref for member in group) for group in grouping.groups}


def conflicts(grouping: Grouping) -> set[frozenset[frozenset[int]]]:
    refs = [frozenset(member.ref for member in group) for group in grouping.groups]
    return {frozenset((refs[c.first], refs[c.second])) for c in grouping.conflicts}


def test_claims_in_common_and_none_against_make_one_item() -> None:
    """imdb joins one and two, tmdb two and three, though one and three share nothing."""
    grouping = group_refs(
        [said(1, "imdb:1"), said(2, "imdb:1", "tmdb:5"), said(3, "tmdb:5"), said(4, "tmdb:6")]
    )
    assert partition(grouping) == {frozenset({1, 2, 3}), frozenset({4})}
    assert grouping.conflicts == ()


def test_a_contradiction_parts_and_is_recorded_with_what_agrees_and_differs() -> None:
    """Same imdb, other tmdb: two items and one conflict."""
    grouping = group_refs([said(1, "imdb:1", "tmdb:5"), said(2, "imdb:1", "tmdb:6")])
    assert partition(grouping) == {frozenset({1}), frozenset({2})}
    [conflict] = grouping.conflicts
    assert (conflict.agree, conflict.differ) == (("imdb:1",), ("tmdb:5|tmdb:6",))


def test_a_ref_goes_where_most_agrees_and_nothing_contradicts() -> None:
    """Three sources against one: the wrong single id does not pull it over."""
    grouping = group_refs(
        [
            said(1, "imdb:1", "tmdb:1", "tvdb:1"),
            said(2, "imdb:2", "tmdb:2"),
            said(3, "tmdb:1", "tvdb:1", "anidb:9"),
        ]
    )
    assert partition(grouping) == {frozenset({1, 3}), frozenset({2})}


def test_movies_three_years_apart_are_different() -> None:
    """Two years are a matter of release dates."""
    near = group_refs([said(1, "imdb:1", year=2000), said(2, "imdb:1", year=2002)])
    far = group_refs([said(1, "imdb:1", year=2000), said(2, "imdb:1", year=2003)])
    assert (len(near.groups), len(far.groups), len(far.conflicts)) == (1, 2, 1)


def test_numbers_are_a_source_of_their_own() -> None:
    """They join what has no ids, and contradict within one show only."""
    joined = group_refs(
        [said(1, "tvdb:1", number=pack_number(7, 1, 2)), said(2, number=pack_number(7, 1, 2))]
    )
    other_number = group_refs(
        [said(1, "tvdb:1", number=pack_number(7, 1, 2)), said(2, "tvdb:1", number=pack_number(7, 1, 3))]
    )
    other_show = group_refs(
        [said(1, "tvdb:1", number=pack_number(7, 1, 2)), said(2, "tvdb:1", number=pack_number(8, 5, 3))]
    )
    assert (len(joined.groups), len(other_number.groups), len(other_show.groups)) == (1, 2, 1)
    assert other_number.conflicts[0].differ == ("numbers:episode:1x2|numbers:episode:1x3",)


def test_a_persons_decision_overrides_claims_both_ways() -> None:
    """Same joins what contradicts and is no conflict any more; different parts what agrees."""
    refs = [said(1, "imdb:1", "tmdb:5", item=11), said(2, "imdb:1", "tmdb:6", item=12)]
    same = group_refs(refs, same=frozenset({(11, 12)}))
    assert (len(same.groups), same.conflicts) == (1, ())
    agreeing = [said(1, "imdb:1", item=11), said(2, "imdb:1", item=12)]
    different = group_refs(agreeing, different=frozenset({(11, 12)}))
    assert (len(different.groups), different.conflicts) == (2, ())


def test_numbers_survive_packing() -> None:
    """Season 0 and years as seasons; nonsense packs to nothing."""
    for number in ((1, 0, 1), (9_999_999, 2024, 1_000_000), (5, 1, 0)):
        assert unpack_number(pack_number(*number)) == number
    assert [pack_number(1, None, 3), pack_number(0, 1, 1), pack_number(1, -1, 1)] == [0, 0, 0]


VALUES = st.integers(1, 3)


@st.composite
def evidence(draw: st.DrawFn) -> list[Evidence]:
    refs = []
    for ref in range(1, draw(st.integers(2, 6)) + 1):
        sources = draw(st.lists(st.sampled_from(["imdb", "tmdb", "tvdb"]), unique=True, max_size=3))
        claims = tuple(f"{source}:{draw(VALUES)}" for source in sorted(sources))
        number = pack_number(9, 1, draw(VALUES)) if draw(st.booleans()) else 0
        year = draw(st.sampled_from([0, 0, 1999, 2001, 2003]))
        refs.append(said(ref, *claims, number=number, year=year))
    return refs


@settings(max_examples=300, deadline=None)
@given(evidence(), st.randoms(use_true_random=False))
def test_the_order_of_refs_does_not_matter(refs: list[Evidence], random) -> None:  # type: ignore[no-untyped-def]
    """Any permutation gives the same items and the same conflicts."""
    shuffled = list(refs)
    random.shuffle(shuffled)
    one, other = group_refs(refs), group_refs(shuffled)
    assert partition(one) == partition(other)
    assert conflicts(one) == conflicts(other)


@settings(max_examples=300, deadline=None)
@given(evidence())
def test_no_item_contradicts_itself_and_no_agreement_is_lost(refs: list[Evidence]) -> None:
    """Within an item: one value of each source, years close, one number. Between items that share a claim: a conflict."""
    grouping = group_refs(refs)
    for group in grouping.groups:
        for source in ("imdb", "tmdb", "tvdb"):
            assert len({c for member in group for c in member.claims if c.startswith(source)}) <= 1
        assert len({member.number for member in group if member.number}) <= 1
        years = [member.year for member in group if member.year]
        assert not years or max(years) - min(years) < 3
    recorded = {frozenset((c.first, c.second)) for c in grouping.conflicts}
    for i, j in itertools.combinations(range(len(grouping.groups)), 2):
        keys = [
            {c for member in grouping.groups[k] for c in (*member.claims, member.number) if c} for k in (i, j)
        ]
        if keys[0] & keys[1]:
            assert frozenset((i, j)) in recorded


@settings(max_examples=300, deadline=None)
@given(evidence())
def test_what_the_index_joins_at_once_grouping_would_join_too(refs: list[Evidence]) -> None:
    """Where no ref is left unsettled, the stream's items are the groups."""
    index, items, unsettled = ClaimIndex(), {}, False
    for place, ref in enumerate(refs, 1):
        item = index.place(ref.claims, ref.number, ref.year, place)
        if item == ClaimIndex.UNSETTLED:
            unsettled = True
            break
        items.setdefault(item, set()).add(ref.ref)
    if not unsettled:
        silent = {frozenset({r.ref}) for r in refs if not r.claims and not r.number}
        assert {frozenset(group) for group in items.values()} - silent == partition(group_refs(refs)) - silent
