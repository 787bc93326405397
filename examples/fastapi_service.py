"""A web service that issues PIN codes: ``uvicorn --app-dir examples fastapi_service:app --workers 4``.

``POST /pins`` issues a PIN, ``GET /pins/wait`` says how long one takes, ``GET /health`` is for the load balancer.

Environment: ``RESCUE_AUTH_CODE``, one or several separated by commas; ``RESCUE_BASE_URL`` for the emulator;
``RESCUE_PIN_RATE`` if the service allows more than one PIN a second.
"""

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from aiorescue import AuthCode, HostPace, Pace, RescueClient, errors
from aiorescue.rescue import RequestPinCodeV3

# uvicorn configures its own loggers only: without this, warnings of aiorescue go nowhere.
logging.basicConfig(level=logging.INFO)
log = logging.getLogger("pins")
#: Seconds that a person is made to wait for a turn before the service says that it is busy.
PATIENCE = 15


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open one client for all requests of this worker; the pace is shared with the other workers of the machine."""
    codes = [AuthCode(code) for code in os.environ["RESCUE_AUTH_CODE"].split(",")]
    pace = HostPace(pace=Pace(pins=float(os.environ.get("RESCUE_PIN_RATE", "1"))))
    base_url = os.environ.get("RESCUE_BASE_URL", "https://secure.logmeinrescue.com")
    async with RescueClient(codes, base_url=base_url, pace=pace) as rescue:
        app.state.rescue = rescue
        yield


app = FastAPI(title="PIN codes", lifespan=lifespan)


def the_client(request: Request) -> RescueClient:
    """The client of this worker; a test overrides this dependency."""
    client: RescueClient = request.app.state.rescue
    return client


Rescue = Annotated[RescueClient, Depends(the_client)]


class Customer(BaseModel):
    """Who needs help; the technician sees it. The lengths are those that the service takes."""

    name: str = Field(max_length=64)
    problem: str = Field(default="", max_length=512)
    case: str = Field(default="", max_length=64)


class IssuedPin(BaseModel):
    """A PIN code, six digits as text."""

    pin: str


@app.post("/pins", status_code=201)
async def issue_pin(customer: Customer, rescue: Rescue) -> IssuedPin:
    """Issue a PIN code for a customer."""
    pin = await rescue.with_options(max_wait=PATIENCE).request_pin_code_v3(
        custom_fields=[customer.name, customer.problem],
        tracking=customer.case,
        no_tech_console=True,
    )
    return IssuedPin(pin=pin.code)


@app.get("/pins/wait")
async def wait(rescue: Rescue) -> float:
    """Seconds that a PIN asked for now would take to have its turn."""
    return round(rescue.expected_wait(RequestPinCodeV3), 1)


@app.get("/health")
async def health(rescue: Rescue) -> JSONResponse:
    """200 while at least one identity is accepted by the service; sends nothing to it."""
    states = {identity.name: identity.state for identity in rescue.identities}
    stats = rescue.stats()
    body = {"identities": states, "calls": stats.calls, "failures": stats.failures, "rejections": stats.rejections}
    return JSONResponse(body, 200 if set(states.values()) - {"refused"} else 503)


@app.exception_handler(errors.RescueError)
async def problem_of(_: Request, problem: errors.RescueError) -> JSONResponse:
    """Answer with what the browser can do about it, and not with the words of the support service."""
    match problem:
        case errors.InvalidRequest() | errors.InvalidParameter():
            return JSONResponse({"problem": str(problem)}, 422)
        case errors.QueueTimeout(expected_wait=seconds):
            return JSONResponse({"problem": "busy"}, 503, {"Retry-After": str(round(seconds) + 1)})
        case errors.OutOfPinCodes() | errors.AuthenticationError():
            log.error("%s", problem)  # no message of aiorescue holds a secret
            return JSONResponse({"problem": "no PIN codes can be issued at present"}, 503)
        case _:
            log.warning("%s", problem)
            return JSONResponse({"problem": "the support service does not answer as it should"}, 502)
