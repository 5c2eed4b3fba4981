"""Recordings, evidence and audits."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import numpy as np
import pytest

import tellapart

CELLS = 9


def walks(seed: int = 0, episodes: int = 100) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return cells, actions and ends of walks on a chain whose middle is rewarded."""
    rng = np.random.default_rng(seed)
    cells, actions, ends = [], [], []
    for _ in range(episodes):
        cell = int(rng.integers(CELLS))
        for step in range(16):
            action = int(rng.integers(2))
            cells.append(cell)
            actions.append(action)
            ends.append(step == 15)
            cell = min(max(cell + 2 * action - 1, 0), CELLS - 1)
    return np.array(cells), np.array(actions), np.array(ends)


def recording(**options: Any) -> tuple[tellapart.Recording, np.ndarray]:
    cells, actions, ends = walks()
    made = tellapart.Recording(cells, actions, p=cells == 4, truncations=ends, **options)
    return made, cells


def test_a_perfect_code_is_healthy_and_a_merge_is_not(tmp_path) -> None:  # type: ignore[no-untyped-def]
    rec, cells = recording(action_names=["left", "right"])
    good = rec.encode(lambda batch: np.eye(CELLS, dtype=np.float32)[batch])
    report = tellapart.audit(rec, good)
    assert report and report.verdict == "healthy" and not report.merged_pairs
    merged = np.eye(CELLS)[np.where(cells == 8, 0, cells)]
    report = tellapart.audit(rec, merged, name="merged")
    assert not report and report.required_lipschitz == float("inf")
    assert "merged" in repr(report) and report.scalars["healthy"] == 0.0
    pair = report.pairs[0]
    assert pair.cause == "encoder" and pair.names is not None and len(pair.names) == 4
    assert {tuple(cells[list(pair.rows)].tolist())} <= {(0, 8), (8, 0)}
    assert report.to_dict()["schema"].startswith("tellapart.audit/")
    report.save(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert page.startswith("<!DOCTYPE html>") and "merged against recording" in page
    assert os.listdir(tmp_path) == ["page.html"]
    assert "<table>" in report._repr_html_()
    both = tellapart.audit(rec, {"good": good, "merged": merged})
    assert list(both) == ["good", "merged"] and both["good"].healthy
    assert "unhealthy" in repr(both)


def test_the_document_is_that_of_the_program(tmp_path) -> None:  # type: ignore[no-untyped-def]
    rec, cells = recording()
    rec.save(tmp_path / "walks.npz")
    latents = np.eye(CELLS, dtype=np.float32)[np.where(cells == 8, 0, cells)]
    np.save(tmp_path / "z.npy", latents)
    again = tellapart.Recording.load(tmp_path / "walks.npz", p="p")
    words = ["audit", "--data", "walks.npz", "--embeddings", "z.npy", "--p", "p", "--json"]
    ran = subprocess.run(
        [sys.executable, "-m", "tellapart", *words], cwd=tmp_path, capture_output=True, text=True
    )
    assert ran.returncode == 3, ran.stderr
    assert tellapart.audit(again, latents).to_dict() == json.loads(ran.stdout)


def test_evidence_says_what_tells_rows_apart() -> None:
    rec, cells = recording()
    first = {cell: int(np.flatnonzero(cells == cell)[0]) for cell in range(CELLS)}
    found = rec.distinguished(first[0], first[8])
    assert isinstance(found, tellapart.Distinguished) and found and len(found.actions) == 4
    alike = np.flatnonzero(cells == 2)
    same = rec.distinguished(int(alike[0]), int(alike[1]))
    assert isinstance(same, tellapart.NotDistinguished) and not same and same.reason == "same"
    assert rec.evidence.world == "deterministic" and not rec.contradictions
    assert rec.coverage == 1.0 and len(rec) == len(cells)
    assert any(reading["contradicting"] == 0 for reading in rec.align()["actions"])
    with pytest.raises(IndexError):
        rec.distinguished(0, len(cells))
    noisy = tellapart.Recording(
        cells, np.zeros(len(cells), int), p=cells == 4, truncations=walks()[2]
    )
    assert noisy.contradictions and noisy.evidence.world == "stochastic"


def test_p_is_a_name_an_array_or_a_function() -> None:
    cells, actions, ends = walks()
    made = [
        tellapart.Recording(cells, actions, truncations=ends, goal=cells == 4, p="goal"),
        tellapart.Recording(cells, actions, truncations=ends, p=cells == 4),
        tellapart.Recording(
            cells, actions, truncations=ends, p=lambda row: row["observations"] == 4
        ),
    ]
    z = np.eye(CELLS)[cells]
    counts = [tellapart.audit(rec, z).to_dict()["counts"] for rec in made]
    assert counts[0] == counts[1] == counts[2]


def test_encoders_that_do_not_keep_rows_are_refused() -> None:
    rec, _ = recording()
    eye = np.eye(CELLS, dtype=np.float32)
    with pytest.raises(tellapart.DataError, match="encoded alone"):
        rec.encode(lambda batch: eye[batch] - eye[batch].mean(axis=0))
    with pytest.raises(tellapart.DataError, match="returned 1 latents for 256"):
        rec.encode(lambda batch: eye[batch][:1])
    with pytest.raises(tellapart.DataError, match="\\[rows, dimensions\\]"):
        rec.encode(lambda batch: batch.astype(np.float32))


def test_bad_data_is_refused_in_words() -> None:
    cells, actions, ends = walks(episodes=4)
    for options, said in [
        ({}, "no array `terminals`"),
        ({"truncations": ends[:5]}, "`timeouts` has 5 rows"),
        ({"truncations": ends, "rewards": np.full(len(cells), "x")}, "numbers or bools"),
    ]:
        with pytest.raises(tellapart.DataError, match=said):
            tellapart.Recording(cells, actions, **options)
    rec = tellapart.Recording(cells, actions, truncations=ends)
    with pytest.raises(tellapart.DataError, match="there is no array `rewards`"):
        _ = rec.evidence
    rec = tellapart.Recording(cells, actions, truncations=ends, p=cells == 4)
    for latents, said in [
        (np.zeros((3, 2), np.float32), "3 rows"),
        (np.zeros(len(cells)), "reshape"),
        (np.zeros((len(cells), 2), int), "float32 or float64"),
        (np.full((len(cells), 2), np.nan), "row 0"),
    ]:
        with pytest.raises(tellapart.DataError, match=said):
            tellapart.audit(rec, latents)


def test_types_and_orders_of_latents_are_read() -> None:
    rec, cells = recording()
    z = np.eye(CELLS)[np.where(cells == 8, 0, cells)]
    expected = tellapart.audit(rec, z.astype(np.float32)).to_dict()
    for latents in [z, z.astype(np.float16), np.asfortranarray(z), z.astype(">f4"), z[:, ::-1]]:
        assert tellapart.audit(rec, latents).to_dict()["counts"] == expected["counts"]


def audited(queue: Any, rec: tellapart.Recording, z: np.ndarray) -> None:
    queue.put(tellapart.audit(rec, z).verdict)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_has_threads_of_its_own() -> None:
    rec, cells = recording()
    z = np.eye(CELLS)[cells]
    tellapart.audit(rec, z)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=audited, args=(queue, rec, z))
    child.start()
    assert queue.get(timeout=20) == "healthy"
    child.join(20)


def large() -> tuple[tellapart.Recording, np.ndarray]:
    """Return an audit that takes a minute."""
    rng = np.random.default_rng(0)
    rows = 60_000
    ends = np.arange(rows) % 100 == 99
    rec = tellapart.Recording(
        np.arange(rows), rng.integers(0, 2, rows), p=rng.integers(0, 3, rows), truncations=ends
    )
    return rec, rng.normal(size=(rows, 64)).astype(np.float32)


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_ctrl_c_ends_work_within_a_second() -> None:
    rec, z = large()
    _ = rec.evidence
    pressed: list[float] = []

    def press() -> None:
        time.sleep(0.5)
        pressed.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        tellapart.audit(rec, z)
    assert time.monotonic() - pressed[0] < 1.0
    thread.join()


def test_progress_is_told_and_may_stop_the_work() -> None:
    rec, z = large()
    told: list[str] = []

    def progress(stage: str, fraction: float) -> None:
        assert 0.0 <= fraction <= 1.0
        told.append(stage)
        if "nearest neighbors" in stage:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        tellapart.audit(rec, z, progress=progress)
    assert told


def test_other_threads_run_meanwhile() -> None:
    rec, cells = recording()
    z = np.random.default_rng(0).normal(size=(len(cells), 64)).astype(np.float32)
    ticks = 0
    done = threading.Event()

    def count() -> None:
        nonlocal ticks
        while not done.is_set():
            ticks += 1
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    for _ in range(3):
        tellapart.audit(rec, z)
    done.set()
    thread.join()
    assert ticks > 10


def test_importing_takes_numpy_alone() -> None:
    code = "import sys, tellapart; print([m for m in ('torch', 'pandas', 'tqdm', 'gymnasium') if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
