"""What the settings of a report may be: its area, its type, its output, and the nodes it is about."""

import enum
from typing import Required, TypedDict


class ReportArea(enum.IntEnum):
    """What a report is about; the numbers are those of the text page."""

    SESSION = 0
    CUSTOMER_SURVEY = 1
    LOGIN = 2
    MISSED_SESSIONS = 3
    PERFORMANCE = 4
    CHAT_LOG = 5
    CUSTOM_FIELDS = 6
    TRANSFERRED_SESSIONS = 7
    TECHNICIAN_SURVEY = 8
    COLLABORATION_CHAT_LOG = 9
    FAILED_SESSIONS = 10
    TRANSFERRED_SESSIONS_EXTENDED = 16  # setReportArea_v8 only


class ReportType(enum.StrEnum):
    """How much a report shows."""

    LISTALL = "LISTALL"
    SUMMARY = "SUMMARY"


class ReportOutput(enum.StrEnum):
    """How the service writes a report; TEXT escapes nothing."""

    XML = "XML"
    TEXT = "TEXT"


class ReportNodeRef(enum.StrEnum):
    """The type of the node that a report is about; external technicians are known to ``getReport_v2`` alone."""

    NODE = "NODE"
    CHANNEL = "CHANNEL"
    EXTERNALROOT = "EXTERNALROOT"
    EXTERNALTECH = "EXTERNALTECH"
    EXTERNALGROUP = "EXTERNALGROUP"


class ReportOptions(TypedDict, total=False):
    """The keyword arguments of `RescueClient.report`."""

    node: Required[int]
    node_ref: ReportNodeRef
    timezone: int
    type: ReportType
    output: ReportOutput
    delimiter: str
