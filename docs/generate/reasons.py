"""Every code of a reason, its values and its sentence, from the table that makes them."""

from actors.reasons.sentences import SENTENCES
from docs.generate.markdown import table


def all_reasons() -> str:
    """A row for each code."""
    rows = [
        [
            f"`{code.value}`",
            ", ".join(f"`{name}`" for name in sentence.names),
            f"{sentence.text} / {sentence.bare}" if sentence.bare else sentence.text,
        ]
        for code, sentence in SENTENCES.items()
    ]
    return table(["code", "values", "sentence"], rows)
