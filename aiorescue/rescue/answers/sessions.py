"""What a list of sessions holds: the sessions and their states."""

import enum
from datetime import datetime
from typing import Annotated

from aiorescue.operation import frozen
from aiorescue.rescue.answers.records import Columns, Field
from aiorescue.rescue.answers.values import marked, maybe_moment, member
from aiorescue.wire.numbers import whole_number


class SessionStatus(enum.StrEnum):
    """The codes for the state of a session, as SOAP sends them."""

    STARTING = "SESSION_STARTING"
    CONNECTING = "SESSION_CONNECTING"
    WAITING = "SESSION_WAITING"
    OFFLINE = "SESSION_OFFLINE"
    PICKED_UP = "SESSION_PICKEDUP"
    CLOSED_BY_CUSTOMER = "SESSION_CLOSEDBYCUSTOMER"
    CLOSED_BY_TECHNICIAN = "SESSION_CLOSEDBYTECHNICIAN"
    TRANSFERRING_NOT_PICKED_UP = "SESSION_TRANSFERINGBUTNOTPICKEDUP"
    REVOKED = "SESSION_REVOKED"
    TRANSFERRED_WITHOUT_PICKUP = "SESSION_CLOSED_TRANSFERREDANOTHERTECH_WITHOUTPICKUP"
    CUSTOMER_LEFT_NOT_PICKED_UP = "SESSION_CUSTOMERLEFTSESSION_WASNOTPICKEDUP"
    WAITING_TIMEOUT_PICKED_UP = "SESSION_WAITINGTIMEOUT_PICKEDUP"
    WAITING_TIMEOUT_NOT_PICKED_UP = "SESSION_WAITINGTIMEOUT_NOTPICKEDUP"
    SYSTEM_TIMEOUT_PICKED_UP = "SESSION_SYSTEMTIMEOUT_PICKEDUP"
    SYSTEM_TIMEOUT_NOT_PICKED_UP = "SESSION_SYSTEMTIMEOUT_NOTPICKEDUP"
    ABORTED_TECHNICIAN_GONE = "SESSION_ABORTED_TECHDELETEDORDISABLED"
    TRANSFERRED = "SESSION_CLOSED_TRANSFERREDANOTHERTECH"
    REBOOTING = "SESSION_REBOOTING"
    CONNECTION_PROBLEM = "SESSION_CONNECTIONPROBLEM"
    ON_HOLD = "SESSION_ONHOLD"
    ON_HOLD_CUSTOMER_LEFT = "SESSION_ONHOLDBUTCUSTOMERLEFT"
    TIMEOUT_IDLE_TECHNICIAN = "SESSION_TIMEOUT_SESSIONIDLETECHSIDE"
    CUSTOMER_LEFT_DURING_TRANSFER_NOT_PICKED_UP = "SESSION_CUSTOMERLEFTSESSION_DURINGTRANSFER_WITHOUTPICKUP"
    CUSTOMER_LEFT_DURING_TRANSFER = "SESSION_CUSTOMERLEFTSESSION_DURINGTRANSFER"
    CLOSED_BY_WAITING_CUSTOMER = "SESSION_CLOSEDBYWAITINGCUSTOMER"
    CLOSED_BY_ACTIVE_CUSTOMER = "SESSION_CLOSEDBYACTIVECUSTOMER"
    CLOSED_DURING_RECONNECTING = "SESSION_CLOSED_DURINGRECONNECTING"
    CLOSED_DURING_REBOOTING = "SESSION_CLOSED_DURINGREBOOTING"
    # From version 3 on:
    UNATTENDED_EXPIRED_PICKED_UP = "SESSION_UACCESS_EXPIRED_WASPICKEDUPBEFORE"
    UNATTENDED_EXPIRED_NOT_PICKED_UP = "SESSION_UACCESS_EXPIRED_NOTPICKEDUPBEFORE"
    UNATTENDED_REVOKED_BY_CUSTOMER_PICKED_UP = "SESSION_UACCESS_REVOKEDBYCUSTOMER_WASPICKEDUPBEFORE"
    UNATTENDED_REVOKED_BY_CUSTOMER_NOT_PICKED_UP = "SESSION_UACCESS_REVOKEDBYCUSTOMER_NOTPICKEDUPBEFORE"
    UNATTENDED_REVOKED_BY_ADMIN_PICKED_UP = "SESSION_UACCESS_REVOKEDBYADMIN_WASPICKEDUPBEFORE"
    UNATTENDED_REVOKED_BY_ADMIN_NOT_PICKED_UP = "SESSION_UACCESS_REVOKEDBYADMIN_NOTPICKEDUPBEFORE"
    TERMS_DECLINED = "SESSION_TERMSANDCONDITIONSDECLINED"
    TIMEOUT_TECHNICIAN_LOST = "SESSION_TIMEOUT_TECHCONNECTIONLOSTORSESSIONWASNOTCLOSEDBYTECH"
    NOT_SUPPORTED = "SESSION_STATUS_NOT_SUPPORTED_VALUE"

    @classmethod
    def _missing_(cls, value: object) -> "SessionStatus | None":
        """Find the code for a word that the text pages print; only words that were seen with their code are known."""
        code = {"Waiting": "SESSION_WAITING", "Active": "SESSION_PICKEDUP", "Offline": "SESSION_OFFLINE"}.get(
            str(value)
        )
        return cls(code) if code is not None else None


@frozen
class Session:
    """A session, as one technician sees it: one that several work on is listed once for each of them.

    Attributes:
        id: id of the session.
        status: state of the session. A word that is no code of a known state is kept as it came: text pages print
            words, in the language of the account.
        status_word: the service's word for the state, in the language of the account (``"Waiting"``).
        channel_id: id of the channel that the session came in by; 0 for a private session.
        channel: name of that channel.
        technician_id: id of the technician; 0 before a technician picks it up.
        technician: name of the technician.
        started: time at which the session began, in a zone that the service does not name; None where the form of the
            time is not known.
        waiting: seconds since the last change of state.
        custom_fields: what the customer or the request for the PIN filled in: three texts, six from version 3 on.
        language: language of the customer (``"en"``).
        transferred_to: technician or channel that the session was transferred to.
        transferred_comment: comment on the transfer.
        is_lead: whether this technician leads the session.
        handing_off: whether this technician is handing the session on.
        mended: True if the session's row on a text page, which escapes nothing, held a delimiter or a line break in a
            cell and was put together by what its columns can hold; or if U+FFFD stands for a character that could not
            be read, or that XML does not allow.
    """

    id: Annotated[int, Field("iID", "ID", whole_number)]
    status: Annotated[SessionStatus | str, Field("bStatus", "Status", member(SessionStatus))]
    status_word: Annotated[str, Field("sStatus", "Status")] = ""
    channel_id: Annotated[int, Field("iEntry", "Entry ID", whole_number)] = 0
    channel: Annotated[str, Field("sEntry", "Entry")] = ""
    technician_id: Annotated[int, Field("iTechnician", "Technician ID", whole_number)] = 0
    technician: Annotated[str, Field("sTechnician", "Technician")] = ""
    started: Annotated[datetime | None, Field("sStartTime", "Start Time", maybe_moment)] = None
    waiting: Annotated[int, Field("iWaitingTimeInSec", "Waiting Time", whole_number)] = 0
    custom_fields: Annotated[
        tuple[str, ...], Columns(tuple(Field(f"sCustomField{i}", f"Custom Field {i}") for i in range(6)))
    ] = ()
    language: Annotated[str, Field("sLanguage", "Language")] = ""
    transferred_to: Annotated[str, Field("sTransferredTo", "Transferred To")] = ""
    transferred_comment: Annotated[str, Field("sTransferredComment", "Transferred Comment")] = ""
    is_lead: Annotated[bool, Field("bIsLead", "Is Lead Technician", marked)] = False
    handing_off: Annotated[bool, Field("bHandingOff", "HandingOff", marked)] = False
    mended: bool = False
