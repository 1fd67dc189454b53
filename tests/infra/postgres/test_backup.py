"""Backup and restore, there and back, and every way in which a backup can be wrong."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from evenhand.infra.home import Home, HomeTrouble
from evenhand.infra.postgres import restore as restores
from evenhand.infra.postgres import roles
from evenhand.infra.postgres.backup import BackupTrouble, backup
from evenhand.infra.postgres.restore import BadArchive, restore
from evenhand.infra.postgres.server import Server, server_of

SCHEMA = """
create schema evenhand;
create table evenhand.note (org_id text, body text, primary key (org_id, body));
alter table evenhand.note enable row level security;
alter table evenhand.note force row level security;
create policy wall on evenhand.note using (org_id = nullif(current_setting('evenhand.org', true), ''));
grant usage on schema evenhand to evenhand_app;
grant select, insert on evenhand.note to evenhand_app;
create table evenhand.part (at int) partition by range (at);
create table evenhand.part_1 partition of evenhand.part for values from (0) to (10);
"""


def objects_of(home: Home) -> dict[str, str]:
    return {
        path.relative_to(home.objects).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in home.objects.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def bin_environment(bin_dir: Path | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENHAND_PG_BIN", str(bin_dir or ""))


@pytest.fixture
def home(folder: Path, bin_environment: None) -> Iterator[Home]:
    home = Home(folder / "home").make()
    with server_of(home) as server:
        urls = roles.prepare(server.admin_url, passwords=home.database_keys)
        with psycopg.connect(urls.owner, autocommit=True) as conn:
            conn.execute(SCHEMA)
        with psycopg.connect(roles.with_database(server.admin_url, "evenhand"), autocommit=True) as conn:
            conn.execute(
                "insert into evenhand.note select 'org' || n % 3, repeat('x', n) from generate_series(1, 500) n"
            )
            conn.execute("insert into evenhand.part select generate_series(0, 9)")
        for n in range(20):
            place = home.objects / f"org{n % 3}" / f"{n:02x}"
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{n:032x}").write_bytes(bytes([n]) * (n * 1000))
        (home.keys / "master.key").write_bytes(b"k" * 32)
        home.demo_file.write_text("{}")
        yield home


def test_there_and_back(home: Home, folder: Path) -> None:
    said: list[str] = []
    made = backup(home, folder / "b.tar", progress=said.append)
    assert stat.S_IMODE(made.file.stat().st_mode) == 0o600
    assert (made.objects, made.rows, made.tables) == (20, 510, 2)
    assert said
    assert made.keys_file == folder / "b.tar.keys" and stat.S_IMODE(made.keys_file.stat().st_mode) == 0o600
    assert not list(folder.glob(".b.tar*"))
    assert not list(home.run.glob("backup-*"))

    other = Home(folder / "other")
    back = restore(made.file, other)
    assert back.verified
    assert (back.objects, back.rows, back.tables) == (20, 510, 2)
    assert objects_of(other) == objects_of(home)
    assert (other.keys / "master.key").read_bytes() == b"k" * 32
    assert other.database_keys.read_text() == home.database_keys.read_text()
    assert stat.S_IMODE(other.path.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in other.keys.rglob("*") if path.is_file())
    with server_of(other) as server:
        urls = roles.prepare(server.admin_url, passwords=other.database_keys)
        with psycopg.connect(urls.app) as conn:
            # the wall came back too: nothing without an organisation, and nothing but one's own
            assert conn.execute("select count(*) from evenhand.note").fetchone() == (0,)
            conn.execute("select set_config('evenhand.org', 'org1', true)")
            assert conn.execute("select count(*), count(distinct org_id) from evenhand.note").fetchone() == (167, 1)
        with psycopg.connect(urls.owner) as conn:
            owners = conn.execute("select distinct tableowner from pg_tables where schemaname = 'evenhand'").fetchall()
            assert owners == [(roles.OWNER,)]


def test_a_home_that_is_not_running_is_backed_up_too(home: Home, folder: Path) -> None:
    server = Server(home.pg, home.run)
    assert server.running()
    # the fixture's server ends, a new process would find it so
    for path in (folder / "one.tar",):
        backup(home, path)
    assert server.running(), "a backup leaves a running server running"


def test_nothing_is_overwritten(home: Home, folder: Path) -> None:
    (folder / "b.tar").write_text("precious")
    with pytest.raises(BackupTrouble, match="exists already"):
        backup(home, folder / "b.tar")
    made = backup(home, folder / "c.tar")
    with pytest.raises((BackupTrouble, HomeTrouble)):
        restore(made.file, home)
    other = Home(folder / "other")
    other.path.mkdir()
    (other.path / "thesis.txt").write_text("precious")
    with pytest.raises(BackupTrouble, match=r"not empty \(thesis.txt\)"):
        restore(made.file, other)
    assert (other.path / "thesis.txt").read_text() == "precious"


def test_a_damaged_archive_is_refused_before_anything_is_done(home: Home, folder: Path) -> None:
    made = backup(home, folder / "b.tar")
    data = made.file.read_bytes()
    middle = data.index(b"\x07" * 1000) + 10
    damaged = {
        "flipped": data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :],
        "cut": data[: len(data) // 2],
        "empty": b"",
        "other": b"hello" * 1000,
    }
    other = Home(folder / "other")
    for name, content in damaged.items():
        file = folder / f"{name}.tar"
        file.write_bytes(content)
        with pytest.raises(BadArchive):
            restore(file, other)
        assert not other.path.exists()
    with pytest.raises(BadArchive, match="cannot be read"):
        restore(folder / "absent.tar", other)


def test_the_keys_are_apart_and_asked_for(home: Home, folder: Path) -> None:
    """The backup holds no key, and what stands in it of them leads back to none."""
    (folder / "safe").mkdir()
    made = backup(home, folder / "b.tar", keys_file=folder / "safe" / "b.keys")
    with tarfile.open(made.file) as archive:
        assert not [name for name in archive.getnames() if name.startswith("keys") or name == "demo.json"]
    secrets = [path.read_bytes() for path in home.keys.rglob("*") if path.is_file()]
    assert len(secrets) > 1 and not any(secret in made.file.read_bytes() for secret in secrets)
    other = Home(folder / "other")
    with pytest.raises(BackupTrouble, match="not at") as refused:
        restore(made.file, other)
    assert "--keys-file" in str(refused.value.hint)
    (home.keys / "master.key").write_bytes(b"j" * 32)
    elsewhere = backup(home, folder / "c.tar")
    for wrong, words in ((elsewhere.keys_file, "another installation"), (made.file, "holds no keys")):
        with pytest.raises(BadArchive, match=words):
            restore(made.file, other, keys_file=wrong)
    with pytest.raises(BadArchive, match="no database"):
        restore(made.keys_file, other)
    assert not other.path.exists(), "nothing was begun"
    restore(made.file, other, keys_file=made.keys_file)
    assert (other.keys / "master.key").read_bytes() == b"k" * 32


def test_a_backup_from_before_the_keys_were_apart_comes_back(home: Home, folder: Path) -> None:
    made = backup(home, folder / "b.tar")
    old = folder / "old.tar"
    with tarfile.open(old, "w", format=tarfile.PAX_FORMAT) as out:
        manifest: dict[str, object] = {}
        for file in (made.file, made.keys_file):
            with tarfile.open(file) as archive:
                for member in archive:
                    content = archive.extractfile(member)
                    assert content is not None
                    data = content.read()
                    if member.name == "manifest.json" or member.name in manifest:
                        continue
                    if member.name == "evenhand-backup.json":
                        data = json.dumps(json.loads(data) | {"format": 1}).encode()
                    manifest[member.name] = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
                    member.size = len(data)
                    out.addfile(member, io.BytesIO(data))
        said = json.dumps(manifest).encode()
        last = tarfile.TarInfo("manifest.json")
        last.size = len(said)
        out.addfile(last, io.BytesIO(said))
    other = Home(folder / "other")
    assert restore(old, other).verified
    assert (other.keys / "master.key").read_bytes() == b"k" * 32


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "keys/../../evil", "objects/.hidden", "pg/PG_VERSION"])
def test_path_tricks_are_refused(folder: Path, name: str) -> None:
    file = folder / "evil.tar"
    with tarfile.open(file, "w") as archive:
        member = tarfile.TarInfo(name)
        member.size = 4
        archive.addfile(member, io.BytesIO(b"evil"))
    with pytest.raises(BadArchive, match="no backup of ours"):
        restore(file, Home(folder / "other"))


def test_links_in_an_archive_are_refused(folder: Path) -> None:
    file = folder / "evil.tar"
    with tarfile.open(file, "w") as archive:
        member = tarfile.TarInfo("objects/link")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(member)
    with pytest.raises(BadArchive, match="no backup of ours"):
        restore(file, Home(folder / "other"))


def test_a_killed_restore_is_begun_anew(home: Home, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = backup(home, folder / "b.tar")
    other = Home(folder / "other").make()
    other.restoring_mark.touch()
    (other.objects / "half").write_text("half")
    other.pg.mkdir()
    (other.pg / "PG_VERSION").write_text("18\n")
    with pytest.raises(HomeTrouble, match="was interrupted"):
        restores.refuse_unfinished_restore(other)
    restore(made.file, other)
    restores.refuse_unfinished_restore(other)
    assert objects_of(other) == objects_of(home)


def test_a_failing_restore_takes_its_traces_away(home: Home, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = backup(home, folder / "b.tar")
    other = Home(folder / "other")

    def fail(*_: object) -> None:
        raise BackupTrouble("The disk fell off.")

    with monkeypatch.context() as patched:
        patched.setattr(restores, "_verify", fail)
        with pytest.raises(BackupTrouble):
            restore(made.file, other)
    assert [path.name for path in other.path.iterdir()] == ["run"]
    restore(made.file, other)


def test_an_external_database_needs_eyes_that_see_every_row(home: Home, folder: Path) -> None:
    server = server_of(home)
    urls = roles.prepare(server.admin_url, passwords=home.database_keys)
    with pytest.raises(BackupTrouble, match="cannot see every row"):
        backup(home, folder / "b.tar", database_url=urls.owner)
    made = backup(home, folder / "c.tar", database_url=roles.with_database(server.admin_url, "evenhand"))
    assert made.rows == 510
