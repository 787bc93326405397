"""The hierarchy: the account and its tree of nodes. People are in `users`, groups in `groups`."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from aiorescue.operation import Effect, Operation, Output, PageLayout, Parameter, operation
from aiorescue.rescue.answers import records
from aiorescue.rescue.answers.nodes import Account, Hierarchy, Node
from aiorescue.rescue.service import (
    SOAP,
    SOAP11_SEEN,
    SOAP12_SEEN,
    TEXT,
    TEXT_SEEN,
    declare,
    either,
    on_page,
)

NodeId = Annotated[int, Parameter("iNodeID", "node", int)]
PageNode = Annotated[int, on_page("node", int)]

REFUSALS = "Error OK NotLoggedIn Invalid_SecretAuthCode User_Deleted_Or_Disabled"


def new_node(values: Mapping[str, Any]) -> int:
    """The id below the OK of a page that makes nodes; what stands before it is not documented. Raises ValueError."""
    found = re.fullmatch(r"\s*(?:[A-Za-z]+\s*:)?\s*(-?\d+)\s*", values["node"])
    if found is None:
        raise ValueError("the answer is OK but holds no node id")
    return int(found[1])


# --- the account ------------------------------------------------------------------------------------


@operation
class GetAccount(Operation[Account]):
    """The caller's account. Vendor: ``getAccount``."""

    spec = declare("getAccount", SOAP | TEXT, words=REFUSALS, outputs=records.outputs(Account)[:5])

    @classmethod
    def result(cls, values: Mapping[str, Any]) -> Account:
        """The account."""
        return records.read(Account, values)


@operation
class GetAccountV2(Operation[Account]):
    """The caller's account, and whether the Technician Console runs. SOAP only. Vendor: ``getAccount_v2``."""

    spec = declare("getAccount_v2", SOAP12_SEEN, words=REFUSALS, outputs=records.outputs(Account))

    @classmethod
    def result(cls, values: Mapping[str, Any]) -> Account:
        """The account."""
        return records.read(Account, values)


# --- the tree ---------------------------------------------------------------------------------------


@operation
class GetHierarchy(Operation[Hierarchy]):
    """All nodes that the caller may see, as a tree. Vendor: ``getHierarchy``."""

    spec = declare(
        "getHierarchy",
        SOAP11_SEEN | TEXT,
        page_layout=PageLayout.BLOCKS,
        words=REFUSALS,
        outputs=(Output("aHierarchy", record=Node, item="HIERARCHY"),),
    )

    @classmethod
    def result(cls, values: Mapping[str, Any]) -> Hierarchy:
        """The tree."""
        return Hierarchy(tuple(values["aHierarchy"]))


def _is_given(node: int | None) -> str:
    return "false" if node is None else "true"


@operation
class GetHierarchyV2(Operation[Hierarchy]):
    """Nodes as a tree: all, or those below one. Vendor: ``getHierarchy_v2``.

    Only the text page is known: SOAP's parameters were counted and not read.

    Args:
        node: id of the node to begin at; left out, the whole account.
        without_offline: leave out technicians who are offline; other nodes stay.
    """

    node: Annotated[int | None, on_page("isnode", encode=_is_given), on_page("node", int)] = None
    without_offline: Annotated[bool, on_page("filteroffline", **either("false", "true"))] = False
    spec = declare(
        "getHierarchy_v2",
        TEXT_SEEN,
        page_layout=PageLayout.BLOCKS,
        words=REFUSALS,
        outputs=(Output("aHierarchy", record=Node, item="HIERARCHY"),),
    )

    @classmethod
    def result(cls, values: Mapping[str, Any]) -> Hierarchy:
        """The tree."""
        return Hierarchy(tuple(values["aHierarchy"]))


@operation
class MoveNode(Operation[None]):
    """Move a person or group below another node. Vendor: ``moveNode``.

    Only the text page is known; its samples spell the parameters in three ways, and these are those of its table.

    Args:
        target: id of the node to move it below.
        node: id of the node to move.
    """

    target: Annotated[int, on_page("targetNode", int)]
    node: PageNode

    spec = declare(
        "moveNode",
        TEXT,
        words=REFUSALS,
        page_words="InvalidParam_Node InvalidParam_TargetNode Invalid_Move",
        effect=Effect.IDEMPOTENT,
    )


@operation
class DeleteNode(Operation[None]):
    """Delete a person or group. Vendor: ``deleteNode``.

    Over SOAP only its OK was seen; the other words are inferred from the text page.

    Args:
        node: id of the node.
    """

    node: NodeId

    spec = declare(
        "deleteNode",
        SOAP11_SEEN | TEXT,
        words=f"{REFUSALS} InvalidParam_NodeID Invalid_Delete",
        page_words="InvalidParam_Node",
        effect=Effect.IDEMPOTENT,
    )


@operation
class AssignChannel(Operation[None]):
    """Let a technician or group take sessions of a channel. Vendor: ``assignChannel``.

    Only the text page is known.

    Args:
        node: id of the technician or technician group.
        channel: id of the channel.
    """

    node: PageNode
    channel: Annotated[int, on_page("entry", int)]

    spec = declare(
        "assignChannel",
        TEXT,
        words=REFUSALS,
        page_words="InvalidParam_Node InvalidParam_Entry Invalid_Assign",
        effect=Effect.IDEMPOTENT,
    )


@operation
class UnassignChannel(Operation[None]):
    """Take a channel from a technician or group. Vendor: ``unassignChannel``.

    Only the text page is known.

    Args:
        node: id of the technician or technician group.
        channel: id of the channel.
    """

    node: PageNode
    channel: Annotated[int, on_page("entry", int)]

    spec = declare(
        "unassignChannel",
        TEXT,
        words=REFUSALS,
        page_words="InvalidParam_Node InvalidParam_Entry Invalid_Deassign",
        effect=Effect.IDEMPOTENT,
    )
