"""An authority of one's own, and certificates that it signs, made by OpenSSL."""

import subprocess
import time
from pathlib import Path
from typing import NamedTuple

NAMES = "IP:127.0.0.1,DNS:localhost"
OPENSSL_S = 20.0


class Pair(NamedTuple):
    """The files of a certificate and its key."""

    certificate: Path
    key: Path


class Authority:
    """Its files lie in `folder`; two of them in one folder need two names."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self._name = name
        self.certificate = folder / f"{name}.pem"
        self._key = folder / f"{name}.key"
        subject = ("-subj", f"/CN={name}")
        files = ("-keyout", str(self._key), "-out", str(self.certificate))
        # From Python 3.13 on an authority that does not say so is refused (VERIFY_X509_STRICT).
        usage = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
        _openssl("req", "-x509", *_NEW_KEY, "-days", "2", *usage, *subject, *files)

    def signed(self, name: str, names: str = NAMES, *, days: int = 2) -> Pair:
        """A certificate for these host names; with 0 `days` it has expired
        when this returns, at most a second later."""
        pair = Pair(*(self._folder / f"{self._name}-{name}.{end}" for end in ("pem", "key")))
        asked, more = pair.key.with_suffix(".req"), pair.key.with_suffix(".names")
        extensions = (f"subjectAltName={names}", "subjectKeyIdentifier=hash", _SIGNER)
        more.write_text("\n".join(extensions) + "\n", encoding="utf-8")
        _openssl(
            *("req", *_NEW_KEY, "-subj", f"/CN={name}"),
            *("-keyout", str(pair.key), "-out", str(asked)),
        )
        _openssl(
            *("x509", "-req", "-in", str(asked), "-days", str(days), "-extfile", str(more)),
            *("-CA", str(self.certificate), "-CAkey", str(self._key), "-CAcreateserial"),
            *("-out", str(pair.certificate)),
        )
        if not days:  # the second in which it ends is not over
            time.sleep(1.0 - time.time() % 1.0)
        return pair


_SIGNER = "authorityKeyIdentifier=keyid"
_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def _openssl(*words: str) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True, timeout=OPENSSL_S)
