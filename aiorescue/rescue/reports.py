"""Reports, chats and notes. What a report shows is set before, with the operations of `report_settings`."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from aiorescue.operation import Binding, Evidence, Family, Operation, Output, PageLayout, Parameter, Spec, operation
from aiorescue.rescue.answers.chat import Chat
from aiorescue.rescue.answers.report import Report
from aiorescue.rescue.report_options import ReportNodeRef
from aiorescue.rescue.service import SOAP11_SEEN, TEXT, TEXT_SEEN, declare

R_co = TypeVar("R_co", covariant=True)
SessionId = Annotated[int, Parameter("iSessionID", "session", int)]
NodeId = Annotated[int, Parameter("iNodeID", "node", int)]

#: Status words of every operation on reports, chats and notes.
REPORT = "OK Error NotLoggedIn Invalid_SecretAuthCode User_Deleted_Or_Disabled"
#: The node types that version 1 of getReport knows.
_V1_NODE_REFS = (ReportNodeRef.NODE, ReportNodeRef.CHANNEL)


@operation
class GetChat(Operation[Chat]):
    """The chat of a session; an unknown session is an ``ERROR``. Vendor: ``getChat``.

    The key in front of the text page's log is not documented: ``CHAT:`` and ``CHATLOG:`` are taken off (inferred).
    """

    session: SessionId
    """Id of the session."""

    spec = declare("getChat", SOAP11_SEEN | TEXT, Output("sChatLog"), words=REPORT, page_layout=PageLayout.VALUE)

    @classmethod
    def result(cls, values: Mapping[str, Any]) -> Chat:
        """The lines of the chat log."""
        return Chat.parse(values["sChatLog"])


@operation
class GetNote(Operation[str]):
    """The technician's note on a session, with its line breaks. Vendor: ``getNote``.

    An unknown session is an ``ERROR``, as was seen.
    """

    session: SessionId
    """Id of the session."""

    spec = declare(
        "getNote", SOAP11_SEEN | TEXT, Output("sNote", "NOTE"), words=REPORT, page_words="InvalidParam_Session"
    )


def _declare(name: str, bindings: Mapping[Binding, Evidence]) -> Spec:
    """Declare an operation that answers with a report, which may be too long for memory; one a minute."""
    return declare(
        name,
        bindings,
        Output("sReport"),
        words=REPORT,
        page_layout=PageLayout.BODY,
        family=Family.REPORTS,
        streamed=True,
    )


def _report(values: Mapping[str, Any]) -> Report:
    """The rows of a report, in either output format."""
    return Report.parse(values["sReport"])


@operation
class GetReport(Operation[Report]):
    """The report that was set up before; one a minute. Vendor: ``getReport``.

    `RescueClient.report` sets it up and gets it in one call.
    """

    node: NodeId
    """Id of the node that the report is about."""
    node_ref: Annotated[ReportNodeRef, Parameter("eNodeRef", "nodetype", choices=_V1_NODE_REFS)] = ReportNodeRef.NODE
    """Whether `node` is a node or a channel."""

    spec = _declare("getReport", SOAP11_SEEN | TEXT)
    result = staticmethod(_report)


@operation
class ReportRequestV2(Operation[R_co]):
    """The parameters of ``getReport_v2``, for a report in memory and for a streamed one."""

    node: NodeId
    """Id of the node that the report is about; -2 with ``EXTERNALROOT`` for all external technicians."""
    node_ref: Annotated[ReportNodeRef, Parameter("eNodeRef", "nodetype", choices=tuple(ReportNodeRef))] = (
        ReportNodeRef.NODE
    )
    """What `node` is."""


@operation
class GetReportV2(ReportRequestV2[Report]):
    """The report that was set up before, also on external technicians; one a minute. Vendor: ``getReport_v2``.

    `RescueClient.report` sets it up and gets it in one call.
    """

    spec = _declare("getReport_v2", SOAP11_SEEN | TEXT_SEEN)
    result = staticmethod(_report)
