"""The questions for a person: what a guard held, kept until it is answered or no longer the case."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import RowMapping

from playhead.domain.reconcile.guards import Question, describe_conflict, describe_shrunk
from playhead.domain.reconcile.news import BACK_MARGIN_S
from playhead.ports.ledger import Answer, HeldRow
from playhead.store.ledger.rows import encode
from playhead.store.ledger.work import Work
from playhead.store.regroup import regroup_unsettled
from playhead.store.verdict import ACCEPT_SHRUNK

WENT_BACK_S = 6 * 3600
_WENT_BACK = "went_back:"  # a fact for each connection: when an older date than before was noticed there
_SHRUNK = """
SELECT r.account_id, a.person_id, c.name, r.message, r.id
FROM run r JOIN account a ON a.id = r.account_id JOIN connection c ON c.id = a.connection_id
WHERE r.status = 'shrunk' AND r.id = (SELECT max(n.id) FROM run n WHERE n.account_id = r.account_id AND n.kind = 'import')"""

_CONFLICTS = """
SELECT k.id, k.item_id, k.other_id, k.agree, k.differ, i.title AS title, i.year AS year, o.title AS other_title,
       o.year AS other_year
FROM conflict k JOIN item i ON i.id = k.item_id JOIN item o ON o.id = k.other_id
WHERE k.decision IS NULL AND EXISTS (
  SELECT 1 FROM person p
  LEFT JOIN agreed x ON x.person_id = p.id AND x.item_id = k.item_id
  LEFT JOIN agreed y ON y.person_id = p.id AND y.item_id = k.other_id
  WHERE coalesce(x.watched, FALSE) <> coalesce(y.watched, FALSE) OR coalesce(x.position_s, 0) <> coalesce(y.position_s, 0))
ORDER BY k.id"""


class Questions(Work):
    """The guards' side of the ledger."""

    def find_shrunk(self) -> list[Question]:
        """A question for each account whose newest list was far too short."""
        return [
            Question(
                f"shrunk:{row['account_id']}",
                "shrunk",
                describe_shrunk(row["name"], row["message"]),
                row["person_id"],
                row["account_id"],
            )
            for row in self._rows(_SHRUNK)
        ]

    def find_conflicts(self) -> list[tuple[Question, dict[str, Any]]]:
        """A question for each open contradiction over which something would have to be written."""
        found = []
        for row in self._rows(_CONFLICTS):
            titles = [_title(row["title"], row["year"]), _title(row["other_title"], row["other_year"])]
            text = describe_conflict(
                titles, row["agree"].replace(" ", ", "), row["differ"].replace(" ", ", ")
            )
            detail = {"conflict": row["id"], "items": [row["item_id"], row["other_id"]]}
            found.append((Question(f"conflict:{row['id']}", "conflict", text), detail))
        return found

    def ask(self, questions: Sequence[tuple[Question, Any]], kinds: Collection[str], now: int) -> None:
        """Keep the questions of these kinds: new ones are added, those not asked again are closed as gone."""
        known = {row["key"]: row["id"] for row in self._rows("SELECT id, key FROM held WHERE answer IS NULL")}
        for question, detail in questions:
            values = {"text": question.text, "detail": encode(detail)}
            if question.key in known:
                self._run(
                    "UPDATE held SET question = :text, detail = :detail WHERE id = :id",
                    id=known[question.key],
                    **values,
                )
                continue
            self._run(
                """INSERT INTO held (key, kind, connection_id, person_id, question, detail, asked_at) VALUES (:key, :kind,
                (SELECT connection_id FROM account WHERE id = :account), :person, :text, :detail, :now)""",
                key=question.key,
                kind=question.kind,
                account=question.account_id,
                person=question.person_id,
                now=now,
                **values,
            )
        asked = {question.key for question, _ in questions}
        for key, held_id in known.items():
            if key.partition(":")[0] in kinds and key not in asked:
                self._run(
                    "UPDATE held SET answer = 'gone', answered_at = :now WHERE id = :id", now=now, id=held_id
                )

    def list_held(self, *, all_rows: bool = False) -> list[HeldRow]:
        """Open questions, or all that were ever asked."""
        where = "" if all_rows else "WHERE h.answer IS NULL"
        rows = self._rows(
            f"""SELECT h.*, c.name AS connection, p.name AS person FROM held h
            LEFT JOIN connection c ON c.id = h.connection_id LEFT JOIN person p ON p.id = h.person_id {where} ORDER BY h.id"""
        )
        return [_read_held(row) for row in rows]

    def answer_held(self, held_id: int, answer: str, now: int) -> HeldRow | None:
        """Store a person's answer; None where there is no such open question."""
        changed = self._run(
            "UPDATE held SET answer = :a, answered_at = :now WHERE id = :id AND answer IS NULL",
            a=answer,
            now=now,
            id=held_id,
        )
        if not changed:
            return None
        return next(row for row in self.list_held(all_rows=True) if row.id == held_id)

    def decide_conflict(self, conflict_id: int, decision: str, now: int) -> None:
        """Treat two items as the "same" or as "different" from now on."""
        self._run("UPDATE conflict SET decision = :d WHERE id = :id", d=decision, id=conflict_id)
        for column in ("item_id", "other_id"):
            self._run(
                f"""INSERT INTO unsettled (item_id) SELECT {column} FROM conflict WHERE id = :id
                ON CONFLICT DO NOTHING""",
                id=conflict_id,
            )
        regroup_unsettled(self._connection, now)

    def accept_shrunk(self, account_id: int) -> None:
        """Believe the account's next list even if it is as short as the last one."""
        self._run(
            "INSERT INTO fact (name, value) VALUES (:n, '1') ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            n=f"{ACCEPT_SHRUNK}{account_id}",
        )

    def list_asked_removals(self) -> set[tuple[int, int]]:
        """What open questions about removals ask, by account and ref."""
        rows = self._rows("SELECT detail FROM held WHERE kind = 'removals' AND answer IS NULL")
        return {
            (account, ref) for row in rows for account, ref in msgspec.json.decode(row["detail"])["slots"]
        }

    def note_went_back(self, accounts: Collection[int], now: int) -> None:
        """Dates of these accounts' servers went back."""
        for account in accounts:
            self._run(
                """INSERT INTO fact (name, value) SELECT :fact || connection_id, :now FROM account WHERE id = :account
                ON CONFLICT (name) DO UPDATE SET value = excluded.value""",
                fact=_WENT_BACK,
                now=str(now),
                account=account,
            )

    def find_restored(self, accounts: Collection[int], now: int) -> set[int]:
        """Those of the accounts whose servers' dates went back within the last hours, for whatever account there: noted, or read
        and not settled yet."""
        noted = {
            int(row["name"].removeprefix(_WENT_BACK))
            for row in self._rows("SELECT name, value FROM fact WHERE name LIKE :p", p=f"{_WENT_BACK}%")
            if now - int(row["value"]) <= WENT_BACK_S
        }
        read = self._rows(
            """SELECT DISTINCT r.connection_id AS id FROM state s JOIN ref r ON r.id = s.ref_id
            WHERE s.last_played < s.b_last_played - :margin AND s.watched IS NOT NULL AND r.gone_at IS NULL""",
            margin=BACK_MARGIN_S,
        )
        servers = noted | {row["id"] for row in read}
        rows = self._rows("SELECT id, connection_id FROM account")
        return {row["id"] for row in rows if row["id"] in accounts and row["connection_id"] in servers}

    def removal_answers(self) -> dict[tuple[int, int], Answer]:
        """The newest answers on held removals, by account and ref."""
        answers: dict[tuple[int, int], Answer] = {}
        rows = self._rows(
            """SELECT answer, answered_at, detail FROM held WHERE kind = 'removals' AND answer IN ('release', 'drop')
            ORDER BY answered_at, id"""
        )
        for row in rows:
            for account, ref in msgspec.json.decode(row["detail"])["slots"]:
                answers[account, ref] = Answer(row["answer"], row["answered_at"])
        return answers


def _title(title: str, year: int | None) -> str:
    return f"{title} ({year})" if year else title


def _read_held(row: RowMapping) -> HeldRow:
    return HeldRow(
        row["id"],
        row["key"],
        row["kind"],
        row["question"],
        row["connection"],
        row["person"],
        row["asked_at"],
        row["answer"],
        msgspec.json.decode(row["detail"]),
    )
