"""The seed's own example: tables in SQLite."""

from __future__ import annotations

import sqlite3

import pytest

from nebula_lab.plugin import HealthState, HealthStatus, PluginError

PEOPLE = [
    {"name": "Ada", "born": 1815, "active": True},
    {"name": "Alan", "born": 1912, "active": True},
    {"name": "Grace", "born": 1906, "active": False},
]


@pytest.fixture
def people(house):
    house.load("base_resource")
    house.load("logger")
    house.load("my_custom_resource")
    house.call("my_custom_resource", "insert", table="users", rows=PEOPLE)
    return house


def names(house) -> list[str]:
    rows = house.call("my_custom_resource", "query", sql="SELECT name FROM users ORDER BY name")
    return [row["name"] for row in rows]


def test_the_query_of_the_seed_gives_the_active_users(people):
    sql = "SELECT * FROM users WHERE active = true"
    rows = people.call("my_custom_resource", "query", sql=sql, limit=100)
    assert rows == [{**row, "active": 1} for row in PEOPLE[:2]]


def test_a_query_gives_no_more_rows_than_its_limit(people):
    assert len(people.call("my_custom_resource", "query", sql="SELECT * FROM users", limit=2)) == 2


def test_values_stand_for_the_question_marks_of_a_query(people):
    sql = "SELECT name FROM users WHERE born > ? AND born < ?"
    rows = people.call("my_custom_resource", "query", sql=sql, values=[1900, 1910])
    assert rows == [{"name": "Grace"}]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM users",
        "UPDATE users SET born = 0",
        "DROP TABLE users",
        "PRAGMA user_version = 3",
        "ATTACH 'other.db' AS other",
        "INSERT INTO users (name) SELECT name FROM users",
    ],
)
def test_a_query_changes_nothing(people, sql):
    with pytest.raises(sqlite3.DatabaseError, match=r"not authorized|prohibited"):
        people.call("my_custom_resource", "query", sql=sql)
    assert names(people) == ["Ada", "Alan", "Grace"]


def test_after_a_refused_query_rows_can_still_be_inserted(people):
    with pytest.raises(sqlite3.DatabaseError):
        people.call("my_custom_resource", "query", sql="DELETE FROM users")
    assert people.call("my_custom_resource", "insert", table="users", rows=[PEOPLE[0]]) == 4


def test_rows_that_do_not_all_fit_leave_the_table_as_it_was(people):
    with pytest.raises(KeyError):
        people.call("my_custom_resource", "insert", table="users", rows=[PEOPLE[0], {"name": "x"}])
    assert names(people) == ["Ada", "Alan", "Grace"]


def test_deleting_removes_the_rows_that_fit_and_says_how_many_are_left(people):
    assert people.call("my_custom_resource", "delete", table="users", where={"name": "Ada"}) == 2
    assert names(people) == ["Alan", "Grace"]


def test_deleting_without_a_condition_is_refused(people):
    with pytest.raises(PluginError, match="needs a condition"):
        people.call("my_custom_resource", "delete", table="users", where={})


def test_a_name_with_quotes_is_a_name_and_not_sql(people):
    table = 'x"; DROP TABLE users; --'
    people.call("my_custom_resource", "insert", table=table, rows=[{'a"b': 1}])
    assert names(people) == ["Ada", "Alan", "Grace"]


def test_what_is_inserted_is_told_to_the_base_resource(people):
    assert people.call("base_resource", "get", key="my_custom_resource/users") == {"rows": 3}


def test_what_is_inserted_is_told_to_the_logger(people):
    [line] = people.call("logger", "tail")
    assert (line["source"], line["message"]) == ("my_custom_resource", "inserted 3 rows")


def test_without_the_logger_rows_are_inserted_all_the_same(house):
    house.load("base_resource")
    house.load("my_custom_resource")
    assert house.call("my_custom_resource", "insert", table="users", rows=PEOPLE) == 3


def test_a_database_in_memory_goes_with_the_state(people):
    people.move("my_custom_resource")
    assert names(people) == ["Ada", "Alan", "Grace"]


def test_a_moved_database_takes_new_rows(people):
    people.move("my_custom_resource")
    assert people.call("my_custom_resource", "insert", table="users", rows=[PEOPLE[0]]) == 4


def test_restoring_puts_back_what_was_saved(people):
    state = people.call("my_custom_resource", "save_state")
    people.call("my_custom_resource", "delete", table="users", where={"name": "Ada"})
    people.call("my_custom_resource", "restore_state", state=state)
    assert names(people) == ["Ada", "Alan", "Grace"]


def test_a_database_file_is_there_for_the_next_life(house, tmp_path):
    url = f"sqlite:///{tmp_path / 'users.db'}"
    house.load("base_resource")
    house.load("my_custom_resource", database_url=url)
    house.call("my_custom_resource", "insert", table="users", rows=PEOPLE)
    assert house.call("my_custom_resource", "save_state") == {"database": None}
    house.move("my_custom_resource", database_url=url)
    assert names(house) == ["Ada", "Alan", "Grace"]


def test_a_database_of_another_kind_is_refused_with_the_cure(house):
    with pytest.raises(PluginError, match="sqlite:///"):
        house.load("my_custom_resource", database_url="postgresql://localhost/mydb")


def test_a_database_that_can_be_read_is_healthy(people):
    assert people.health("my_custom_resource") == HealthStatus.HEALTHY


@pytest.fixture
def database(house, tmp_path):
    house.load("base_resource")
    house.load("my_custom_resource", database_url=f"sqlite:///{tmp_path / 'users.db'}")
    house.call("my_custom_resource", "insert", table="users", rows=PEOPLE)
    return tmp_path / "users.db"


def test_a_database_file_that_is_gone_is_unhealthy(house, database):
    database.unlink()
    status = house.health("my_custom_resource")
    assert (status.state, "is gone" in status.message) == (HealthState.UNHEALTHY, True)


def test_a_database_file_that_was_overwritten_is_unhealthy(house, database):
    database.write_bytes(b"rubbish " * 1024)
    assert house.health("my_custom_resource").state is HealthState.UNHEALTHY
