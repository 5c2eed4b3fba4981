"""Audits of latents against what a recording tells apart."""

from __future__ import annotations

import html
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

from tellapart import _tellapart
from tellapart._arrays import as_latents
from tellapart._progress import Progress, callback_of
from tellapart._recording import Recording


@dataclass(frozen=True, slots=True)
class MergedPair:
    """Two rows that an encoder merged, or that lie near for another reason."""

    rows: tuple[int, int]
    """The two rows."""
    cause: str
    """``encoder``: it merged what the data tells apart; ``outlier``: a single row in the wrong
    place; ``observation``: the observations are identical; ``data``: it does not decide."""
    distance: float
    """Latent distance, in units of the spread."""
    required_lipschitz: float
    """Lipschitz constant that dynamics and head on top would need to be right about both;
    infinite if the latents are equal, NaN for cause ``data``."""
    names: tuple[str, ...] | None
    """Actions of the word after which ``p`` differs; ``None`` for cause ``data``."""
    p: tuple[tuple[float, ...], tuple[float, ...]]
    """Values of ``p`` after that word."""


class AuditReport:
    """The result of an audit: which observations the encoder merged, with witness and cause.

    True iff it is healthy, so that ``assert report, report`` fails with the verdict.
    """

    def __init__(self, native: _tellapart.AuditReport, source: str, name: str) -> None:
        self._native = native
        self._source = source
        self.name = name
        self._document: dict[str, Any] = json.loads(native.json())

    @property
    def verdict(self) -> str:
        """``healthy``, ``unhealthy`` or ``undecided``."""
        return str(self._document["verdict"])

    @property
    def healthy(self) -> bool:
        """Whether the verdict is ``healthy``; an undecided audit is not."""
        return self.verdict == "healthy"

    @property
    def reason(self) -> str:
        """Reason of the verdict, in sentences."""
        return str(self._document["reason"])

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must see next to the verdict."""
        return tuple(self._document["warnings"])

    @property
    def merged_pairs(self) -> int:
        """Number of compared pairs that the encoder merged."""
        return int(self._document["counts"]["encoder"])

    @property
    def merged_rows(self) -> int:
        """Number of rows in these pairs."""
        return int(self._document["counts"]["encoder_rows"])

    @property
    def required_lipschitz(self) -> float:
        """Greatest required Lipschitz constant found of two rows that must be apart and whose
        observations differ; infinite if their latents are equal, NaN if there are none."""
        closest = self._document["closest"]
        pairs = [*self._document["pairs"], *([] if closest is None else [closest])]
        constants = [_constant(pair) for pair in pairs if pair["cause"] in ("encoder", "outlier")]
        return max(constants, default=float("nan"))

    @property
    def pairs(self) -> tuple[MergedPair, ...]:
        """The worst pairs, taking turns between kinds; then some that the data leaves open."""
        names = self._document["actions"]
        return tuple(_pair(pair, names) for pair in self._document["pairs"])

    @property
    def scalars(self) -> dict[str, float]:
        """Numbers for a log: ``merged_pairs``, ``merged_rows``, ``required_lipschitz``,
        ``outliers``, ``compared`` and ``healthy`` (1 or 0)."""
        counts = self._document["counts"]
        return {
            "merged_pairs": float(counts["encoder"]),
            "merged_rows": float(counts["encoder_rows"]),
            "required_lipschitz": self.required_lipschitz,
            "outliers": float(counts["outlier_rows"]),
            "compared": float(counts["compared"]),
            "healthy": float(self.healthy),
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the document of ``tellapart audit --json``."""
        return dict(self._document)

    def to_dataframe(self) -> Any:
        """Return a ``pandas.DataFrame`` with a row for each of :attr:`pairs`."""
        import pandas

        fields = ["rows", "cause", "distance", "required_lipschitz", "names", "p"]
        return pandas.DataFrame(
            [{field: getattr(pair, field) for field in fields} for pair in self.pairs]
        )

    def to_html(self, *, progress: Progress = False) -> str:
        """Return the page: self-contained HTML with the observations, the map and all findings."""
        return self._native.page(self._source, self.name, False, callback_of(progress))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page to a file, whole or not at all."""
        target = Path(path)
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=target.parent, prefix=f".{target.name}.", delete=False
        ) as file:
            temporary = Path(file.name)
            try:
                file.write(self.to_html())
                file.flush()
                os.fsync(file.fileno())
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
        os.replace(temporary, target)

    def show(self, height: int = 800) -> Any:
        """Show the page in a notebook."""
        from IPython.display import HTML

        page = html.escape(self.to_html())
        frame = f'<iframe srcdoc="{page}" sandbox="allow-scripts" width="100%" height="{height}"></iframe>'
        return HTML(frame)

    def __bool__(self) -> bool:
        return self.healthy

    def __repr__(self) -> str:
        verdict = self.verdict.upper() if self.verdict == "unhealthy" else self.verdict
        return f"{verdict}: {self.reason}"

    def _repr_html_(self) -> str:
        cells = "".join(
            "<tr>"
            + "".join(f"<td>{html.escape(text)}</td>" for text in _cells(pair))
            + "</tr>"
            for pair in self.pairs[:10]
        )
        heads = "".join(
            f"<th>{head}</th>"
            for head in ("rows", "cause", "required Lipschitz", "p", "after")
        )
        table = f"<table><thead><tr>{heads}</tr></thead><tbody>{cells}</tbody></table>"
        notes = "".join(f"<p>note: {html.escape(note)}</p>" for note in self.warnings)
        return f"<p><strong>{html.escape(repr(self))}</strong></p>{notes}{table if cells else ''}"


def _constant(pair: Mapping[str, Any]) -> float:
    if pair["required_lipschitz_is_infinite"]:
        return float("inf")
    constant = pair["required_lipschitz"]
    return float("nan") if constant is None else float(constant)


def _pair(pair: Mapping[str, Any], names: list[str]) -> MergedPair:
    word = pair["witness"]
    first, second = (tuple(pair[side][-1]) if pair[side] else () for side in ("p_i", "p_j"))
    return MergedPair(
        rows=(pair["i"], pair["j"]),
        cause=pair["cause"],
        distance=float(pair["distance"]),
        required_lipschitz=_constant(pair),
        names=None if word is None else tuple(names[action] for action in word),
        p=(first, second),
    )


def _cells(pair: MergedPair) -> tuple[str, ...]:
    word = "-" if pair.names is None else " ".join(pair.names) or "at once"
    values = " / ".join(", ".join(f"{number:g}" for number in value) for value in pair.p)
    return (
        f"{pair.rows[0]} {pair.rows[1]}",
        pair.cause,
        f"{pair.required_lipschitz:.4g}",
        values,
        word,
    )


class Comparison(Mapping[str, AuditReport]):
    """Audits of several encoders on one recording, by their names."""

    def __init__(self, reports: Mapping[str, AuditReport]) -> None:
        self._reports = dict(reports)

    def __getitem__(self, name: str) -> AuditReport:
        return self._reports[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._reports)

    def __len__(self) -> int:
        return len(self._reports)

    def to_dataframe(self) -> Any:
        """Return a ``pandas.DataFrame`` with a row for each encoder."""
        import pandas

        rows = {name: {"verdict": r.verdict, **r.scalars} for name, r in self._reports.items()}
        return pandas.DataFrame.from_dict(rows, orient="index")

    def _table(self) -> list[tuple[str, ...]]:
        head = ("encoder", "verdict", "merged pairs", "rows", "required Lipschitz")
        rows: list[tuple[str, ...]] = [head]
        for name, report in self._reports.items():
            pairs, merged = str(report.merged_pairs), str(report.merged_rows)
            rows.append((name, report.verdict, pairs, merged, f"{report.required_lipschitz:.4g}"))
        return rows

    def __repr__(self) -> str:
        table = self._table()
        widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
        lines = (
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in table
        )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
            for row in self._table()
        )
        return f"<table>{rows}</table>"


@overload
def audit(
    recording: Recording,
    latents: Mapping[str, Any],
    *,
    threshold: float | None = ...,
    outliers: float | None = ...,
    neighbors: int | None = ...,
    pairs: int | None = ...,
    same_observation: float | None = ...,
    seed: int | None = ...,
    truth: bool = ...,
    name: str = ...,
    progress: Progress = ...,
) -> Comparison: ...
@overload
def audit(
    recording: Recording,
    latents: Any,
    *,
    threshold: float | None = ...,
    outliers: float | None = ...,
    neighbors: int | None = ...,
    pairs: int | None = ...,
    same_observation: float | None = ...,
    seed: int | None = ...,
    truth: bool = ...,
    name: str = ...,
    progress: Progress = ...,
) -> AuditReport: ...
def audit(
    recording: Recording,
    latents: Any,
    *,
    threshold: float | None = None,
    outliers: float | None = None,
    neighbors: int | None = None,
    pairs: int | None = None,
    same_observation: float | None = None,
    seed: int | None = None,
    truth: bool = False,
    name: str = "latents",
    progress: Progress = None,
) -> AuditReport | Comparison:
    """Audit an encoder: which observations did it merge that the recording tells apart, and why?

    Args:
        recording: the recording; what it shows is found once, and kept for further audits.
        latents: ``[rows, dimensions]``, row ``i`` that of observation ``i``: an array, a tensor, or
            what :meth:`Recording.encode` returns. Or a mapping of names to such arrays: then the
            result is a :class:`Comparison`. float32 is borrowed, so it must not be changed meanwhile.
        threshold: required Lipschitz constant above which a pair counts as merged. Default: 10.
        outliers: share of the rows that may be outliers without counting as merged. Default: 0.05.
        neighbors: number of nearest neighbors that are compared with each latent. Default: 16.
        pairs: number of pairs to list. Default: 10.
        same_observation: observations are identical if no value differs by more. Default: 0.
        seed: seed of random samples. Default: 0.
        truth: whether the findings are also compared with the array ``state_ids``.
        name: name of the latents, for the page.
        progress: see ``tellapart._progress.Progress``.

    Raises:
        DataError: with what does not fit.
        KeyboardInterrupt: soon after Ctrl-C.
    """
    options = (threshold, outliers, neighbors, pairs, same_observation, seed, truth)
    callback = callback_of(progress)
    evidence = recording.find_evidence(progress=progress)

    def one(name: str, values: Any) -> AuditReport:
        array = as_latents(values)
        native = _tellapart.AuditReport(evidence._native, array, *options, callback)
        return AuditReport(native, recording.source, name)

    if isinstance(latents, Mapping):
        return Comparison({str(key): one(str(key), values) for key, values in latents.items()})
    return one(name, latents)
