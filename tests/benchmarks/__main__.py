"""``python -m tests.benchmarks [NAME …]``: run the benchmarks, print their tables, write tests/benchmarks/results/.

A benchmark is a module in this package with ``run() -> Sequence[Row]``. Its first docstring line is the table's title. Each
is run on its own, in a fresh interpreter, so that none measures what another left behind. ``results/<name>.json`` holds the
rows and where they were measured. Exit status 1 when a benchmark failed; a missed target is shown, not punished.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pkgutil
import platform
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import tests.benchmarks
from tests.benchmarks.row import Row

HERE = Path(__file__).parent
RESULTS = HERE / "results"


def names() -> tuple[str, ...]:
    """The benchmarks there are, by module name: those modules that define ``run``."""
    modules = (module.name for module in pkgutil.iter_modules(tests.benchmarks.__path__) if not module.ispkg)
    return tuple(
        sorted(name for name in modules if name != "__main__" and "\ndef run(" in (HERE / f"{name}.py").read_text(encoding="utf-8"))
    )


def machine() -> dict[str, Any]:
    """Where a result was measured."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "load_before": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }


def measure(name: str) -> None:
    """Run one benchmark in this interpreter, print its table and write its file."""
    module = importlib.import_module(f"tests.benchmarks.{name}")
    where = machine()
    began = time.monotonic()
    rows: list[Row] = list(module.run())
    took_s = time.monotonic() - began
    title = (module.__doc__ or name).strip().splitlines()[0]
    say(f"\n{name}: {title}\n{table(rows)}\n({took_s:.0f} s)")
    RESULTS.mkdir(exist_ok=True)
    result = {"benchmark": name, "title": title, "machine": where, "took_s": round(took_s, 1), "rows": [row.to_dict() for row in rows]}
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def table(rows: Sequence[Row]) -> str:
    """The rows as aligned text."""
    head = ("what", "ours", "unit", "reference", "", "ratio", "target", "met")
    lines = [head, *(cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)


def cells(row: Row) -> tuple[str, ...]:
    """One row, each cell as text."""
    return (
        row.name,
        number(row.value),
        row.unit,
        number(row.reference_value) if row.reference_value is not None else "",
        row.reference_name,
        f"{number(row.ratio)} ×" if row.ratio is not None else "",
        row.target,
        {None: "", True: "yes", False: "NO"}[row.met],
    )


def number(value: float) -> str:
    """Three significant digits, whole from 100 up, thousands set apart."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def say(text: str) -> None:
    """To the terminal, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(arguments: Iterable[str] | None = None) -> int:
    """Run what was asked for, or everything; the number of benchmarks that failed decides the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Run the benchmarks.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which of them ({', '.join(names())}); all when none is named")
    parser.add_argument("--here", action="store_true", help="in this interpreter instead of a fresh one each (for a profiler)")
    options = parser.parse_args(None if arguments is None else list(arguments))
    if unknown := set(options.names) - set(names()):
        parser.error(f"no benchmark called {', '.join(sorted(unknown))}; there are: {', '.join(names())}")
    chosen = options.names or names()
    if options.here:
        for name in chosen:
            measure(name)
        return 0
    failed = [name for name in chosen if subprocess.run([sys.executable, "-m", "tests.benchmarks", "--here", name], check=False).returncode]
    if failed:
        say(f"\nfailed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
