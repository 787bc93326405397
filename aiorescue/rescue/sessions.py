"""Support sessions: listing them, and what an administrator can do to one."""

import enum
from collections.abc import Mapping
from typing import Annotated, Any

from aiorescue.operation import Effect, Operation, Output, PageLayout, Parameter, operation
from aiorescue.rescue.answers.sessions import Session
from aiorescue.rescue.service import (
    ASMX,
    ASMX_INFERRED,
    SOAP,
    SOAP11_SEEN,
    SOAP_SEEN,
    TEXT,
    TEXT_INFERRED,
    declare,
    either,
    on_page,
)

SessionId = Annotated[int, Parameter("iSession", "session", int)]
PageSessionId = Annotated[int, on_page("session", int)]
NodeId = Annotated[int, Parameter("iNode", "node", int)]


class NodeRef(enum.StrEnum):
    """The type of the node that an id names: a node of the hierarchy, or a channel."""

    NODE = "NODE"
    CHANNEL = "CHANNEL"


# --- what an administrator can do -----------------------------------------------------------------

ACTION = "Error OK NotLoggedInAsAdmin ActionFailed Invalid_SecretAuthCode User_Deleted_Or_Disabled"


@operation
class StartSession(Operation[None]):
    """Start a waiting session. Needs an administrator. Vendor: ``startSession``."""

    session: SessionId
    """Id of the session."""
    node: NodeId
    """Id of the node of the technician who takes the session."""

    spec = declare(
        "startSession",
        SOAP | ASMX | TEXT,
        words=ACTION,
        page_words="InvalidParam_Session InvalidParam_Node",
        prefix="startSessionRet_",
        effect=Effect.IDEMPOTENT,
    )


@operation
class CloseSession(Operation[None]):
    """Close a session. Needs an administrator. Vendor: ``closeSession``.

    The text page is documented, and that SOAP is offered; the ASMX forms and the SOAP members are inferred
    from the other session actions.
    """

    session: SessionId
    """Id of the session."""

    spec = declare(
        "closeSession",
        SOAP | ASMX_INFERRED | TEXT,
        words=ACTION,
        page_words="InvalidParam_Session",
        prefix="closeSessionRet_",
        effect=Effect.IDEMPOTENT,
    )


@operation
class HoldSession(Operation[None]):
    """Put a session on hold. Needs an administrator. Vendor: ``holdSession``.

    Only the text page is known: on SOAP's name for the session the vendor's samples disagree.
    """

    session: PageSessionId
    """Id of the session."""

    spec = declare("holdSession", TEXT, words=ACTION, page_words="InvalidParam_Session", effect=Effect.IDEMPOTENT)


@operation
class CancelAction(Operation[None]):
    """Undo the pending action of a session, which returns to its state before. Vendor: ``cancelAction``.

    Needs an administrator. The ASMX forms are inferred from the other session actions.
    """

    session: SessionId
    """Id of the session."""

    spec = declare(
        "cancelAction",
        SOAP | ASMX_INFERRED | TEXT,
        words=ACTION,
        page_words="InvalidParam_Session",
        prefix="cancelActionRet_",
        effect=Effect.IDEMPOTENT,
    )


@operation
class TransferSession(Operation[None]):
    """Transfer a session to another technician or channel. Needs an administrator. Vendor: ``transferSession``.

    Only the text page is known.
    """

    session: PageSessionId
    """Id of the session."""
    node: Annotated[int, on_page("node", int)]
    """Id of the technician's node, or of the channel."""
    node_ref: Annotated[NodeRef, on_page("noderef", choices=tuple(NodeRef))] = NodeRef.NODE
    """Whether `node` is a technician's node or a channel."""
    comment: Annotated[str, on_page("comment")] = ""
    """Text for the technician who takes the session."""

    spec = declare("transferSession", TEXT, words=ACTION, page_words="InvalidParam_Node", effect=Effect.IDEMPOTENT)


# --- listing --------------------------------------------------------------------------------------


@operation
class IsAnyTechAvailableOnChannel(Operation[bool]):
    """Whether a technician is available for a channel. Vendor: ``isAnyTechAvailableOnChannel``.

    Only the text page is known, from two tutorials; that it answers ``FALSE`` for no is inferred.
    """

    channel: Annotated[int, on_page("ChannelID", int)]
    """Id of the channel."""
    excluding_away_and_busy: Annotated[bool, on_page("ExcludingAwayAndBusy", **either("false", "true"))] = False
    """True to count only technicians who are neither away nor busy."""

    spec = declare(
        "isAnyTechAvailableOnChannel",
        TEXT,
        Output("isAnyTechAvailableOnChannel"),
        words="TRUE FALSE Error NotLoggedIn Invalid_SecretAuthCode User_Deleted_Or_Disabled",
        page_layout=PageLayout.WORD,
    )

    @classmethod
    def result(cls, values: Mapping[str, Any]) -> bool:
        """The status word ``TRUE`` or ``FALSE`` as a bool; raises ValueError for another word."""
        word = values["isAnyTechAvailableOnChannel"].upper()
        if word not in ("TRUE", "FALSE"):
            raise ValueError("the answer is OK but neither TRUE nor FALSE")
        return bool(word == "TRUE")


LIST = "OK Error NotLoggedIn InvalidParam_NodeID Invalid_SecretAuthCode User_Deleted_Or_Disabled"


@operation
class SessionsRequest(Operation[list[Session]]):
    """The parameters of every request for a list of sessions. Closed sessions stay in the list for a while."""

    node: Annotated[int | None, Parameter("iNodeID", "node", int)] = None
    """Id of a technician, group or channel; left out, the guide says, all sessions are listed."""
    node_ref: Annotated[NodeRef, Parameter("eNodeRef", "noderef", choices=tuple(NodeRef))] = NodeRef.NODE
    """Whether `node` is a node or a channel."""


@operation
class GetSession(SessionsRequest):
    """List the sessions of a node, with three custom fields each. Vendor: ``getSession``.

    SOAP is known from the vendor's samples without its answer: the list is read as that of version 3 (inferred).
    """

    spec = declare(
        "getSession",
        SOAP11_SEEN | TEXT,
        Output("aSessions", record=Session, item="SESSION"),
        words=LIST,
        page_words="InvalidParam_Node",
        page_layout=PageLayout.TABLE,
    )


@operation
class GetSessionV2(SessionsRequest):
    """List the sessions of a node, with who leads and who hands off. Vendor: ``getSession_V2`` (``getSession_v2``).

    Only the text page is known; its path follows from the page's title (inferred).
    """

    spec = declare(
        "getSession_V2",
        TEXT_INFERRED,
        Output("aSessions", record=Session, item="SESSION_V2"),
        words="OK Error NotLoggedIn Invalid_SecretAuthCode User_Deleted_Or_Disabled",
        page_words="InvalidParam_Node",
        page_layout=PageLayout.TABLE,
    )


@operation
class GetSessionV3(SessionsRequest):
    """List the sessions of a node, with six custom fields each. Vendor: ``getSession_V3`` (``getSession_v3``)."""

    spec = declare(
        "getSession_V3",
        SOAP_SEEN | TEXT,
        Output("aSessions", record=Session, item="SESSION_V3"),
        words=LIST,
        page_words="InvalidParam_Node",
        page_layout=PageLayout.TABLE,
    )
