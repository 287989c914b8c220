"""Words of the API: states, reasons, kinds."""

from enum import StrEnum
from typing import Self


class Word(StrEnum):
    """One of some known words. A newer service may say others: they are kept as they are, equal to
    no known one, and `name` is then the word itself."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        word = str.__new__(cls, value)
        word._name_ = word._value_ = value
        return word
