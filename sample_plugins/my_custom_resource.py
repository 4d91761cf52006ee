"""Tables in SQLite: in memory they move to the new code at every reload, in a file they stay."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Annotated, Any

from nebula_lab.plugin import Bounds, HealthStatus, Plugin, PluginError, operation

PLUGIN_API_VERSION = 1
READING = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION}

Row = dict[str, Any]
Rows = Annotated[list[Row], Bounds(min_length=1)]
Limit = Annotated[int, Bounds(ge=1, le=10_000)]


class MyCustomResource(Plugin):
    """A small database: insert rows, query them in SQL, delete them."""

    def initialize(self, config: dict[str, Any]) -> None:
        url = config.get("database_url", "sqlite://")
        if not url.startswith("sqlite://"):
            raise PluginError(f"no SQLite database: {url}", hint="Such as sqlite:////data/my.db.")
        self._path = url.removeprefix("sqlite://").removeprefix("/")
        self._db = sqlite3.connect(self._path or ":memory:", check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.execute(f"PRAGMA cache_size = {int(config.get('cache_size', 2000))}")

    @operation(idempotent=True)
    def query(self, sql: str, limit: Limit = 100, values: list[Any] | None = None) -> list[Row]:
        """The rows that a SELECT gives, at most `limit`; `values` stand for the ?s in it."""
        self._db.set_authorizer(lambda action, *_: int(action not in READING))
        try:
            with closing(self._db.execute(sql, values or [])) as cursor:
                return [dict(row) for row in cursor.fetchmany(limit)]
        finally:
            self._db.set_authorizer(None)

    @operation
    def insert(self, table: str, rows: Rows) -> int:
        """Add rows, to a new table with the first one's columns if need be; how many it has now."""
        columns = ", ".join(map(quoted, rows[0]))
        marks = ", ".join("?" * len(rows[0]))
        with self._db:
            self._db.execute(f"CREATE TABLE IF NOT EXISTS {quoted(table)} ({columns})")
            sql = f"INSERT INTO {quoted(table)} ({columns}) VALUES ({marks})"  # noqa: S608 - quoted
            self._db.executemany(sql, [[row[column] for column in rows[0]] for row in rows])
        return self._report(f"inserted {len(rows)} rows", table)

    @operation(idempotent=True)
    def delete(self, table: str, where: dict[str, Any]) -> int:
        """Remove the rows whose columns equal the values in `where`; how many are left."""
        if not where:
            raise PluginError("delete needs a condition", hint='Such as where={"name": "Ada"}.')
        test = " AND ".join(f"{quoted(column)} IS ?" for column in where)
        with self._db:
            sql = f"DELETE FROM {quoted(table)} WHERE {test}"  # noqa: S608 - quoted
            removed = self._db.execute(sql, [*where.values()]).rowcount
        return self._report(f"deleted {removed} rows", table)

    @operation(idempotent=True)
    def save_state(self) -> dict[str, Any]:
        """The whole database as bytes, or None for a file, which is there for the next one too."""
        return {"database": None if self._path else self._db.serialize()}

    @operation
    def restore_state(self, state: dict[str, Any]) -> None:
        """Put back what save_state gave, in place of what is there."""
        if state["database"] is not None:
            self._db.deserialize(state["database"])

    def health_check(self) -> HealthStatus:
        if self._path and not Path(self._path).exists():
            return HealthStatus.unhealthy(f"the database file {self._path} is gone")
        try:
            self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.Error as error:
            return HealthStatus.unhealthy(f"the database can't be read: {error}")
        return HealthStatus.HEALTHY

    def cleanup(self) -> None:
        self._db.close()

    def _report(self, what: str, table: str) -> int:
        """Let the others know: base_resource always, logger if it is there."""
        [[rows]] = self._db.execute(f"SELECT count(*) FROM {quoted(table)}")  # noqa: S608 - quoted
        entry = {"key": f"my_custom_resource/{table}", "value": {"rows": rows}}
        self.context.call("base_resource", "put", entry)
        with suppress(PluginError):  # the logger is optional: the rows are safe without it
            line = {"message": what, "source": "my_custom_resource", "fields": {"table": table}}
            self.context.call("logger", "write", line)
        return int(rows)


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def plugin_entry() -> MyCustomResource:
    return MyCustomResource()
