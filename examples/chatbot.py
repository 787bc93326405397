"""A Telegram bot that hands out PIN codes: ``python examples/chatbot.py``, and ``/help`` in a chat with it.

Environment: ``BOT_TOKEN``; ``RESCUE_AUTH_CODE``; ``RESCUE_BASE_URL`` for the emulator; ``BOT_API`` for a Bot API server
of your own.
"""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from typing import Any

from aiogram import Bot, Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import PRODUCTION, TelegramAPIServer
from aiogram.filters import Command, CommandStart
from aiogram.types import Message, TelegramObject

from aiorescue import AuthCode, HostPace, RescueClient, errors
from aiorescue.rescue import RequestPinCodeV3

log = logging.getLogger("chatbot")
dispatcher = Dispatcher()
#: Characters that the service takes in the first custom field.
LONGEST_NAME = 64
#: Seconds of waiting that are worth a message.
LONG = 3
#: Seconds that handlers have to end, once the bot is to stop.
PATIENCE = 40
#: The handlers at work.
handlers: set["asyncio.Task[Any]"] = set()


@dispatcher.update.outer_middleware
async def remember(
    handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[object]], event: TelegramObject, data: dict[str, Any]
) -> object:
    """Remember the handlers at work: aiogram does not wait for them when polling ends."""
    if (task := asyncio.current_task()) is not None:
        handlers.add(task)
        task.add_done_callback(handlers.discard)
    return await handler(event, data)


@dispatcher.message(CommandStart())
async def welcome(message: Message) -> None:
    """Say what the bot can do."""
    await message.answer("Send /help, and I give you a PIN for our support page.")


@dispatcher.message(Command("help"))
async def give_pin(message: Message, rescue: RescueClient) -> None:
    """Answer with a PIN; aiogram hands in the client that `main` has named."""
    seconds = rescue.expected_wait(RequestPinCodeV3)
    if seconds > LONG:
        await message.answer(f"One moment please: about {seconds:.0f} seconds.")
    name = message.from_user.full_name if message.from_user else "unknown"
    try:
        pin = await rescue.request_pin_code_v3(
            custom_fields=[name[:LONGEST_NAME]],
            tracking=f"telegram-{message.chat.id}",
            no_tech_console=True,
        )
    except errors.RescueError:
        log.exception("no PIN for chat %s", message.chat.id)
        await message.answer("Sorry, that did not work. Please call us.")
    else:
        await message.answer(f"Your PIN is {pin.code}. Please enter it at the support page.")


async def main() -> None:
    """Answer messages until SIGTERM or Ctrl-C; who has asked by then gets an answer."""
    code = AuthCode(os.environ["RESCUE_AUTH_CODE"])
    base_url = os.environ.get("RESCUE_BASE_URL", "https://secure.logmeinrescue.com")
    server = os.environ.get("BOT_API")
    session = AiohttpSession(api=TelegramAPIServer.from_base(server) if server else PRODUCTION)
    async with (
        Bot(os.environ["BOT_TOKEN"], session=session) as bot,
        RescueClient(code, base_url=base_url, pace=HostPace()) as rescue,
    ):
        await dispatcher.start_polling(bot, rescue=rescue, close_bot_session=False)
        if handlers:
            await asyncio.wait(handlers, timeout=PATIENCE)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    asyncio.run(main())
