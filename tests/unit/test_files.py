"""Files are whole or absent; damaged ones are named; mistakes reach the user from any process."""

import multiprocessing
import os
import pickle
import socket
import subprocess

import pytest

from vla.errors import UserError
from vla.files.atomic import remove_leftovers, write_atomic, write_json, write_text
from vla.files.described import File, check_file, describe_file
from vla.files.exclusive import exclusive
from vla.files.hashing import canonical_json, sha256_bytes
from vla.files.sealed import read_json, read_sealed, write_sealed


def test_failed_write_leaves_what_was_there_and_nothing_else(tmp_path):
    path = tmp_path / "result.csv"
    write_text(path, "old")

    def fail_halfway(temporary):
        temporary.write_text("half")
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        write_atomic(path, fail_halfway)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_unfinished_file_never_bears_the_name(tmp_path):
    path = tmp_path / "result.csv"

    def look(temporary):
        temporary.write_text("half")
        assert not path.exists()
        assert temporary.parent == tmp_path  # renaming between file systems is no single step
        assert temporary.suffix == ".csv"  # writers choose the format by it

    write_atomic(path, look)
    assert path.read_text() == "half"
    assert list(tmp_path.iterdir()) == [path]


def test_leftovers_of_a_killed_writer_go_and_nothing_else_does(tmp_path):
    def killed(temporary):
        temporary.write_text("half")
        os._exit(9)

    whole = tmp_path / "store.npy"
    write_text(whole, "whole")
    writer = multiprocessing.get_context("fork").Process(target=write_atomic, args=(whole, killed))
    writer.start()
    writer.join()
    assert len(list(tmp_path.iterdir())) == 2
    remove_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == [whole]


def test_writer_removes_what_a_killed_one_left_of_the_same_file(tmp_path):
    """And nothing of one that is at work, or of another machine's."""
    figure = tmp_path / "curve.svg"
    gone = subprocess.Popen(["true"])
    gone.wait()
    unasked = subprocess.Popen(["true"])  # listed until its parent asks how it ended
    os.waitid(os.P_PID, unasked.pid, os.WEXITED | os.WNOWAIT)
    host = socket.gethostname()
    for dead in (gone, unasked):
        (tmp_path / f".curve.{host}-{dead.pid}.part.svg").write_text("half")
    others = {f".curve.{host}-{os.getppid()}.part.svg", f".curve.other-{gone.pid}.part.svg"}
    for name in others:
        (tmp_path / name).write_text("half")
    write_text(figure, "whole")
    assert {path.name for path in tmp_path.iterdir()} == {"curve.svg", *others}
    unasked.wait()


def test_folders_are_made(tmp_path):
    write_json(tmp_path / "a/b/c.json", {"x": 1})
    assert read_json(tmp_path / "a/b/c.json") == {"x": 1}


def test_record_with_nan_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"loss": float("nan")})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b'{"a": 1', b"", b"\xff\xfe"])
def test_torn_json_is_named_with_a_way_out(tmp_path, content):
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(UserError, match=r"run\.json is not valid JSON") as caught:
        read_json(tmp_path / "run.json")
    assert "set it aside" in caught.value.way_out


def test_missing_json_is_named(tmp_path):
    with pytest.raises(UserError, match=r"run\.json is missing"):
        read_json(tmp_path / "run.json")


def test_described_file_is_found_unchanged(tmp_path):
    path = tmp_path / "sub/weights.bin"
    write_text(path, "abc")
    description = describe_file(path, tmp_path)
    assert description == File("sub/weights.bin", 3, sha256_bytes(b"abc"))
    assert check_file(description, tmp_path) == path


def test_changed_file_is_named_with_both_hashes(tmp_path):
    path = tmp_path / "weights.bin"
    write_text(path, "abc")
    description = describe_file(path, tmp_path)
    write_text(path, "abd")
    with pytest.raises(UserError) as caught:
        check_file(description, tmp_path)
    for said in (str(path), sha256_bytes(b"abc"), sha256_bytes(b"abd")):
        assert said in caught.value.problem


def test_missing_file_of_a_record_is_named(tmp_path):
    with pytest.raises(UserError, match=r"weights\.bin is missing"):
        check_file(File("weights.bin", 3, "00"), tmp_path)


def test_equal_values_have_one_json_text():
    assert canonical_json({"b": 1, "a": [1, 2]}) == canonical_json({"a": (1, 2), "b": 1})
    assert canonical_json({"a": 1}) == '{"a":1}'


def test_mistake_found_in_a_worker_process_reaches_the_user():
    """Exceptions come from worker processes as pickles."""
    found = pickle.loads(pickle.dumps(UserError("what is wrong", "what to do")))
    assert isinstance(found, UserError)
    assert str(found) == "what is wrong\n  -> what to do"
    assert (found.problem, found.way_out) == ("what is wrong", "what to do")


def test_sealed_record_comes_back_as_it_was(tmp_path):
    record = {"a": [1, 2.5, None], "zeros": "0" * 64, "text": "ä"}
    write_sealed(tmp_path / "record.json", record)
    assert read_sealed(tmp_path / "record.json") == record


def test_every_changed_byte_of_a_sealed_record_is_noticed(tmp_path):
    path = tmp_path / "record.json"
    write_sealed(path, {"step": 400, "key": "abc"})
    content = path.read_bytes()
    for position in range(len(content)):
        for bit in (0, 5):  # 5 turns a space into NUL and a letter into the other case
            changed = bytearray(content)
            changed[position] ^= 1 << bit
            path.write_bytes(changed)
            with pytest.raises(UserError, match=r"record\.json is damaged"):
                read_sealed(path)


@pytest.mark.parametrize("content", [b"", b"{}\n", b'{"step": 1}\n'])
def test_cut_off_or_unsealed_record_is_refused(tmp_path, content):
    (tmp_path / "record.json").write_bytes(content)
    with pytest.raises(UserError, match=r"record\.json is damaged"):
        read_sealed(tmp_path / "record.json")


def test_two_processes_never_work_in_one_folder(tmp_path):
    with exclusive(tmp_path / "run"):
        again = multiprocessing.get_context("spawn").Process(target=enter, args=(tmp_path / "run",))
        again.start()
        again.join()
        assert again.exitcode == 3
    with exclusive(tmp_path / "run"):
        pass


def enter(folder):
    try:
        with exclusive(folder):
            pass
    except UserError as error:
        raise SystemExit(3 if "Another process is at work" in str(error) else 4) from None
