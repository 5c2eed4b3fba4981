"""Audits while a PyTorch model trains.

>>> probe = tellapart.torch.Audit(recording, every=1000)            # doctest: +SKIP
>>> for step, batch in enumerate(loader):                           # doctest: +SKIP
...     train(batch)
...     if report := probe(step, model.encoder):
...         log(report.scalars, step)

Importing this module imports ``torch``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from tellapart._audit import AuditReport, audit
from tellapart._recording import Recording


class Audit:
    """Audits an encoder every so many steps of a training.

    Args:
        recording: what the encoder is audited against. What it shows is found once.
        every: number of steps from one audit to the next; the first is at step ``every``.
        prepare: makes the input of the encoder of a batch of observations as they are stored,
            ``[batch, ...]``. Default: a float32 tensor on the device of the encoder; bytes of
            images are divided by 255, and their channels come first.
        batch_size: number of rows encoded at once.
        **options: those of :func:`tellapart.audit`.
    """

    def __init__(
        self,
        recording: Recording,
        *,
        every: int = 1000,
        prepare: Callable[[npt.NDArray[Any], torch.device], torch.Tensor] | None = None,
        batch_size: int = 256,
        **options: Any,
    ) -> None:
        if every < 1:
            raise ValueError(f"every={every}: expected at least 1")
        self.recording = recording
        self.every = every
        self.history: list[tuple[int, dict[str, float]]] = []
        """Step and scalars of every audit so far."""
        self._prepare = prepare or _prepared
        self._batch_size = batch_size
        self._options = {"progress": False, **options}

    def __call__(
        self, step: int, encoder: torch.nn.Module | Callable[[torch.Tensor], torch.Tensor]
    ) -> AuditReport | None:
        """Audit the encoder if it is due at this step, counted from 0; otherwise ``None``."""
        if (step + 1) % self.every:
            return None
        report = self.audit(encoder)
        self.history.append((step, report.scalars))
        return report

    def audit(
        self, encoder: torch.nn.Module | Callable[[torch.Tensor], torch.Tensor]
    ) -> AuditReport:
        """Audit the encoder now: without gradients, and a module in evaluation mode meanwhile."""
        parameters = encoder.parameters() if isinstance(encoder, torch.nn.Module) else iter(())
        first = next(parameters, None)
        device = torch.device("cpu") if first is None else first.device
        modes = (
            [(module, module.training) for module in encoder.modules()]
            if isinstance(encoder, torch.nn.Module)
            else []
        )
        if isinstance(encoder, torch.nn.Module):
            encoder.eval()
        try:
            with torch.no_grad():
                latents = self.recording.encode(
                    lambda batch: encoder(self._prepare(batch, device)),
                    batch_size=self._batch_size,
                )
        finally:
            for module, training in modes:
                module.training = training
        return audit(self.recording, latents, **self._options)


def _prepared(batch: npt.NDArray[Any], device: torch.device) -> torch.Tensor:
    is_image = batch.dtype == np.uint8 and batch.ndim == 4
    tensor = torch.from_numpy(np.ascontiguousarray(batch, dtype=np.float32)).to(device)
    return tensor.permute(0, 3, 1, 2) / 255.0 if is_image else tensor
