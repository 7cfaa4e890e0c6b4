"""In production a Postgres on another machine proves who it is before it is told anything."""

from __future__ import annotations

import datetime
import hashlib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import environ
import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from django.conf import settings as django_settings
from django.db.backends.postgresql.base import DatabaseWrapper
from pytest_django.fixtures import Settings

from cruddur.checks import check_settings
from cruddur.postgres.tls import RDS_CERTIFICATES, is_verified, with_certificates

RDS_HOST = "cruddur.abcdefghijkl.eu-central-1.rds.amazonaws.com"
REGIONS_OF_EVERY_ACCOUNT = {
    "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2",
    "ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1",
    "us-east-2", "us-west-1", "us-west-2",
}  # fmt: skip


def database(url: str) -> dict[str, Any]:
    """Return what the settings make of a DATABASE_URL."""
    return with_certificates(environ.Env.db_url_config(url))


# --- The certificates of RDS ------------------------------------------------------------------------------------------


def test_rds_certificates_are_the_ones_whose_checksum_is_kept() -> None:
    kept = RDS_CERTIFICATES.with_suffix(".pem.sha256").read_text()

    assert kept == f"{hashlib.sha256(RDS_CERTIFICATES.read_bytes()).hexdigest()}  rds.pem\n"


def test_rds_certificates_are_roots_of_every_region_and_last() -> None:
    found = x509.load_pem_x509_certificates(RDS_CERTIFICATES.read_bytes())

    names = [each.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value for each in found]
    kinds = ("RSA2048", "RSA4096", "ECC384")
    wanted = {f"Amazon RDS {region} Root CA {kind} G1" for region in REGIONS_OF_EVERY_ACCOUNT for kind in kinds}
    assert wanted <= set(names)
    assert len(names) == len(set(names))
    for each in found:
        each.verify_directly_issued_by(each)
        assert each.not_valid_after_utc.year > 2060


def test_host_of_rds_is_verified_with_its_certificates() -> None:
    assert database(f"postgres://u@{RDS_HOST}/d?sslmode=verify-full")["OPTIONS"] == {
        "sslmode": "verify-full", "sslrootcert": str(RDS_CERTIFICATES)
    }  # fmt: skip


def test_other_certificates_are_used_where_they_are_named() -> None:
    assert database(f"postgres://u@{RDS_HOST}/d?sslrootcert=system")["OPTIONS"] == {"sslrootcert": "system"}
    assert "sslrootcert" not in database("postgres://u@db.example.com/d?sslmode=verify-full")["OPTIONS"]


# --- What the settings accept -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "verified"),
    [
        ("postgres:///cruddur", True),
        ("postgres://u@localhost/d", True),
        ("postgres://u@127.0.0.1:5432/d", True),
        ("postgres:////run/postgresql/d", True),
        ("postgres://u@db.example.com/d?sslmode=verify-full", True),
        (f"postgres://u@{RDS_HOST}/d?sslmode=verify-full", True),
        ("postgres://u@db.example.com/d", False),
        ("postgres://u@db.example.com/d?sslmode=prefer", False),
        ("postgres://u@db.example.com/d?sslmode=require", False),
        (f"postgres://u@{RDS_HOST}/d?sslmode=verify-ca", False),
        ("postgres://u@localhost:5432,db.example.com:5432/d", False),
        ("postgres://u@localhost/d?hostaddr=192.0.2.1", False),
    ],
)
def test_only_this_machine_need_not_prove_who_it_is(
    url: str, verified: bool, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PGHOST", "PGSSLMODE"):
        monkeypatch.delenv(name, raising=False)
    settings.PRODUCTION = True
    monkeypatch.setitem(settings.DATABASES, "default", database(url))

    refused = [each for each in check_settings(None) if each.id == "cruddur.E024"]

    assert bool(refused) is not verified
    assert all("sslmode=verify-full" in (each.hint or "") for each in refused)


def test_variables_of_the_postgres_library_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "db.example.com")
    assert not is_verified(database("postgres:///d"))

    monkeypatch.setenv("PGSSLMODE", "verify-full")
    assert is_verified(database("postgres:///d"))


@pytest.mark.parametrize(
    ("url", "verified"),
    [
        ("", True),
        ("redis://127.0.0.1:6379/0", True),
        ("rediss://bus.example.com:6379/0", True),
        ("redis://bus.example.com:6379/0", False),
        ("rediss://bus.example.com:6379/0?ssl_cert_reqs=none", False),
        ("rediss://bus.example.com:6379/0?ssl_check_hostname=false", False),
    ],
)
def test_bus_on_another_machine_is_encrypted_and_verified(url: str, verified: bool, settings: Settings) -> None:
    settings.PRODUCTION = True
    settings.REDIS_URL = url

    assert ("cruddur.E025" in {each.id for each in check_settings(None)}) is not verified


# --- What happens on the wire -----------------------------------------------------------------------------------------


class Server:
    """Agrees to TLS as Postgres does, with a certificate for `localhost`, and notes what it is told after that."""

    def __init__(self, directory: Path) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        self.certificate = directory / "server.pem"
        self.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
        key_file = directory / "server.key"
        key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.certificate, key_file)
        self.told: list[bytes] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]

    def serve(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:  # closed
                return
            with client:
                client.recv(8)  # "may we speak TLS?"
                client.sendall(b"S")
                try:
                    with self.context.wrap_socket(client, server_side=True) as encrypted:
                        if said := encrypted.recv(1000):
                            self.told.append(said)
                except OSError:  # the client did not like the certificate
                    continue


@contextmanager
def serving(server: Server) -> Iterator[None]:
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield
    finally:
        server.listener.shutdown(socket.SHUT_RDWR)
        server.listener.close()
        thread.join()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    found = Server(tmp_path)
    with serving(found):
        yield found


def connect(server: Server, host: str, options: str) -> str:
    """Connect as Django does; return the error, as this server does not speak Postgres's protocol."""
    values = database(f"postgres://cruddur:secret@{host}:{server.port}/d?{options}&connect_timeout=10")
    wrapper = DatabaseWrapper({**django_settings.DATABASES["default"], **values, "CONN_HEALTH_CHECKS": False})
    with pytest.raises(psycopg.OperationalError) as raised:
        wrapper.get_new_connection(wrapper.get_connection_params())
    return str(raised.value)


def test_server_that_proves_who_it_is_is_spoken_to(server: Server) -> None:
    connect(server, "localhost", f"sslmode=verify-full&sslrootcert={server.certificate}")

    assert server.told


def test_server_with_the_certificate_of_another_authority_is_told_nothing(server: Server) -> None:
    """Somebody between us and RDS, whose name leads to them."""
    options = "sslmode=verify-full&hostaddr=127.0.0.1"

    assert "certificate verify failed" in connect(server, RDS_HOST, options)
    assert server.told == []


def test_server_with_the_certificate_of_another_host_is_told_nothing(server: Server) -> None:
    """As other customers of RDS have, signed by the same authority."""
    options = f"sslmode=verify-full&sslrootcert={server.certificate}&hostaddr=127.0.0.1"

    assert "does not match host name" in connect(server, "db.example.com", options)
    assert server.told == []


def test_require_alone_would_have_told_the_impostor(server: Server) -> None:
    """What `sslmode=require` is not enough for: this is why the settings refuse it."""
    connect(server, "db.example.com", "sslmode=require&hostaddr=127.0.0.1")

    assert server.told
