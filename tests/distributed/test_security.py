"""Rights of one role, encrypted connections, and what lies in which table."""

import re
import subprocess
import sys

import psycopg
import pytest
import trustme

from aiorescue import AuthCode, Pace, errors
from aiorescue.bulk import distributed
from aiorescue.rescue import RequestPinCode
from tests.lab.distributed.tls import encrypted


def requests(count):
    return [RequestPinCode(tracking=f"CASE-{n}", no_tech_console=True) for n in range(count)]


async def finished(database, service, count, code="fixedtech0000"):
    service.limits.pin_rate = 50.0
    await distributed.submit(database, "spring", requests(count), identities=["north"])
    await distributed.work(
        database, {"north": AuthCode(code)}, base_url=service.url, pace=Pace(pins=50), until_done=True
    )
    return [one.pin.code async for one in distributed.results(database, "spring")]


def as_role(database, role):
    return re.sub("//[^@]*@", f"//{role}@", database)


@pytest.fixture
def owner(database):
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection
        for role in ("rescue_worker", "stranger"):
            connection.execute(f"DROP OWNED BY {role} CASCADE".encode())
            connection.execute(f"DROP ROLE {role}".encode())


async def test_one_role_with_the_documented_rights_can_do_all_and_another_one_nothing(database, owner, rescue_emulator):
    owner.execute("CREATE ROLE rescue_worker LOGIN")
    owner.execute("CREATE ROLE stranger LOGIN")
    owner.execute("CREATE TABLE public.payroll (salary int)")
    name = owner.execute("SELECT current_database()").fetchone()[0]
    owner.execute(f"GRANT CREATE ON DATABASE {name} TO rescue_worker".encode())
    url = as_role(database, "rescue_worker")
    await distributed.submit(url, "first", requests(1), identities=["north"])
    owner.execute(f"REVOKE CREATE ON DATABASE {name} FROM rescue_worker".encode())
    assert len(await finished(url, rescue_emulator, 5)) == 5
    assert (await distributed.status(url, "spring")).issued == 5
    assert await distributed.retry(url, "spring") == 0
    await distributed.delete(url, "first")
    with psycopg.connect(url, autocommit=True) as connection:
        for more in (
            "SELECT * FROM public.payroll",
            "CREATE SCHEMA mine",
            "CREATE ROLE mine",
            "CREATE TABLE public.a ()",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(more.encode())
    with pytest.raises(errors.JournalError, match="permission denied"):
        await distributed.status(as_role(database, "stranger"), "spring")


async def test_pins_lie_in_one_table_and_credentials_in_none(database, rescue_emulator):
    pins = await finished(database, rescue_emulator, 8)
    with psycopg.connect(database) as connection:
        tables = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        rows = {
            table: connection.execute(f"SELECT t::text FROM {schema}.{table} t".encode()).fetchall()
            for schema, table in tables
        }
    assert {table for table, found in rows.items() if any(pin in str(found) for pin in pins)} == {"request"}
    assert "fixedtech0000" not in str(rows)
    assert {schema for schema, _ in tables} == {"aiorescue"}


async def test_a_database_is_reached_by_tls_that_is_verified(database, postgres, rescue_emulator, tmp_path):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    name = re.search(r"/(test\d+)", database)[1]
    async with encrypted(postgres.socket, authority.issue_cert("localhost")) as port:
        url = f"postgresql://postgres:hidden-password@localhost:{port}/{name}?sslmode=verify-full&sslrootcert="
        assert len(await finished(f"{url}{tmp_path / 'ca.pem'}", rescue_emulator, 3)) == 3
        address = url.replace("@localhost", "@127.0.0.1")
        for refused in (f"{url}{tmp_path / 'other.pem'}", f"{address}{tmp_path / 'ca.pem'}"):
            with pytest.raises(errors.JournalError, match="certificate") as raised:
                await distributed.status(refused, "spring")
            assert "hidden-password" not in str(raised.value)


def test_without_psycopg_the_message_names_the_extra():
    program = "import sys; sys.modules['psycopg'] = None; import aiorescue.bulk.distributed"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "pip install 'aiorescue[distributed]'" in ended.stderr.splitlines()[-1]
