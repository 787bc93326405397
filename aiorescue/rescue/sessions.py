"""Sessions: which there are, and what an administrator can do to them."""

from collections.abc import Mapping
from typing import Annotated, Any

from aiorescue.operation import Binding, Effect, Evidence, Operation, Output, PageLayout, Parameter, operation
from aiorescue.rescue.answers.sessions import NodeRef, Session
from aiorescue.rescue.service import (
    ASMX,
    ASMX_INFERRED,
    SOAP,
    SOAP11_SEEN,
    TEXT,
    TEXT_INFERRED,
    declare,
    either,
    on_page,
)

SessionId = Annotated[int, Parameter("iSession", "session", int)]
NodeId = Annotated[int, Parameter("iNode", "node", int)]
SomeNode = Annotated[int | None, Parameter("iNodeID", "node", int)]
SomeNodeRef = Annotated[NodeRef, Parameter("eNodeRef", "noderef", choices=tuple(NodeRef))]

#: Status words of every action on a session.
ACTION = "Error OK NotLoggedInAsAdmin ActionFailed Invalid_SecretAuthCode User_Deleted_Or_Disabled"


@operation
class StartSession(Operation[None]):
    """Start a waiting session. Needs an administrator. Vendor: ``startSession``.

    Args:
        session: id of the session.
        node: id of the technician's node that takes it.
    """

    session: SessionId
    node: NodeId

    spec = declare(
        "startSession",
        SOAP | ASMX | TEXT,
        prefix="startSessionRet_",
        words=ACTION,
        page_words="InvalidParam_Session InvalidParam_Node",
        effect=Effect.IDEMPOTENT,
    )


@operation
class CloseSession(Operation[None]):
    """Close a session. Needs an administrator. Vendor: ``closeSession``.

    The text page is documented, and that SOAP is offered; the ASMX forms and the SOAP members are inferred
    from the other session actions.

    Args:
        session: id of the session.
    """

    session: SessionId

    spec = declare(
        "closeSession",
        SOAP | ASMX_INFERRED | TEXT,
        prefix="closeSessionRet_",
        words=ACTION,
        page_words="InvalidParam_Session",
        effect=Effect.IDEMPOTENT,
    )


@operation
class HoldSession(Operation[None]):
    """Put a session on hold. Needs an administrator. Vendor: ``holdSession``.

    Only the text page is known: on SOAP's name for the session the vendor's samples disagree.

    Args:
        session: id of the session.
    """

    session: Annotated[int, on_page("session", int)]

    spec = declare("holdSession", TEXT, words=ACTION, page_words="InvalidParam_Session", effect=Effect.IDEMPOTENT)


@operation
class CancelAction(Operation[None]):
    """Undo the action that is pending: the session is as it was before. Vendor: ``cancelAction``.

    Needs an administrator. The ASMX forms are inferred from the other session actions.

    Args:
        session: id of the session.
    """

    session: SessionId

    spec = declare(
        "cancelAction",
        SOAP | ASMX_INFERRED | TEXT,
        prefix="cancelActionRet_",
        words=ACTION,
        page_words="InvalidParam_Session",
        effect=Effect.IDEMPOTENT,
    )


@operation
class TransferSession(Operation[None]):
    """Hand a session to another technician or channel. Needs an administrator. Vendor: ``transferSession``.

    Only the text page is known.

    Args:
        session: id of the session.
        node: id of the technician's node, or of the channel.
        node_ref: which of the two.
        comment: a text for the one who takes it.
    """

    session: Annotated[int, on_page("session", int)]
    node: Annotated[int, on_page("node", int)]
    node_ref: Annotated[NodeRef, on_page("noderef", choices=tuple(NodeRef))] = NodeRef.NODE
    comment: Annotated[str, on_page("comment")] = ""

    spec = declare("transferSession", TEXT, words=ACTION, page_words="InvalidParam_Node", effect=Effect.IDEMPOTENT)


@operation
class IsAnyTechAvailableOnChannel(Operation[bool]):
    """Whether a technician is there for a channel. Vendor: ``isAnyTechAvailableOnChannel``.

    Only the text page is known, from two tutorials; that it answers ``FALSE`` for no is inferred.

    Args:
        channel: id of the channel.
        excluding_away_and_busy: count only technicians who are neither away nor busy.
    """

    channel: Annotated[int, on_page("ChannelID", int)]
    excluding_away_and_busy: Annotated[bool, on_page("ExcludingAwayAndBusy", **either("false", "true"))] = False

    spec = declare(
        "isAnyTechAvailableOnChannel",
        TEXT,
        page_layout=PageLayout.WORD,
        words="TRUE FALSE Error NotLoggedIn Invalid_SecretAuthCode User_Deleted_Or_Disabled",
        outputs=(Output("isAnyTechAvailableOnChannel"),),
    )

    @classmethod
    def result(cls, values: Mapping[str, Any]) -> bool:
        """The word as a bool."""
        word = values["isAnyTechAvailableOnChannel"].upper()
        if word not in ("TRUE", "FALSE"):
            raise ValueError("the answer is OK but neither TRUE nor FALSE")
        return bool(word == "TRUE")


# --- which there are --------------------------------------------------------------------------------

_LIST_WORDS = "OK Error NotLoggedIn InvalidParam_NodeID Invalid_SecretAuthCode User_Deleted_Or_Disabled"


@operation
class SessionsRequest(Operation[list[Session]]):
    """What every request for a list of sessions takes.

    Args:
        node: id of a technician, group or channel; left out, the guide says, all sessions are listed.
        node_ref: whether the id is a channel's.
    """

    node: SomeNode = None
    node_ref: SomeNodeRef = NodeRef.NODE


@operation
class GetSession(SessionsRequest):
    """The sessions of a node, with three custom fields each. Vendor: ``getSession``.

    SOAP is known from the vendor's samples without its answer: the list is read as that of version 3 (inferred).
    """

    spec = declare(
        "getSession",
        SOAP11_SEEN | TEXT,
        page_layout=PageLayout.TABLE,
        words=_LIST_WORDS,
        page_words="InvalidParam_Node",
        outputs=(Output("aSessions", record=Session, item="SESSION"),),
    )


@operation
class GetSessionV2(SessionsRequest):
    """The sessions of a node, with who leads and who hands off. Vendor: ``getSession_V2`` (``getSession_v2``).

    Only the text page is known; its path follows from the page's title (inferred).
    """

    spec = declare(
        "getSession_V2",
        TEXT_INFERRED,
        page_layout=PageLayout.TABLE,
        words="OK Error NotLoggedIn Invalid_SecretAuthCode User_Deleted_Or_Disabled",
        page_words="InvalidParam_Node",
        outputs=(Output("aSessions", record=Session, item="SESSION_V2"),),
    )


@operation
class GetSessionV3(SessionsRequest):
    """The sessions of a node, with six custom fields each. Vendor: ``getSession_V3`` (``getSession_v3``)."""

    spec = declare(
        "getSession_V3",
        {Binding.SOAP11: Evidence.CLIENT, Binding.SOAP12: Evidence.CLIENT} | TEXT,
        page_layout=PageLayout.TABLE,
        words=_LIST_WORDS,
        page_words="InvalidParam_Node",
        outputs=(Output("aSessions", record=Session, item="SESSION_V3"),),
    )
