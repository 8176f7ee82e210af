"""A comparison's report as one file: to read, as data, its charts, and the calls of its sweeps."""

from __future__ import annotations

import io
import re
import zipfile

from core.comparison.record import Comparison
from core.comparison.report.as_json import to_json
from core.comparison.report.as_markdown import Charts, with_charts_at
from core.comparison.report.report import Report
from core.sweep.cell_rows import as_csv


def to_zip(made: Report, charts: Charts | None = None) -> bytes:
    """``comparison.md``, ``comparison.json``, the charts as PNG files that the report shows, and each sweep's calls as CSV."""
    files = {f"charts/{number:02}-{_file_name(title)}.png": (title, png) for number, (title, png) in enumerate((charts or {}).items(), 1)}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("comparison.md", with_charts_at(made, {title: name for name, (title, _) in files.items()}))
        archive.writestr("comparison.json", to_json(made))
        for number, sweep in enumerate(made.sweeps, 1):
            archive.writestr(f"sweeps/{number:02}-{_file_name(sweep.name)}.csv", as_csv(sweep.records))
        for name, (_, png) in files.items():
            archive.writestr(name, png)
    return packed.getvalue()


def _file_name(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60] or "chart"


def file_stem(comparison: Comparison) -> str:
    """What a file with the comparison is called, without its ending."""
    return f"comparison-{_file_name(comparison.name)}" if comparison.name else f"comparison-{comparison.id[:8]}"
