"""A server of Telegram's Bot API, for a bot that polls: `say` writes to the bot, `sent` has its messages."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

_ME = {"id": 1, "is_bot": True, "first_name": "Helper", "username": "helper_bot"}


class BotApi:
    """The server's state.

    Attributes:
        url: where the server listens.
        sent: the messages that the bot sends, as chat and text.
    """

    def __init__(self) -> None:
        self.url = ""
        self.sent: asyncio.Queue[tuple[int, str]] = asyncio.Queue()
        self._updates: list[dict[str, Any]] = []
        self._news = asyncio.Event()

    def say(self, chat: int, name: str, text: str) -> None:
        """Let a person write to the bot."""
        number = len(self._updates) + 1
        person = {"id": chat, "is_bot": False, "first_name": name}
        entities = [{"type": "bot_command", "offset": 0, "length": len(text)}] if text.startswith("/") else []
        message = {
            "message_id": number,
            "date": 1_800_000_000,
            "chat": {"id": chat, "type": "private", "first_name": name},
            "from": person,
            "text": text,
            "entities": entities,
        }
        self._updates.append({"update_id": number, "message": message})
        self._news.set()

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one method of the Bot API; `getUpdates` waits for news, as a long poll does."""
        form = await request.post()
        match request.match_info["method"]:
            case "getMe":
                result: Any = _ME
            case "getUpdates":
                result = await self._poll(int(str(form.get("offset", 0))))
            case "sendMessage":
                chat, text = int(str(form["chat_id"])), str(form["text"])
                self.sent.put_nowait((chat, text))
                result = {"message_id": 1000, "date": 1, "chat": {"id": chat, "type": "private"}, "text": text}
            case _:
                result = True
        return web.json_response({"ok": True, "result": result})

    async def _poll(self, offset: int) -> list[dict[str, Any]]:
        new = [update for update in self._updates if update["update_id"] >= offset]
        if not new:
            self._news.clear()
            await self._news.wait()
            new = [update for update in self._updates if update["update_id"] >= offset]
        return new


@asynccontextmanager
async def bot_api() -> AsyncIterator[BotApi]:
    """A Bot API server on a free port."""
    api = BotApi()
    app = web.Application()
    app.router.add_post("/bot{token}/{method}", api.answer)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        api.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield api
    finally:
        await runner.cleanup()
