"""The HTTP route a browser takes an exported file from: streamed from disk, whatever its size."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from core.export.export_jobs import ExportJobs
from core.export.run_files import MIME


def export_routes(jobs: ExportJobs) -> list[Route]:
    """``GET /api/exports/{id}``, below any path too: the id cannot be guessed, and is good for an hour."""

    async def download(request: Request) -> Response:
        export = jobs.find(request.path_params["export"])
        if export is None or export.path is None:
            return PlainTextResponse("This export is not there any more. Export again.", 404, {"Cache-Control": "no-store"})
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        return FileResponse(export.path, media_type=MIME[export.kind], filename=export.name, headers=headers)

    return [Route(prefix + "/api/exports/{export}", download, methods=["GET"]) for prefix in ("", "/{base:path}")]
