"""The hierarchy: the account and its tree of nodes. People are in `users`, groups in `groups`."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from aiorescue.operation import Effect, Operation, Output, PageLayout, Parameter, Spec, operation
from aiorescue.rescue.answers import records
from aiorescue.rescue.answers.nodes import Account, Hierarchy, Node
from aiorescue.rescue.service import SOAP, SOAP11_SEEN, SOAP12_SEEN, TEXT, TEXT_SEEN, declare, either, on_page
from aiorescue.wire.untracked import as_tuple

NodeId = Annotated[int, Parameter("iNodeID", "node", int)]
PageNode = Annotated[int, on_page("node", int)]
PageChannel = Annotated[int, on_page("entry", int)]

#: Status words of every operation on the hierarchy.
HIERARCHY = "Error OK NotLoggedIn Invalid_SecretAuthCode User_Deleted_Or_Disabled"


def new_node(values: Mapping[str, Any]) -> int:
    """The id of the node that a page created; raises ValueError. What stands before the id is not documented."""
    found = re.fullmatch(r"\s*(?:[A-Za-z]+\s*:)?\s*(-?[0-9]+)\s*", values["node"])
    if found is None:
        raise ValueError("the answer is OK but holds no node id")
    return int(found[1])


def declare_creation(name: str) -> Spec:
    """Declare the text page of an operation that creates an empty user or group, and answers with the node's id."""
    return declare(
        name,
        TEXT,
        Output("node"),
        words=HIERARCHY,
        page_words="InvalidParam_Parent",
        page_layout=PageLayout.BODY,
        effect=Effect.CREATES,
    )


# --- the account ----------------------------------------------------------------------------------


def _account(values: Mapping[str, Any]) -> Account:
    return records.read(Account, values)


@operation
class GetAccount(Operation[Account]):
    """The account of the identity that calls. Vendor: ``getAccount``."""

    spec = declare("getAccount", SOAP | TEXT, *records.outputs(Account)[:5], words=HIERARCHY)
    result = staticmethod(_account)


@operation
class GetAccountV2(Operation[Account]):
    """The account of the identity that calls, and whether its Technician Console runs. Vendor: ``getAccount_v2``.

    SOAP only.
    """

    spec = declare("getAccount_v2", SOAP12_SEEN, *records.outputs(Account), words=HIERARCHY)
    result = staticmethod(_account)


# --- the tree -------------------------------------------------------------------------------------

_NODES = Output("aHierarchy", record=Node, item="HIERARCHY")


def _hierarchy(values: Mapping[str, Any]) -> Hierarchy:
    return Hierarchy(as_tuple(values["aHierarchy"]))


@operation
class GetHierarchy(Operation[Hierarchy]):
    """All nodes that the identity that calls may see, as a tree. Vendor: ``getHierarchy``."""

    spec = declare("getHierarchy", SOAP11_SEEN | TEXT, _NODES, words=HIERARCHY, page_layout=PageLayout.BLOCKS)
    result = staticmethod(_hierarchy)


def _is_given(node: int | None) -> str:
    return "false" if node is None else "true"


@operation
class GetHierarchyV2(Operation[Hierarchy]):
    """Nodes as a tree: all, or those below one. Vendor: ``getHierarchy_v2``.

    Only the text page is known: SOAP's parameters were counted and not read.
    """

    node: Annotated[int | None, on_page("isnode", encode=_is_given), on_page("node", int)] = None
    """Id of the node to begin at; left out, the whole account."""
    without_offline: Annotated[bool, on_page("filteroffline", **either("false", "true"))] = False
    """True to leave out technicians who are offline; other nodes stay."""

    spec = declare("getHierarchy_v2", TEXT_SEEN, _NODES, words=HIERARCHY, page_layout=PageLayout.BLOCKS)
    result = staticmethod(_hierarchy)


@operation
class MoveNode(Operation[None]):
    """Move a person or group below another node. Vendor: ``moveNode``.

    Only the text page is known; its samples spell the parameters in three ways, and these are those of its table.
    """

    target: Annotated[int, on_page("targetNode", int)]
    """Id of the node to move it below."""
    node: PageNode
    """Id of the node to move."""

    spec = declare(
        "moveNode",
        TEXT,
        words=HIERARCHY,
        page_words="InvalidParam_Node InvalidParam_TargetNode Invalid_Move",
        effect=Effect.IDEMPOTENT,
    )


@operation
class DeleteNode(Operation[None]):
    """Delete a person or group. Vendor: ``deleteNode``.

    Over SOAP only its OK was seen; the other words are inferred from the text page.
    """

    node: NodeId
    """Id of the person's or group's node."""

    spec = declare(
        "deleteNode",
        SOAP11_SEEN | TEXT,
        words=f"{HIERARCHY} InvalidParam_NodeID Invalid_Delete",
        page_words="InvalidParam_Node",
        effect=Effect.IDEMPOTENT,
    )


@operation
class AssignChannel(Operation[None]):
    """Let a technician or group take sessions of a channel. Vendor: ``assignChannel``.

    Only the text page is known.
    """

    node: PageNode
    """Id of the technician or technician group."""
    channel: PageChannel
    """Id of the channel."""

    spec = declare(
        "assignChannel",
        TEXT,
        words=HIERARCHY,
        page_words="InvalidParam_Node InvalidParam_Entry Invalid_Assign",
        effect=Effect.IDEMPOTENT,
    )


@operation
class UnassignChannel(Operation[None]):
    """Take a channel from a technician or group. Vendor: ``unassignChannel``.

    Only the text page is known.
    """

    node: PageNode
    """Id of the technician or technician group."""
    channel: PageChannel
    """Id of the channel."""

    spec = declare(
        "unassignChannel",
        TEXT,
        words=HIERARCHY,
        page_words="InvalidParam_Node InvalidParam_Entry Invalid_Deassign",
        effect=Effect.IDEMPOTENT,
    )
