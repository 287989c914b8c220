"""The application: `uvicorn tests.bench.baseline.application:application`.

REDIS_URL names its store. The body is given to pydantic as it came: declared as a parameter, it
would be read by Python's own decoder first, which takes a fifth more of the whole.
"""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from redis.asyncio import Redis

from tests.bench.baseline.handler import Uplink, take_in


@asynccontextmanager
async def _lifespan(application: FastAPI) -> AsyncGenerator[None, None]:
    async with Redis.from_url(os.environ["REDIS_URL"]) as redis:
        application.state.redis = redis
        yield


application = FastAPI(lifespan=_lifespan)


@application.post("/api/v1/webhooks/chirpstack", status_code=204)
async def webhook(event: str, request: Request) -> None:
    """204 once the uplink is stored."""
    if event == "up":
        uplink = Uplink.model_validate_json(await request.body())
        await take_in(request.app.state.redis, uplink)
