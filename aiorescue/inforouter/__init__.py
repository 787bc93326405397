"""infoRouter's ticket service: the client and its operations as values."""

from aiorescue.inforouter.authentication import AuthenticateUser, IsValidTicket, LogOut, RenewTicket, TicketHolder
from aiorescue.inforouter.client import InfoRouterClient

#: Every declared operation by the vendor's name.
OPERATIONS = {operation.spec.name: operation for operation in (AuthenticateUser, IsValidTicket, LogOut, RenewTicket)}

__all__ = [
    "OPERATIONS",
    "AuthenticateUser",
    "InfoRouterClient",
    "IsValidTicket",
    "LogOut",
    "RenewTicket",
    "TicketHolder",
]
