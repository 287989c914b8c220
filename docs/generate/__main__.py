"""`python -m docs.generate`: write every generated part anew; what `make docs` calls."""

from docs.generate.parts import documents, rewritten

for path in documents():
    text = path.read_text(encoding="utf-8")
    path.write_text(rewritten(text), encoding="utf-8")
