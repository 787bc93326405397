"""LogMeIn Rescue: the client and its operations as values."""

from aiorescue.rescue.authentication import Login, Logout, RequestAuthCode
from aiorescue.rescue.client import RescueClient
from aiorescue.rescue.pins import PinCode, PinRequest, RequestLensPinCodeV2, RequestPinCode, RequestPinCodeV3
from aiorescue.rescue.sessions import CloseSession, StartSession

#: Every declared operation by the vendor's name.
OPERATIONS = {
    operation.spec.name: operation
    for operation in (
        Login,
        Logout,
        RequestAuthCode,
        RequestPinCode,
        RequestPinCodeV3,
        RequestLensPinCodeV2,
        StartSession,
        CloseSession,
    )
}

__all__ = [
    "OPERATIONS",
    "CloseSession",
    "Login",
    "Logout",
    "PinCode",
    "PinRequest",
    "RequestAuthCode",
    "RequestLensPinCodeV2",
    "RequestPinCode",
    "RequestPinCodeV3",
    "RescueClient",
    "StartSession",
]
