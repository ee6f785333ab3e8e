"""Pages before a camera. The videos are drawn here: a sheet on a dark desk, moved and spoilt."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from edge_runtime.cli import app
from edge_runtime.errors import ImageError
from edge_runtime.reader import Reader
from edge_runtime.watch import Advice, Watch, blur_px

Gray = NDArray[np.uint8]
FRAME = (1600, 1200)  # width, height
SHEET = (742, 1050)


def sheet(text: str = "please write clearly", *, seed: int = 1) -> Gray:
    rng = np.random.default_rng(seed)
    paper = np.full((SHEET[1], SHEET[0]), 232, np.uint8)
    for k in range(12):
        words = text if k % 3 else str(rng.integers(10**9, 10**10))
        at = (60, 120 + 70 * k)
        cv2.putText(paper, words, at, cv2.FONT_HERSHEY_SIMPLEX, 1.0, 40, 2, cv2.LINE_AA)
    cv2.rectangle(paper, (60, 960), (680, 1010), 60, 2)
    return paper


def frame(
    paper: Gray | None,
    *,
    at: tuple[float, float] = (430, 75),
    light: float = 1.0,
    blur: float = 0.6,
    angle: float = 1.5,
    size: float = 1.0,
    seed: int = 0,
) -> Gray:
    """A desk with the sheet on it, as a camera of 2 megapixels sees it."""
    rng = np.random.default_rng(seed)
    seen = np.full((FRAME[1], FRAME[0]), 62, np.uint8)
    if paper is not None:
        move = cv2.getRotationMatrix2D((SHEET[0] / 2, SHEET[1] / 2), angle, size)
        move[:, 2] += at
        whole = np.full(paper.shape, 255, np.uint8)
        on = cv2.warpAffine(whole, move, FRAME) > 127
        seen = np.where(on, cv2.warpAffine(paper, move, FRAME), seen)
    soft = cv2.GaussianBlur(seen.astype(np.float32), (0, 0), blur)
    return np.clip(soft * light + rng.normal(0, 1.5, seen.shape), 0, 255).astype(np.uint8)


def advices(frames: Sequence[Gray]) -> list[Advice]:
    watch = Watch()
    return [watch.look(one).advice for one in frames]


def test_a_still_sharp_page_is_read_once() -> None:
    shots = [frame(sheet(), seed=k) for k in range(6)]
    assert advices(shots) == [
        Advice.STILL, Advice.STILL, Advice.READ, Advice.DONE, Advice.DONE, Advice.DONE,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("spoilt", "advice"),
    [
        ({"paper": None}, Advice.NO_PAGE),
        ({"paper": None, "light": 0.1}, Advice.TOO_DARK),
        ({"light": 0.25}, Advice.TOO_DARK),
        ({"at": (1100.0, 75.0)}, Advice.CORNER),
        ({"at": (430.0, -160.0)}, Advice.CORNER),
        ({"size": 0.6}, Advice.CLOSER),
        ({"blur": 4.0}, Advice.SHARP),
    ],
)
def test_what_is_wrong_is_said(spoilt: dict[str, object], advice: Advice) -> None:
    given = {"paper": sheet()} | spoilt
    shots = [frame(seed=k, **given) for k in range(4)]  # type: ignore[arg-type]
    assert advices(shots)[-1] is advice


def test_a_moving_page_is_asked_to_hold_still() -> None:
    shots = [frame(sheet(), at=(430 + 14 * k, 75), seed=k) for k in range(5)]
    assert set(advices(shots)) == {Advice.STILL}


def test_the_next_page_is_read_though_the_first_was_not_seen_to_go() -> None:
    first, second = sheet(seed=1), sheet("another form altogether", seed=2)
    shots = [frame(first, seed=k) for k in range(4)]
    shots += [frame(second, at=(400, 60), seed=k) for k in range(5)]
    found = advices(shots)
    assert found.count(Advice.READ) == 2
    assert found[6] is Advice.READ


def test_the_same_page_is_read_again_once_it_was_taken_away() -> None:
    page = [frame(sheet(), seed=k) for k in range(4)]
    gone = [frame(None, seed=k) for k in range(3)]
    assert advices([*page, *gone, *page]).count(Advice.READ) == 2


def test_a_page_that_is_only_nudged_is_not_read_again() -> None:
    shots = [frame(sheet(), seed=k) for k in range(4)]
    shots += [frame(sheet(), at=(455, 90), angle=-2, light=0.9, seed=k) for k in range(5)]
    assert advices(shots).count(Advice.READ) == 1


@pytest.mark.parametrize("sigma", [1.0, 1.5, 2.5])
def test_the_blur_is_measured(sigma: float) -> None:
    shot = frame(sheet(), blur=sigma, angle=0.0)
    corners = np.array([[430, 75], [1172, 75], [1172, 1125], [430, 1125]], np.float64)
    assert blur_px(shot, corners) == pytest.approx(np.hypot(sigma, 0.8), rel=0.3)


def test_the_reader_gives_one_reading_a_page(tiny_reader: Reader) -> None:
    shots = [frame(None), *(frame(sheet(), seed=k) for k in range(5))]
    sights = list(tiny_reader.watch(shots))
    assert sights[0].advice is Advice.NO_PAGE
    assert [one.form is not None for one in sights] == [False, False, False, True, False, False]


MARKS = [[9, 9, 14, 14], [196, 9, 201, 14], [9, 283, 14, 288], [196, 283, 201, 288]]
OTHER = {
    "name": "other", "page": {"size": [210, 297], "unit": "mm"}, "marks": MARKS,
    "fields": [{"name": "name", "box": [20, 60, 120, 68]}],
}  # fmt: skip


def test_a_page_that_is_not_the_form_is_said_while_it_is_there(tiny_reader: Reader) -> None:
    shots = [frame(sheet(), seed=k) for k in range(6)] + [frame(None, seed=k) for k in range(3)]
    sights = list(tiny_reader.watch(shots, template=OTHER))
    assert [one.advice for one in sights[2:6]] == [Advice.WRONG] * 4
    assert all("other" in one.reason and one.form is None for one in sights[2:6])
    assert sights[-1].advice is Advice.NO_PAGE
    assert sights[-1].reason == ""


def test_after_a_page_that_is_not_the_form_another_is_read() -> None:
    watch = Watch()
    for k in range(4):
        if watch.look(frame(sheet(seed=1), seed=k)).advice is Advice.READ:
            watch.refuse("no such form")
    second = [
        watch.look(frame(sheet("another form altogether", seed=2), at=(400, 60), seed=k))
        for k in range(4)
    ]
    assert [one.advice for one in second[2:]] == [Advice.READ, Advice.DONE]
    assert second[-1].reason == ""


@pytest.mark.parametrize("shape", [(1, 1), (2, 3000), (3000, 2), (1, 50), (5, 5)])
def test_a_sliver_of_a_frame_shows_no_page(shape: tuple[int, int], tiny_reader: Reader) -> None:
    frames = [np.full(shape, level, np.uint8) for level in (0, 128, 255)]
    assert all(sight.form is None and not sight.corners for sight in tiny_reader.watch(frames))


def test_what_is_no_frame_is_refused(tiny_reader: Reader) -> None:
    with pytest.raises(ImageError):
        list(tiny_reader.watch([np.zeros((4, 4), np.float32)]))  # type: ignore[list-item]


def filmed(path: Path) -> Path:
    """A sheet that is laid before the camera and stays."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, FRAME)
    for k, paper in enumerate([None, None, *[sheet()] * 5]):
        writer.write(cv2.cvtColor(frame(paper, seed=k), cv2.COLOR_GRAY2BGR))
    writer.release()
    return path


def test_the_command_reads_a_video(tiny_model: Path, tmp_path: Path) -> None:
    video = filmed(tmp_path / "kiosk.avi")
    words = ["read", "--camera", str(video), "--model", str(tiny_model), "-f", "jsonl"]
    done = CliRunner().invoke(app, [*words, "--overlay", str(tmp_path / "seen")])
    assert done.exit_code == 0, done.output
    (line,) = done.stdout.splitlines()
    assert json.loads(line)["page"] == 1
    assert [word for word in done.stderr.splitlines() if word in ("no page", "hold still", "read")]
    assert (tmp_path / "seen" / "camera.overlay.png").is_file()


def test_a_video_of_another_form_alone_is_a_failure(tiny_model: Path, tmp_path: Path) -> None:
    template = tmp_path / "other.json"
    template.write_text(json.dumps(OTHER))
    words = ["read", "--camera", str(filmed(tmp_path / "v.avi")), "-t", str(template)]
    done = CliRunner().invoke(app, [*words, "--model", str(tiny_model), "-f", "json"])
    assert done.exit_code == 4
    assert json.loads(done.stdout) == []
    told = done.stderr.splitlines()
    assert sum(line.startswith("not the form: ") for line in told) == 1
    assert "done" not in told
    assert "nothing was read" in told[-1]


@pytest.mark.parametrize(
    ("words", "code"), [(["--camera", "none.avi"], 3), (["--camera", "0", "a.png"], 2), ([], 2)]
)
def test_a_camera_that_is_not_there_and_mixed_sources_are_refused(
    words: list[str], code: int, tiny_model: Path
) -> None:
    done = CliRunner().invoke(app, ["read", "--model", str(tiny_model), *words])
    assert done.exit_code == code
