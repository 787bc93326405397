"""Calls that only read, as an identity of the account, over the bindings that keep the auth code out of URLs."""

from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any, Final

import attrs

from aiorescue import RescueClient, errors
from aiorescue.cli.check.live.answers import TriedCall, compared, name_of, try_call, word_of
from aiorescue.cli.check.live.result import Check, Comparison
from aiorescue.cli.status import Status, status_of
from aiorescue.operation import Binding, Operation
from aiorescue.rescue import (
    Account,
    GetAccount,
    GetAccountV2,
    GetChat,
    GetDelimiter,
    GetGroup,
    GetGroupV2,
    GetHierarchy,
    GetHierarchyV2,
    GetNote,
    GetOutput,
    GetReportArea,
    GetReportAreaV2,
    GetReportAreaV8,
    GetReportDate,
    GetReportTime,
    GetReportType,
    GetSession,
    GetSessionV2,
    GetSessionV3,
    GetTimeZone,
    GetUser,
    GetUserV2,
    GetUserV3,
    Hierarchy,
    IsAnyTechAvailableOnChannel,
    NodeType,
)

#: The bindings that are called, of those that an operation declares. A GET would put the auth code into a URL.
_CALLED: Final = (Binding.SOAP11, Binding.SOAP12, Binding.TEXT_POST)
_REPORT_STATE = (
    *(GetReportArea, GetReportAreaV2, GetReportAreaV8, GetReportType, GetReportDate, GetReportTime),
    *(GetTimeZone, GetDelimiter, GetOutput),
)
_GROUPS = (NodeType.TECHNICIAN_GROUP, NodeType.ADMINISTRATOR_GROUP)
#: Errors of the way to the service, after which more calls are of no use.
_AWAY = (errors.ConnectionFailed, errors.RequestTimeout)


@attrs.define
class ReadingCheck:
    """The reading calls as one identity.

    Attributes:
        client: makes the calls; it has one identity.
        session: id of a session whose chat and note are read; None for none.
        trouble: the exit status that the credentials or the service ask for, if they ended the calls early.
        node: the identity's own node, once it is known; else 0.
        root: the node at the top of what the identity sees, once it is known; else its own.
        kept: the last call of each operation that was tried, by the operation's name.
    """

    client: RescueClient
    session: int | None = None
    trouble: Status = Status.OK
    node: int = 0
    root: int = 0
    kept: dict[str, TriedCall] = attrs.field(factory=dict)

    async def checks(self) -> AsyncIterator[Check]:
        """Make the calls, and yield a check for each."""
        async for check in self._all([GetAccount(), GetAccountV2()]):
            yield check
        account = self._value(GetAccountV2.spec.name) or self._value(GetAccount.spec.name)
        if self.trouble is not Status.OK:
            return
        async for check in self._all([GetHierarchy(), GetHierarchyV2()]):
            yield check
        tree = self._value(GetHierarchyV2.spec.name) or self._value(GetHierarchy.spec.name)
        nodes = tree if isinstance(tree, Hierarchy) else Hierarchy(())
        self.node = (account.technician_id or account.admin_id) if isinstance(account, Account) else 0
        self.root = nodes.roots[0].id if nodes else self.node
        async for check in self._all(_of_node(self.node)):
            yield check
        async for check in self._all(_of_tree(nodes)):
            yield check
        async for check in self._all([operation() for operation in _REPORT_STATE]):
            yield check
        if self.session is None:
            why = "no session was named: --session ID"
            for operation in (GetChat, GetNote):
                yield Check(operation.spec.name, Comparison.NOT_TRIED, why)
            return
        async for check in self._all([GetChat(self.session), GetNote(self.session)]):
            yield check

    def _value(self, name: str) -> Any:
        return self.kept[name].value if name in self.kept else None

    async def _all(self, operations: "Iterable[Operation[Any] | Check]") -> AsyncIterator[Check]:
        for each in operations:
            if self.trouble is not Status.OK:
                return
            if isinstance(each, Check):
                yield each
                continue
            for binding in _CALLED:
                if binding in each.spec.bindings and self.trouble is Status.OK:
                    yield await self._one(each, binding)

    async def _one(self, operation: Operation[Any], binding: Binding) -> Check:
        tried = await try_call(self.client, operation, binding)
        if tried.problem is None or operation.spec.name not in self.kept:
            self.kept[operation.spec.name] = tried
        problem = tried.problem
        if isinstance(problem, errors.AuthenticationError | errors.PermissionDenied) and not self.node:
            self.trouble = status_of(problem)
            return Check(
                name_of(operation.spec, binding),
                Comparison.NOT_TRIED,
                f"the credentials are refused ({word_of(problem)})",
            )
        if isinstance(problem, _AWAY):
            self.trouble = status_of(problem)
        return compared(operation.spec, binding, tried)


def _of_node(node: int) -> "Iterator[Operation[Any] | Check]":
    """What is asked about the identity's own node, and the sessions that it sees."""
    for operation in (GetUser, GetUserV2, GetUserV3):
        yield _about(node, operation, "the account names no node of yours")
    yield from (GetSession(), GetSessionV2(), GetSessionV3())


def _of_tree(tree: Hierarchy) -> "Iterator[Operation[Any] | Check]":
    """What is asked about a group and about a channel of the account."""
    group = next((node.id for node in tree if node.type in _GROUPS), 0)
    channel = next((node.id for node in tree if node.type == NodeType.CHANNEL), 0)
    for operation in (GetGroup, GetGroupV2):
        yield _about(group, operation, "you see no group")
    yield _about(channel, IsAnyTechAvailableOnChannel, "you see no channel")


def _about(node: int, operation: Any, otherwise: str) -> "Operation[Any] | Check":
    """The operation for a node; for 0 a check that could not be tried, and why."""
    return operation(node) if node else Check(operation.spec.name, Comparison.NOT_TRIED, otherwise)
