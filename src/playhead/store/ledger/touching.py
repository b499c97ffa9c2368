"""Which items a pass has to look at: those whose readings changed, and those that new refs or new accounts joined."""

from __future__ import annotations

from playhead.store.ledger.work import Work

_NEWEST_REF = "reconciled_ref"
_NEWEST_RUN = "reconciled_run"


class Touching(Work):
    """The list of items to look at."""

    def touch_new_refs(self) -> None:
        """Mark items that new refs joined and that have a state anywhere as touched; also what a person has, where one of
        their accounts was read completely for the first time: what it listed blank left no other trace."""
        seen, newest = self._seen(_NEWEST_REF), int(self._value("SELECT coalesce(max(id), 0) FROM ref") or 0)
        if newest > seen:
            self._touch_refs_after(seen)
            self._remember(_NEWEST_REF, newest)
        seen, newest = self._seen(_NEWEST_RUN), int(self._value("SELECT coalesce(max(id), 0) FROM run") or 0)
        if newest > seen:
            self._touch_accounts_after(seen)
            self._remember(_NEWEST_RUN, newest)

    def _touch_refs_after(self, seen: int) -> None:
        for source, key in (("ref", "id"), ("ref_span", "ref_id")):
            self._run(
                f"""INSERT INTO touched (item_id) SELECT DISTINCT n.item_id FROM {source} n
                WHERE n.{key} > :seen AND n.item_id IN (
                  SELECT item_id FROM agreed UNION SELECT r.item_id FROM state s JOIN ref r ON r.id = s.ref_id)
                ON CONFLICT DO NOTHING""",
                seen=seen,
            )

    def _touch_accounts_after(self, seen: int) -> None:
        self._run(
            """INSERT INTO touched (item_id) SELECT DISTINCT g.item_id FROM agreed g WHERE g.person_id IN (
              SELECT a.person_id FROM run n JOIN account a ON a.id = n.account_id
              WHERE n.kind = 'import' AND n.status = 'complete' GROUP BY n.account_id HAVING min(n.id) > :seen)
            ON CONFLICT DO NOTHING""",
            seen=seen,
        )

    def _seen(self, name: str) -> int:
        return int(self._value("SELECT value FROM fact WHERE name = :n", n=name) or 0)

    def _remember(self, name: str, newest: int) -> None:
        self._run(
            "INSERT INTO fact (name, value) VALUES (:n, :v) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            n=name,
            v=str(newest),
        )

    def count_touched(self) -> int:
        """Items that a pass has to look at."""
        return int(self._value("SELECT count(*) FROM touched"))

    def next_touched(self, after: int, limit: int) -> list[int]:
        """The next touched items by id."""
        rows = self._rows(
            "SELECT item_id FROM touched WHERE item_id > :after ORDER BY item_id LIMIT :limit",
            after=after,
            limit=limit,
        )
        return [row["item_id"] for row in rows]
