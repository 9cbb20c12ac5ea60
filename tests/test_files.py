"""Writing that never loses what was there."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from daneo.files import replaced_directory, replaced_file


class Stopped(Exception):
    """Stands for whatever may interrupt a writer."""


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_file_is_written_and_nothing_else_stays(tmp_path: Path) -> None:
    with replaced_file(tmp_path / "new" / "a.txt") as file:
        file.write(b"one")
        assert not (tmp_path / "new" / "a.txt").exists()
    assert (tmp_path / "new" / "a.txt").read_bytes() == b"one"
    assert names(tmp_path / "new") == ["a.txt"]


@pytest.mark.parametrize("interruption", [Stopped, KeyboardInterrupt])
def test_interrupted_file_leaves_the_old_one(tmp_path: Path, interruption: type[BaseException]) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    with pytest.raises(interruption), replaced_file(path) as file:
        file.write(b"half of the n")
        raise interruption
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.skipif(os.name == "nt", reason="permission bits are POSIX")
def test_permissions_are_what_open_and_mkdir_would_give(tmp_path: Path) -> None:
    with replaced_file(tmp_path / "ours"):
        pass
    (tmp_path / "theirs").touch()
    with replaced_directory(tmp_path / "our-folder", known=()):
        pass
    (tmp_path / "their-folder").mkdir()

    def mode(name: str) -> int:
        return stat.S_IMODE((tmp_path / name).stat().st_mode)

    assert mode("ours") == mode("theirs")
    assert mode("our-folder") == mode("their-folder")


def test_directory_is_replaced_as_a_whole(tmp_path: Path) -> None:
    target = tmp_path / "model"
    for content in (["a", "b"], ["b", "c"]):
        with replaced_directory(target, known={"a", "b", "c"}) as fresh:
            for name in content:
                (fresh / name).write_text(name)
        assert names(target) == content
    assert names(tmp_path) == ["model"]


def test_directory_with_strange_content_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    target = tmp_path / "home"
    target.mkdir()
    (target / "thesis.txt").write_text("years of work")
    with pytest.raises(FileExistsError, match=r"home holds 'thesis.txt', which daneo did not write"):  # noqa: SIM117
        with replaced_directory(target, known={"a"}):
            pytest.fail("must be refused before the block runs")
    assert (target / "thesis.txt").read_text() == "years of work"
    assert names(tmp_path) == ["home"]


def test_file_in_the_place_of_a_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model").write_text("a file")
    with pytest.raises(NotADirectoryError, match="is a file; a directory is written here"):  # noqa: SIM117
        with replaced_directory(tmp_path / "model", known=()):
            pytest.fail("must be refused before the block runs")
    assert (tmp_path / "model").read_text() == "a file"


@pytest.mark.parametrize("interruption", [Stopped, KeyboardInterrupt])
def test_interrupted_directory_leaves_the_old_one(tmp_path: Path, interruption: type[BaseException]) -> None:
    target = tmp_path / "model"
    target.mkdir()
    (target / "a").write_text("old")
    with pytest.raises(interruption), replaced_directory(target, known={"a"}) as fresh:
        (fresh / "a").write_text("new")
        raise interruption
    assert (target / "a").read_text() == "old"
    assert names(tmp_path) == ["model"]


def test_what_a_user_keeps_in_a_directory_of_ours_is_not_lost(tmp_path: Path) -> None:
    (tmp_path / "model/index").mkdir(parents=True)
    (tmp_path / "model/index/ours.txt").write_text("ours")
    known = ("a.txt", "index/ours.txt")
    (tmp_path / "model/index/notes.txt").write_text("theirs")
    with pytest.raises(FileExistsError, match="'index/notes.txt'"), replaced_directory(tmp_path / "model", known):
        pass
    (tmp_path / "model/index/notes.txt").unlink()
    (tmp_path / "model/empty").mkdir()
    with pytest.raises(FileExistsError, match="'empty'"), replaced_directory(tmp_path / "model", known):
        pass
    (tmp_path / "model/empty").rmdir()
    with replaced_directory(tmp_path / "model", known) as fresh:
        (fresh / "a.txt").write_text("new")
    assert [path.name for path in (tmp_path / "model").rglob("*")] == ["a.txt"]
