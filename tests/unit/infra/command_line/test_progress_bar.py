"""The progress bar on a terminal of 80 columns."""

from __future__ import annotations

import pytest

from infra.command_line.progress_bar import progress_bar


def test_the_count_is_whole_beside_a_title_in_two_languages(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"COLUMNS": "80", "TERM": "xterm", "FORCE_COLOR": "1"}.items():
        monkeypatch.setenv(name, value)
    with progress_bar("الحملات · The campaigns", 1_071) as bar:
        bar.on(1_071)
    assert "1071/1071" in capsys.readouterr().err.rpartition("\r")[2]
