"""Which logins are proposed to be one person's, and which are asked about."""

from __future__ import annotations

import pytest

from playhead.flows.people import Place, Proposals, find_user, propose, refuse_second_login
from playhead.ports.backend import RemoteUser
from playhead.ports.errors import NotFound, UsageError


def at(
    server: str,
    name: str,
    person: str | None = None,
    *,
    id: str | None = None,
    mail: str | None = None,
    plex: str | None = None,
) -> Place:
    user = RemoteUser(id or f"{server}-{name}", name, mail=mail, world_id=plex)
    return Place(server, server.rstrip("12"), server, user, person)


def sure(found: Proposals) -> dict[str, list[str]]:
    return {
        proposal.person: [f"{place.connection}:{place.user.name}" for place in proposal.places]
        for proposal in found.sure
    }


def test_the_same_name_is_proposed_whatever_its_case() -> None:
    """Of several spellings the one that most servers have; who is alone is not proposed."""
    found = propose([at("plex", "Sam"), at("emby", "sam"), at("jellyfin", "sam"), at("emby", "root")], [])
    assert sure(found) == {"Sam": ["plex:Sam", "emby:sam", "jellyfin:sam"]}
    assert found.sure[0].why == "same name" and not found.sure[0].known
    assert [place.user.name for place in found.alone] == ["root"]
    assert found.doubts == ()


def test_mail_and_plex_id_join_what_has_different_names() -> None:
    """A login that is called by a mail address counts as one; names that are merely alike do not."""
    found = propose(
        [
            at("plex1", "sammy", plex="7", mail="Sam@Example.com"),
            at("plex2", "Sam the owner", plex="7"),
            at("emby", "sam@example.com"),
            at("jellyfin", "samm"),
        ],
        [],
    )
    assert sure(found) == {"sammy": ["plex1:sammy", "plex2:Sam the owner", "emby:sam@example.com"]}
    assert found.sure[0].why == "same mail address and Plex account"
    assert [place.user.name for place in found.alone] == ["samm"]


def test_a_known_person_is_found_by_name_and_by_the_logins_they_have() -> None:
    """Also one who was only named."""
    places = [
        at("plex", "ally", "alice", plex="3"),
        at("plex2", "other", plex="3"),
        at("emby", "ALLY"),
        at("jellyfin", "alice"),
        at("jellyfin", "Kim"),
    ]
    found = propose(places, ["alice", "kim"])
    assert sure(found) == {
        "alice": ["plex2:other", "emby:ALLY", "jellyfin:alice"],
        "kim": ["jellyfin:Kim"],
    }
    assert all(proposal.known for proposal in found.sure)


def test_a_name_that_fits_two_persons_is_asked() -> None:
    """Never guessed, whichever of them comes first."""
    places = [at("plex", "sam", "alice"), at("emby", "sam"), at("jellyfin", "alice")]
    for persons in (["alice", "sam"], ["sam", "alice"]):
        found = propose(places, persons)
        (doubt,) = found.doubts
        assert (doubt.place.connection, set(doubt.persons)) == ("emby", {"alice", "sam"})
        assert sure(found) == {"alice": ["jellyfin:alice"]}


@pytest.mark.parametrize(
    ("places", "why"),
    [
        ([at("plex1", "sam", plex="1"), at("plex2", "sam", plex="2")], "different Plex accounts"),
        ([at("plex", "sam", mail="a@x"), at("emby", "sam", mail="b@x")], "different mail addresses"),
        ([at("emby", "sam", id="1"), at("emby", "Sam", id="2")], "two logins on emby"),
    ],
)
def test_what_contradicts_itself_is_asked(places: list[Place], why: str) -> None:
    """Strangers among themselves, and beside a person."""
    found = propose(places, [])
    assert found.sure == () and len(found.doubts) == 2
    assert all(why in doubt.why for doubt in found.doubts)
    found = propose([Place(*_fields(places[0]), "sam"), places[1]], ["sam"])
    assert found.sure == () and [doubt.persons for doubt in found.doubts] == [("sam",)]
    assert why in found.doubts[0].why
    found = propose(places, ["sam"])
    assert found.sure == () and {doubt.persons for doubt in found.doubts} == {("sam",)}


def _fields(place: Place) -> tuple[str, str, str, RemoteUser]:
    return place.connection, place.kind, place.server_id, place.user


def test_who_is_linked_is_never_proposed_again() -> None:
    """Nor asked about."""
    found = propose([at("plex", "sam", "sam"), at("emby", "sam", "alice")], ["sam", "alice"])
    assert (found.sure, found.doubts, found.alone) == ((), (), ())


def test_a_login_is_meant_by_id_before_name() -> None:
    """A name that is another's id means that one; a name that two have means neither."""
    users = [
        RemoteUser("aa-1", "sam"),
        RemoteUser("2", "aa1"),
        RemoteUser("3", "Kim"),
        RemoteUser("4", "kim"),
    ]
    assert find_user(users, "AA1", "X").name == "sam"
    assert find_user(users, "SAM", "X").id == "aa-1"
    with pytest.raises(UsageError, match="3, 4"):
        find_user(users, "kim", "X")
    with pytest.raises(NotFound, match="Logins there: Kim, aa1, kim, sam"):
        find_user(users, "nobody", "X")


def test_a_second_login_on_a_server_has_to_be_meant() -> None:
    """The same one again is no second one."""
    linked = {("Plex", "1"): "alice", ("Plex", "2"): "bob"}
    refuse_second_login("bob", linked, RemoteUser("2", "b"), "Plex")
    refuse_second_login("carol", linked, RemoteUser("3", "c"), "Plex")
    with pytest.raises(UsageError, match="--also"):
        refuse_second_login("BOB", linked, RemoteUser("3", "c"), "Plex")
