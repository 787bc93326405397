"""Operations about the server and about the user that a client calls as."""

from aiorescue.inforouter.answers.server import ServerInformation, User
from aiorescue.inforouter.service import TICKET_LOWER, InfoRouterOperation, declare
from aiorescue.operation import operation


@operation
class ServerInfo(InfoRouterOperation[ServerInformation]):
    """Ask the server about itself: version, clock, licence, modules. Needs no ticket. Vendor: ``ServerInfo``."""

    spec = declare("ServerInfo", ticket=None)
    read = ServerInformation.of


@operation
class GetCurrentUser(InfoRouterOperation[User]):
    """Get the user that the client calls as. Vendor: ``GetCurrentUser``."""

    spec = declare("GetCurrentUser", ticket=TICKET_LOWER)
    read = User.of
