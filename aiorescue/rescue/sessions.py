"""Sessions: what an administrator can do to them."""

from typing import Annotated, ClassVar

import attrs

from aiorescue.operation import Effect, Operation, Parameter, Spec
from aiorescue.rescue.service import ASMX, ASMX_INFERRED, AUTH_CODE, RESCUE, SOAP, TEXT, words

SessionId = Annotated[int, Parameter("iSession", "session", int)]
NodeId = Annotated[int, Parameter("iNode", "node", int)]

_ACTION_WORDS = "Error OK NotLoggedInAsAdmin ActionFailed Invalid_SecretAuthCode User_Deleted_Or_Disabled"


@attrs.frozen
class StartSession(Operation[None]):
    """Start a waiting session. Needs an administrator. Vendor: ``startSession``.

    Args:
        session: id of the session.
        node: id of the technician's node that takes it.
    """

    session: SessionId
    node: NodeId

    spec: ClassVar[Spec] = Spec(
        service=RESCUE,
        name="startSession",
        bindings=SOAP | ASMX | TEXT,
        prefix="startSessionRet_",
        root="startSessionRet",
        page="/API/startSession.aspx",
        words=words(_ACTION_WORDS),
        text_words=words("InvalidParam_Session InvalidParam_Node"),
        identity=AUTH_CODE,
        effect=Effect.IDEMPOTENT,
    )


@attrs.frozen
class CloseSession(Operation[None]):
    """Close a session. Needs an administrator. Vendor: ``closeSession``.

    The text page is documented, and that SOAP is offered; the ASMX forms and the SOAP members are inferred
    from the other session actions.

    Args:
        session: id of the session.
    """

    session: SessionId

    spec: ClassVar[Spec] = Spec(
        service=RESCUE,
        name="closeSession",
        bindings=SOAP | ASMX_INFERRED | TEXT,
        prefix="closeSessionRet_",
        root="closeSessionRet",
        page="/API/closeSession.aspx",
        words=words(_ACTION_WORDS),
        text_words=words("InvalidParam_Session"),
        identity=AUTH_CODE,
        effect=Effect.IDEMPOTENT,
    )
