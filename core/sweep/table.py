"""A sweep as a tidy table, and as a file that can be loaded and drawn again.

One row for each network of each cell: the axes' values, ``network``, the measure, the engine that
computed it, and the error if there is one. Where a network is stuck at the largest value of its
format, there is a column ``stuck`` too. The description of the sweep is kept with the table as
JSON: in Parquet's own metadata, in the first line of a CSV file.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ..question.experiment import Experiment
from ..text import shown
from .axes import parse
from .groups import ENGINES, Question
from .measures import measure_of
from .result import NAMES, SweepResult

_KEY = "good_init_sweep"
_COMMENT = f"# {_KEY} "
_COLUMNS = ("network", "value", "engine", "error")
_MOST_BYTES = 2**28  # a larger file is refused before it is read


def to_frame(result: SweepResult) -> pd.DataFrame:
    """One row for each network of each cell, cells in the order of the grid.

    Columns: one for each axis, ``network``, ``value``, ``engine`` (empty in a cell that is not
    done) and ``error``; also ``stuck`` if a network is stuck at the largest value of a format
    that saturates. Where an engine is named, NaN of a measure of iterations means never.
    """
    networks, cells = len(result.values), result.done.size
    places = np.unravel_index(np.arange(cells), result.shape)
    columns: dict[str, Any] = {
        axis.name: np.repeat(np.array(axis.values)[at], networks)
        for axis, at in zip(result.axes, places, strict=True)
    }
    errors = np.full(cells, "", dtype=object)
    for place, reason in result.errors.items():
        errors[np.ravel_multi_index(place, result.shape)] = reason
    columns["network"] = np.tile(np.arange(networks), cells)
    columns["value"] = result.values.reshape(networks, cells).T.ravel()
    columns["engine"] = np.repeat(np.array(NAMES, dtype=object)[result.engines.ravel()], networks)
    columns["error"] = np.repeat(errors, networks)
    if result.stuck.any():
        columns["stuck"] = result.stuck.reshape(networks, cells).T.ravel()
    return pd.DataFrame(columns)


def _described(result: SweepResult) -> str:
    question = result.question
    layer = "" if question.layer is None else f"@{question.layer}"
    document = {
        "experiment": result.base.to_query(),
        "axes": [axis.to_text() for axis in result.axes],
        "measure": f"{question.measure}{layer}",
        "ensemble_size": question.ensemble_size,
        "real": question.real,
        "stopped": result.stopped,
    }
    return json.dumps(document, ensure_ascii=False)


def _rebuilt(text: str, frame: pd.DataFrame) -> SweepResult:
    """The result that a description and a table describe; ValueError if they do not fit."""
    document = json.loads(text)
    base, problems = Experiment.from_query(document["experiment"])
    if problems:
        raise ValueError("; ".join(problems))
    axes = tuple(parse(each) for each in document["axes"])
    name, layer = measure_of(document["measure"])
    question = Question(name, layer, int(document["ensemble_size"]), bool(document["real"]))
    shape, networks = tuple(len(axis.values) for axis in axes), question.networks
    cells = int(np.prod(shape))
    if len(frame) != cells * networks or not set(_COLUMNS) <= set(frame.columns):
        raise ValueError(f"a table of {cells * networks} rows is wanted, got {len(frame)}")
    values = frame["value"].to_numpy(np.float64).reshape(cells, networks).T
    engines = frame["engine"].to_numpy(object)[::networks]
    errors = frame["error"].to_numpy(object)[::networks]
    stuck = frame["stuck"].to_numpy(bool) if "stuck" in frame else np.zeros(len(frame), bool)
    unknown = set(engines) - set(NAMES)
    if unknown:
        raise ValueError(
            f"an engine must be one of {', '.join(ENGINES)}, got {shown(min(unknown))}"
        )
    return SweepResult(
        base,
        axes,
        question,
        values.reshape(networks, *shape).copy(),
        np.array([NAMES.index(each) for each in engines], dtype=np.uint8).reshape(shape),
        {
            tuple(map(int, np.unravel_index(cell, shape))): str(errors[cell])
            for cell in np.flatnonzero(errors != "")
        },
        bool(document["stopped"]),
        stuck.reshape(cells, networks).T.reshape(networks, *shape).copy(),
    )


def to_parquet(result: SweepResult) -> bytes:
    """The table as a Parquet file, with the description in the schema's metadata."""
    table = pa.Table.from_pandas(to_frame(result), preserve_index=False)
    metadata = (table.schema.metadata or {}) | {_KEY.encode(): _described(result).encode()}
    sink = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(metadata), sink, compression="zstd")
    return sink.getvalue()


def to_csv(result: SweepResult) -> bytes:
    """The table as CSV, below a line with the description."""
    head = f"{_COMMENT}{_described(result)}\n"
    return (head + to_frame(result).to_csv(index=False, na_rep="nan", lineterminator="\n")).encode()


WRITERS: dict[str, Callable[[SweepResult], bytes]] = {".parquet": to_parquet, ".csv": to_csv}
"""Ending of a file's name -> the writer of such files."""


def save(result: SweepResult, path: str | Path) -> None:
    """Write a file in the format that its ending names; ValueError for another ending."""
    Path(path).write_bytes(writer_of(path)(result))


def writer_of(path: str | Path) -> Callable[[SweepResult], bytes]:
    """The writer for a file's name; ValueError for an ending without one."""
    ending = Path(path).suffix.lower()
    if ending not in WRITERS:
        raise ValueError(f"the file must end in {' or '.join(WRITERS)}, got {shown(str(path))}")
    return WRITERS[ending]


def load(path: str | Path) -> SweepResult:
    """The sweep in a file that ``save`` has written.

    Raises:
        ValueError: the file is no such file; the message says why.
        OSError: the file cannot be read.
    """
    writer_of(path)
    path = Path(path)
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError(f"{path} must have at most {_MOST_BYTES} bytes")
    try:
        read = _from_csv if path.suffix.lower() == ".csv" else _from_parquet
        return read(path.read_bytes())
    except (KeyError, TypeError, ValueError) as error:  # ArrowInvalid is one of the last
        raise ValueError(f"{path} is not a sweep of this program: {error}") from None


def _from_csv(data: bytes) -> SweepResult:
    head, _, rest = data.decode().partition("\n")
    if not head.startswith(_COMMENT):
        raise ValueError("its first line does not say what was swept")
    frame = pd.read_csv(
        io.StringIO(rest),
        dtype={"value": np.float64, "engine": object, "error": object},
        keep_default_na=False,
        na_values={"value": ["nan"]},
    )
    return _rebuilt(head.removeprefix(_COMMENT), frame)


def _from_parquet(data: bytes) -> SweepResult:
    table = pq.read_table(io.BytesIO(data))
    return _rebuilt((table.schema.metadata or {})[_KEY.encode()].decode(), table.to_pandas())
