"""What the console reads from the routes inside its own process."""

from __future__ import annotations

from typing import cast

from fastapi import APIRouter, Response

from consumers.console.data.read_api import ReadApi, caller_of
from consumers.read_api.reader import Reads
from infra.http.callers import Caller
from infra.http.routes import RouteParts
from infra.json_documents import to_json
from infra.postgres.connection import Pool
from infra.settings import Settings

REACH = 2_049 * (2**53 - 1)


def sums(parts: RouteParts, reads: Reads) -> APIRouter:
    routes = APIRouter()

    @routes.get("/v1/sum")
    async def a_sum() -> Response:
        return Response(to_json({"reach": REACH}), media_type="application/json")

    return routes


async def test_a_sum_beyond_64_bits_keeps_every_digit() -> None:
    read_api = ReadApi(RouteParts(Settings(), cast(Pool, None), caller_of), sums)
    document = (await read_api.get(cast(Caller, None), "/v1/sum")).document
    assert (document["reach"], type(document["reach"])) == (REACH, int)
