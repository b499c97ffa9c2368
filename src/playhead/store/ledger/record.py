"""Reads the record: what was decided and written, by whom and why, and how things stand for one item."""

from __future__ import annotations

from typing import Any

import msgspec

from playhead.store.ledger.work import Work

_SLOTS = """
SELECT r.id AS ref_id, c.name AS connection, p.name AS person, a.name AS account, a.id AS account_id, a.person_id,
       l.title AS library, r.native_id, r.files, r.claims, r.matched_by, r.runtime_s, r.span, r.gone_at,
       s.watched, s.plays, s.last_played, s.position_s, s.rating, s.favourite, s.unplayed, s.read_at, s.run_id,
       s.b_watched, s.b_plays, s.b_last_played, s.b_position_s, s.b_at, s.written_at
FROM ref r JOIN connection c ON c.id = r.connection_id JOIN account a ON a.connection_id = c.id
JOIN person p ON p.id = a.person_id LEFT JOIN library l ON l.id = r.library_id
LEFT JOIN state s ON s.account_id = a.id AND s.ref_id = r.id
WHERE r.item_id = :item OR r.id IN (SELECT ref_id FROM ref_span WHERE item_id = :item)
ORDER BY p.name, c.name, r.id"""

_FILTER = "(:item IS NULL OR x.item_id = :item) AND (:person IS NULL OR x.person_id = :person)"


class Record(Work):
    """The part of the ledger that explains."""

    def find_items(self, words: str, limit: int) -> list[int]:
        """Items by id, claim, or words of their titles on any server; exact titles first."""
        if words.isdigit() and self._value(
            "SELECT 1 FROM item WHERE id = :id AND kind <> 'show'", id=int(words)
        ):
            return [int(words)]
        by_claim = self._rows(
            "SELECT item_id FROM claim WHERE value = :v OR value LIKE :like LIMIT :n",
            **_claim(words),
            n=limit,
        )
        if by_claim:
            return [row["item_id"] for row in by_claim]
        pattern = "%" + "%".join(words.split()) + "%"
        rows = self._rows(
            """SELECT i.id FROM item i LEFT JOIN item s ON s.id = i.show_id
            WHERE i.kind <> 'show' AND (i.title LIKE :p
              OR EXISTS (SELECT 1 FROM also_title o WHERE o.item_id = i.id AND o.title LIKE :p)
              OR EXISTS (SELECT 1 FROM (SELECT coalesce(s.title, '') AS title
                                        UNION ALL SELECT o.title FROM also_title o WHERE o.item_id = i.show_id) t
                WHERE t.title || ' ' || i.title LIKE :p
                  OR t.title || ' s' || CASE WHEN i.season < 10 THEN '0' ELSE '' END || i.season
                     || 'e' || CASE WHEN i.episode < 10 THEN '0' ELSE '' END || i.episode LIKE :p))
            ORDER BY lower(i.title) <> lower(:w), i.id LIMIT :n""",
            p=pattern,
            w=words,
            n=limit,
        )
        return [row["id"] for row in rows]

    def list_slots(self, item_id: int) -> list[dict[str, Any]]:
        """Every account's place for an item."""
        return [dict(row) for row in self._rows(_SLOTS, item=item_id)]

    def list_decisions(
        self, *, item_id: int | None, person_id: int | None, limit: int
    ) -> list[dict[str, Any]]:
        """Changes of agreed values, newest first."""
        rows = self._rows(
            f"""SELECT x.*, p.name AS person, c.name AS connection FROM decision x JOIN person p ON p.id = x.person_id
            LEFT JOIN account a ON a.id = x.account_id LEFT JOIN connection c ON c.id = a.connection_id
            WHERE {_FILTER} ORDER BY x.id DESC LIMIT :n""",
            item=item_id,
            person=person_id,
            n=limit,
        )
        return [_decoded(dict(row)) for row in rows]

    def list_changes(self, *, item_id: int | None, person_id: int | None, limit: int) -> list[dict[str, Any]]:
        """Writes to servers, newest first."""
        rows = self._rows(
            f"""SELECT x.*, p.name AS person, c.name AS connection FROM change x JOIN person p ON p.id = x.person_id
            JOIN account a ON a.id = x.account_id JOIN connection c ON c.id = a.connection_id
            WHERE {_FILTER} ORDER BY x.id DESC LIMIT :n""",
            item=item_id,
            person=person_id,
            n=limit,
        )
        return [_decoded(dict(row)) for row in rows]

    def list_conflicts(self, item_id: int) -> list[dict[str, Any]]:
        """Contradictions that an item stands in."""
        rows = self._rows(
            """SELECT k.*, o.title AS other_title, o.year AS other_year FROM conflict k
            JOIN item o ON o.id = CASE WHEN k.item_id = :item THEN k.other_id ELSE k.item_id END
            WHERE k.item_id = :item OR k.other_id = :item ORDER BY k.id""",
            item=item_id,
        )
        return [dict(row) for row in rows]


def _claim(words: str) -> dict[str, str]:
    source, _, rest = words.partition(":")
    value = rest.rpartition(":")[2]
    return {"v": words, "like": f"{source}:%:{value}" if source and value else words}


def _decoded(row: dict[str, Any]) -> dict[str, Any]:
    row["old"], row["new"] = msgspec.json.decode(row["old"]), msgspec.json.decode(row["new"])
    return row
