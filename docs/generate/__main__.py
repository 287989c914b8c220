"""`python -m docs.generate`: write every generated part anew, the dashboard for Grafana, and the
models of the client; what `make docs` calls."""

from docs.generate import client_models

# First: the command line, whose verbs are described, imports the client and so these.
client_models.write()

from docs.generate.parts import FILES, ROOT, documents, rewritten  # noqa: E402

for path in documents():
    text = path.read_text(encoding="utf-8")
    path.write_text(rewritten(text), encoding="utf-8")
for name, made in FILES.items():
    (ROOT / name).write_text(made(), encoding="utf-8")
