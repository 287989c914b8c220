"""What our figures are held against: the same job as a FastAPI application does it.

Not ours to be clever with: FastAPI, pydantic, redis-py over asyncio and uvicorn with uvloop and
httptools, each used as its documentation shows. It runs in an environment of its own, which the
bench makes.
"""
