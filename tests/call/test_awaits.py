"""Operations as methods: coroutine functions with the operations' own signatures, on the class as on the instance."""

import inspect
import pydoc
import subprocess
import sys
from typing import get_type_hints
from unittest.mock import AsyncMock, create_autospec

import pytest

from aiorescue import AuthCode, InfoRouterClient, RescueClient, rescue
from aiorescue.call.awaits import awaits, operations_of
from aiorescue.operation import Operation, operation

METHODS = [
    pytest.param(client, name, id=f"{client.__name__}.{name}")
    for client in (RescueClient, InfoRouterClient)
    for name in operations_of(client)
]


@pytest.mark.parametrize(("client", "name"), METHODS)
def test_a_method_is_a_coroutine_function_under_its_own_name(client: type, name: str):
    method = getattr(client, name)
    assert inspect.iscoroutinefunction(method)
    assert (method.__name__, method.__qualname__) == (name, f"{client.__name__}.{name}")
    assert method.__module__ == client.__module__
    assert method.__doc__ == operations_of(client)[name].__doc__


@pytest.mark.parametrize(("client", "name"), METHODS)
def test_a_method_takes_what_the_operation_takes(client: type, name: str):
    first, *others = inspect.signature(getattr(client, name)).parameters.values()
    taken = inspect.signature(operations_of(client)[name]).parameters.values()
    assert first.name == "self"
    assert [(one.name, one.kind, one.default) for one in others] == [(one.name, one.kind, one.default) for one in taken]


def test_a_class_that_is_no_complete_operation_is_refused_with_what_it_lacks():
    class Bare(Operation[None]):
        spec = rescue.HoldSession.spec

    @operation
    class Undeclared(Operation[None]):
        """Do nothing."""

    with pytest.raises(TypeError, match="Bare is no operation type: put @operation above the class"):
        awaits(Bare)
    with pytest.raises(TypeError, match=r"Undeclared has no declaration: add spec = declare\(…\) to the class"):
        awaits(Undeclared)


def test_a_signature_reads_as_a_program_needs_it():
    assert str(inspect.signature(RescueClient.close_session)) == "(self, session: int) -> None"
    assert inspect.signature(RescueClient.request_pin_code).return_annotation is rescue.PinCode


@pytest.mark.parametrize(("client", "name"), METHODS)
def test_type_hints_are_those_of_the_signature(client: type, name: str):
    method = getattr(client, name)
    signature = inspect.signature(method)
    hints = get_type_hints(method)
    assert hints.pop("return") == (signature.return_annotation or type(None))
    assert hints == {one.name: one.annotation for one in list(signature.parameters.values())[1:]}
    assert inspect.Parameter.empty not in hints.values()


async def test_on_the_instance_a_method_is_bound():
    async with RescueClient(AuthCode("fixedtech0000")) as client:
        assert inspect.iscoroutinefunction(client.close_session)
        assert str(inspect.signature(client.close_session)) == "(session: int) -> None"


def test_help_shows_signature_and_description():
    shown = pydoc.render_doc(RescueClient.close_session, renderer=pydoc.plaintext)
    assert "async close_session(self, session: int) -> None" in shown
    assert "Close a session." in shown


async def test_a_mock_with_the_client_as_spec_is_awaited():
    client = AsyncMock(spec=RescueClient)
    client.request_pin_code.return_value = "012345"
    assert await client.request_pin_code() == "012345"


async def test_an_autospec_refuses_arguments_that_the_operation_lacks():
    client = create_autospec(RescueClient, instance=True)
    await client.close_session(42)
    client.close_session.assert_awaited_once_with(42)
    with pytest.raises(TypeError, match="session"):
        client.close_session()
    with pytest.raises(TypeError, match="node"):
        client.close_session(42, node=7)


def test_a_program_imports_the_operations_that_it_uses_and_no_other():
    source = """
import inspect, sys
from aiorescue import RescueClient
topics = lambda: {name.rpartition(".")[2] for name in sys.modules} & {"pins", "users", "sessions", "catalogue"}
print(sorted(topics()), RescueClient.request_pin_code.__name__, sorted(topics()))
print(sorted(name for name, _ in inspect.getmembers(RescueClient, inspect.iscoroutinefunction) if name[0] != "_")[:2])
from aiorescue.rescue import *
print(CreateUser.__name__, sorted(topics()))
"""
    shown = subprocess.run([sys.executable, "-c", source], check=True, capture_output=True, text=True).stdout
    assert shown.splitlines() == [
        "[] request_pin_code ['pins']",
        "['aclose', 'assign_channel']",
        "CreateUser ['catalogue', 'pins', 'sessions', 'users']",
    ]


def test_a_method_that_was_not_looked_up_yet_is_patched_as_any_coroutine_function():
    source = """
import asyncio, inspect
from unittest.mock import AsyncMock, patch
from aiorescue import RescueClient

async def main():
    strict = patch.object(RescueClient, "close_session", autospec=True)
    with strict, patch.object(RescueClient, "hold_session") as plain:
        async with RescueClient() as client:
            await client.hold_session("anything")
            await client.close_session(5)
            plain.assert_awaited_once_with("anything")
            try:
                await client.close_session()
            except TypeError as problem:
                print(type(plain).__name__, problem)
    found = vars(RescueClient)["create_user"]
    print(inspect.isfunction(found), inspect.iscoroutinefunction(found), found.__qualname__)

asyncio.run(main())
print(inspect.signature(RescueClient.close_session))
"""
    shown = subprocess.run([sys.executable, "-c", source], check=True, capture_output=True, text=True).stdout
    assert shown.splitlines() == [
        "AsyncMock missing a required argument: 'session'",
        "True True RescueClient.create_user",
        "(self, session: int) -> None",
    ]
