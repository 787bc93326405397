"""Groups of administrators and technicians: looked up, made and changed."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import attrs

from aiorescue import errors
from aiorescue.operation import Effect, Operation, Output, PageLayout, operation
from aiorescue.rescue.answers.nodes import Group
from aiorescue.rescue.hierarchy import REFUSALS, NodeId, PageNode, new_node
from aiorescue.rescue.service import SOAP, TEXT, TEXT_INFERRED, declare, either, on_page


def comma_list(names: Sequence[str]) -> str:
    """Names as the pages take them."""
    try:
        return names if isinstance(names, str) else ",".join(names)
    except TypeError:
        raise errors.InvalidRequest("permissions must be a list of names") from None


@operation
class CreateGroup(Operation[int]):
    """Make an empty group. Never repeated after an unclear failure. Vendor: ``createGroup``.

    Only the text page is known; name and permissions follow with `SetGroup`.

    Args:
        parent: id of the root of administrators or technicians, or of a technician group.

    Returns:
        The id of the new group's node.
    """

    parent: Annotated[int, on_page("parent", int)]

    spec = declare(
        "createGroup",
        TEXT,
        page_layout=PageLayout.BODY,
        words=REFUSALS,
        page_words="InvalidParam_Parent",
        outputs=(Output("node"),),
        effect=Effect.CREATES,
    )

    @classmethod
    def result(cls, values: Mapping[str, Any]) -> int:
        """The id."""
        return new_node(values)


@operation
class GetGroup(Operation[Group]):
    """A group and its permissions. Vendor: ``getGroup``.

    The text page's path follows from its title (inferred). Over SOAP the group was read up to its permissions.

    Args:
        node: id of the group.
    """

    node: NodeId

    spec = declare(
        "getGroup",
        SOAP | TEXT_INFERRED,
        words=f"{REFUSALS} InvalidParam_NodeID",
        page_words="InvalidParam_Node",
        outputs=(Output("oGroup", record=Group),),
    )


@operation
class GetGroupV2(Operation[Group]):
    """A group with its limit for the RPAT add-on. Vendor: ``getGroup_v2``.

    Only the text page is known; its path follows from its title (inferred).

    Args:
        node: id of the group.
    """

    node: PageNode

    spec = declare(
        "getGroup_v2",
        TEXT_INFERRED,
        words=REFUSALS,
        page_words="InvalidParam_Node",
        outputs=(Output("oGroup", record=Group),),
    )


@operation(kw_only=True)
class GroupSettings(Operation[None]):
    """What both versions of setGroup take; limits follow on the page, but their names were not read.

    Args:
        node: id of the group.
        name: of the group.
        enabled: whether it is.
        description: a text of the account's own.
        permissions: their names (``"RemoteControl"``); left out, none are sent.
        locked_permissions: those that groups below cannot change.
    """

    node: PageNode
    name: Annotated[str, on_page("name")]
    enabled: Annotated[bool, on_page("status", **either("Disabled", "Enabled"))] = True
    description: Annotated[str, on_page("description")] = ""
    permissions: Annotated[str, on_page("permission")] = attrs.field(default="", converter=comma_list)
    locked_permissions: Annotated[str, on_page("lockedpermission")] = attrs.field(default="", converter=comma_list)


@operation(kw_only=True)
class SetGroup(GroupSettings):
    """Change a group. Vendor: ``setGroup``. Only the text page is known; its path follows from its title (inferred)."""

    spec = declare("setGroup", TEXT_INFERRED, words=REFUSALS, effect=Effect.IDEMPOTENT)


@operation(kw_only=True)
class SetGroupV2(GroupSettings):
    """Change a group; knows more permissions. Vendor: ``setGroup_v2``.

    Only the text page is known; its path follows from its title (inferred).
    """

    spec = declare("setGroup_v2", TEXT_INFERRED, words=REFUSALS, effect=Effect.IDEMPOTENT)
