"""aiorescue: LogMeIn Rescue and infoRouter for asyncio."""
