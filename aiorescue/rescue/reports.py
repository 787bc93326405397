"""Reports, chats and notes. What a report shows is set before with the operations of `report_settings`."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from aiorescue.operation import Family, Operation, Output, PageLayout, Parameter, operation
from aiorescue.rescue.answers.chat import Chat
from aiorescue.rescue.answers.report import Report, ReportNodeRef
from aiorescue.rescue.service import SOAP11_SEEN, TEXT, TEXT_SEEN, declare

R = TypeVar("R")
SessionId = Annotated[int, Parameter("iSessionID", "session", int)]
NodeId = Annotated[int, Parameter("iNodeID", "node", int)]

_WORDS = "OK Error NotLoggedIn Invalid_SecretAuthCode User_Deleted_Or_Disabled"
#: The node kinds of version 1.
_FIRST_REFS = (ReportNodeRef.NODE, ReportNodeRef.CHANNEL)


@operation
class GetChat(Operation[Chat]):
    """The chat of a session; an unknown session is an ``ERROR``. Vendor: ``getChat``.

    The key in front of the text page's log is not documented: ``CHAT:`` and ``CHATLOG:`` are taken off (inferred).

    Args:
        session: id of the session.
    """

    session: SessionId

    spec = declare(
        "getChat", SOAP11_SEEN | TEXT, page_layout=PageLayout.VALUE, words=_WORDS, outputs=(Output("sChatLog"),)
    )

    @classmethod
    def result(cls, values: Mapping[str, Any]) -> Chat:
        """The chat."""
        return Chat.parse(values["sChatLog"])


@operation
class GetNote(Operation[str]):
    """The technician's note on a session, line breaks and all. Vendor: ``getNote``.

    An unknown session is an ``ERROR``, as was seen.

    Args:
        session: id of the session.
    """

    session: SessionId

    spec = declare(
        "getNote",
        SOAP11_SEEN | TEXT,
        words=_WORDS,
        page_words="InvalidParam_Session",
        outputs=(Output("sNote", "NOTE"),),
    )


@operation
class GetReport(Operation[Report]):
    """The report that was set up before; one a minute. Vendor: ``getReport``.

    `RescueClient.report` sets it up and gets it in one call.

    Args:
        node: id of the node that it is about.
        node_ref: whether that is a node or a channel.
    """

    node: NodeId
    node_ref: Annotated[ReportNodeRef, Parameter("eNodeRef", "nodetype", choices=_FIRST_REFS)] = ReportNodeRef.NODE

    spec = declare(
        "getReport",
        SOAP11_SEEN | TEXT,
        page_layout=PageLayout.BODY,
        words=_WORDS,
        outputs=(Output("sReport"),),
        family=Family.REPORTS,
        streamed=True,
    )

    @classmethod
    def result(cls, values: Mapping[str, Any]) -> Report:
        """The report, in whichever output form was set."""
        return Report.parse(values["sReport"])


@operation
class ReportV2(Operation[R]):
    """The parameters of getReport_v2, for operations that read its answer into different types."""

    node: NodeId
    node_ref: Annotated[ReportNodeRef, Parameter("eNodeRef", "nodetype", choices=tuple(ReportNodeRef))] = (
        ReportNodeRef.NODE
    )


@operation
class GetReportV2(ReportV2[Report]):
    """The report that was set up before, also on external technicians; one a minute. Vendor: ``getReport_v2``.

    `RescueClient.report` sets it up and gets it in one call.

    Args:
        node: id of the node that it is about; -2 with ``EXTERNALROOT`` for all external technicians.
        node_ref: what kind of node that is.
    """

    spec = declare(
        "getReport_v2",
        SOAP11_SEEN | TEXT_SEEN,
        page_layout=PageLayout.BODY,
        words=_WORDS,
        outputs=(Output("sReport"),),
        family=Family.REPORTS,
        streamed=True,
    )

    @classmethod
    def result(cls, values: Mapping[str, Any]) -> Report:
        """The report, in whichever output form was set."""
        return Report.parse(values["sReport"])
