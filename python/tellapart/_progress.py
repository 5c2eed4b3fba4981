"""Progress of long work."""

import sys
from collections.abc import Callable
from typing import Any

Progress = bool | Callable[[str, float], object] | None
"""``None``: a bar of ``tqdm`` where that is installed and somebody looks; ``False``: nothing;
``True``: a bar in any case; or a function of the stage and the fraction of it that is done."""


def callback_of(progress: Progress) -> Callable[[str, float], object] | None:
    """Return what is told the progress, if anything is."""
    if callable(progress):
        return progress
    if progress is False or (progress is None and not _somebody_looks()):
        return None
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    return _Bar(tqdm)


def _somebody_looks() -> bool:
    return sys.stderr is not None and (sys.stderr.isatty() or "ipykernel" in sys.modules)


class _Bar:
    def __init__(self, tqdm: Any) -> None:
        self._tqdm, self._bar, self._stage = tqdm, None, ""

    def __call__(self, stage: str, fraction: float) -> None:
        bar: Any = self._bar
        if bar is None or stage != self._stage:
            if bar is not None:
                bar.close()
            bar = self._bar = self._tqdm(total=1000, desc=stage, leave=False, unit="per mille")
            self._stage = stage
        bar.update(round(1000 * fraction) - bar.n)
        if fraction >= 1.0:
            bar.close()
            self._bar = None
