"""Audits while a PyTorch model trains."""

import numpy as np
import pytest
from test_recording import CELLS, walks

import tellapart

torch = pytest.importorskip("torch")


def test_an_encoder_is_audited_while_it_trains() -> None:
    from tellapart.torch import Audit

    cells, actions, ends = walks()
    seen = np.eye(CELLS, dtype=np.float32)[cells]
    rec = tellapart.Recording(seen, actions, p=cells == 4, truncations=ends)
    encoder = torch.nn.Sequential(
        torch.nn.Linear(CELLS, 16), torch.nn.Dropout(0.5), torch.nn.BatchNorm1d(16)
    )
    encoder[2].eval()
    probe = Audit(rec, every=10)
    reports = []
    for step in range(20):
        if report := probe(step, encoder):
            reports.append(report)
    assert len(probe.history) == 2 and probe.history[0][0] == 9
    # Modes are as before, each module its own.
    assert encoder.training and encoder[1].training and not encoder[2].training
    assert all(parameter.grad is None for parameter in encoder.parameters())
    for report in [probe.audit(encoder), probe.audit(lambda batch: batch)]:
        assert report.scalars["compared"] > 0
    assert probe.audit(lambda batch: batch).healthy
    merged = probe.audit(lambda batch: batch[:, :8])  # the last cell is all zeros, and stays apart
    assert merged.healthy
    assert not probe.audit(lambda batch: batch[:, :7]).healthy


def test_tensors_are_latents() -> None:
    cells, actions, ends = walks()
    rec = tellapart.Recording(torch.tensor(cells), actions, p=cells == 4, truncations=ends)
    z = torch.eye(CELLS)[torch.tensor(cells)].requires_grad_()
    expected = tellapart.audit(rec, z).to_dict()["counts"]
    for latents in [z.double(), z.bfloat16(), z.half()]:
        assert tellapart.audit(rec, latents).to_dict()["counts"] == expected
