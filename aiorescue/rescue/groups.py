"""Groups of administrators and technicians: looking them up, creating and changing them."""

from collections.abc import Sequence
from typing import Annotated

import attrs

from aiorescue import errors
from aiorescue.operation import Effect, Operation, Output, operation
from aiorescue.rescue.answers.nodes import Group
from aiorescue.rescue.hierarchy import HIERARCHY, NodeId, PageNode, declare_creation, new_node
from aiorescue.rescue.service import SOAP, TEXT_INFERRED, declare, either, on_page


def _comma_list(names: Sequence[str]) -> str:
    """Names separated by commas, as the text pages take them; a text is taken as it is."""
    try:
        return names if isinstance(names, str) else ",".join(names)
    except TypeError:
        raise errors.InvalidRequest("permissions must be a list of names") from None


@operation
class CreateGroup(Operation[int]):
    """Create an empty group. Never repeated after an ambiguous failure. Vendor: ``createGroup``.

    Only the text page is known; name and permissions follow with `SetGroup`.

    Returns:
        The id of the new group's node.
    """

    parent: Annotated[int, on_page("parent", int)]
    """Id of the root of administrators or technicians, or of a technician group."""

    spec = declare_creation("createGroup")
    result = staticmethod(new_node)


@operation
class GetGroup(Operation[Group]):
    """A group and its permissions. Vendor: ``getGroup``.

    The text page's path follows from its title (inferred). Over SOAP the group was read up to its permissions.
    """

    node: NodeId
    """Id of the group."""

    spec = declare(
        "getGroup",
        SOAP | TEXT_INFERRED,
        Output("oGroup", record=Group),
        words=f"{HIERARCHY} InvalidParam_NodeID",
        page_words="InvalidParam_Node",
    )


@operation
class GetGroupV2(Operation[Group]):
    """A group with its limit for the RPAT add-on. Vendor: ``getGroup_v2``.

    Only the text page is known; its path follows from its title (inferred).
    """

    node: PageNode
    """Id of the group."""

    spec = declare(
        "getGroup_v2", TEXT_INFERRED, Output("oGroup", record=Group), words=HIERARCHY, page_words="InvalidParam_Node"
    )


@operation(kw_only=True)
class GroupSettings(Operation[None]):
    """The parameters of each version of setGroup; the page also takes limits, but their names were not read."""

    node: PageNode
    """Id of the group."""
    name: Annotated[str, on_page("name")]
    """Name of the group."""
    enabled: Annotated[bool, on_page("status", **either("Disabled", "Enabled"))] = True
    """Whether the group is enabled."""
    description: Annotated[str, on_page("description")] = ""
    """A text of the account's own."""
    permissions: Annotated[str, on_page("permission")] = attrs.field(default="", converter=_comma_list)
    """Names of permissions (``"RemoteControl"``); left out, none are sent."""
    locked_permissions: Annotated[str, on_page("lockedpermission")] = attrs.field(default="", converter=_comma_list)
    """Names of permissions that groups below cannot change."""


@operation
class SetGroup(GroupSettings):
    """Change a group. Vendor: ``setGroup``. Only the text page is known; its path follows from its title (inferred)."""

    spec = declare("setGroup", TEXT_INFERRED, words=HIERARCHY, effect=Effect.IDEMPOTENT)


@operation
class SetGroupV2(GroupSettings):
    """Change a group; knows more permissions. Vendor: ``setGroup_v2``.

    Only the text page is known; its path follows from its title (inferred).
    """

    spec = declare("setGroup_v2", TEXT_INFERRED, words=HIERARCHY, effect=Effect.IDEMPOTENT)
