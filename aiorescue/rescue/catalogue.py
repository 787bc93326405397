"""`OPERATIONS`: every operation that the topic modules declare, by the vendor's name."""

from aiorescue.operation import declared
from aiorescue.rescue import (
    authentication,
    groups,
    hierarchy,
    invitations,
    pins,
    report_settings,
    report_state,
    reports,
    sessions,
    users,
)

#: The modules that hold declarations, in the order of the documentation.
TOPICS = (
    authentication,
    pins,
    invitations,
    sessions,
    hierarchy,
    users,
    groups,
    reports,
    report_settings,
    report_state,
)

#: Every declared operation by the vendor's name.
OPERATIONS = declared(*TOPICS)
